//! The pretend API's limits: when does it say 429? One model a variant, all seen in the wild.

use std::collections::VecDeque;

/// How a limit of so many calls a second is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Model {
    /// A token bucket that holds so many.
    Bucket(f64),
    /// The generic cell rate algorithm with this burst.
    Gcra(f64),
    /// At most a second's calls in each full second of the clock.
    Fixed,
    /// At most a second's calls accepted in the last second, each remembered.
    Log,
    /// The same, estimated from two counts.
    Counter,
    /// The same as the log, but refused calls count too.
    RefusedCount,
    /// At most a minute's calls in each full minute of the clock.
    Minute,
    /// The same, and at most one and a half times the rate in each full second.
    Both,
}

/// A limit with its state.
#[derive(Debug)]
pub(super) struct Limit {
    model: Model,
    /// Calls a second, on the long run.
    pub(super) rate: f64,
    /// Tokens, or the theoretical arrival time.
    level: f64,
    last: f64,
    log: VecDeque<f64>,
    second: Window,
    minute: Window,
}

/// Counts of a window of the clock and of the one before.
#[derive(Debug, Default)]
struct Window {
    number: u64,
    count: f64,
    before: f64,
}

impl Window {
    fn at(&mut self, now: f64, width: f64) -> &mut Self {
        let number = (now / width) as u64;
        if number != self.number {
            self.before = if number == self.number + 1 {
                self.count
            } else {
                0.0
            };
            (self.number, self.count) = (number, 0.0);
        }
        self
    }
}

impl Limit {
    pub(super) fn new(model: Model, rate: f64) -> Self {
        let level = match model {
            Model::Bucket(size) => size,
            _ => 0.0,
        };
        Self {
            model,
            rate,
            level,
            last: 0.0,
            log: VecDeque::new(),
            second: Window::default(),
            minute: Window::default(),
        }
    }

    /// Whether a call at `now`, seconds on the wall clock, is accepted.
    pub(super) fn accepts(&mut self, now: f64) -> bool {
        let rate = self.rate;
        match self.model {
            Model::Bucket(size) => {
                self.level = (self.level + (now - self.last) * rate).min(size);
                self.last = now;
                take(&mut self.level, -1.0, 0.0)
            }
            Model::Gcra(burst) => {
                let arrival = self.level.max(now);
                let accepted = arrival - now <= (burst - 1.0) / rate + 1e-9;
                if accepted {
                    self.level = arrival + 1.0 / rate;
                }
                accepted
            }
            Model::Fixed => take(&mut self.second.at(now, 1.0).count, 1.0, rate),
            Model::Log | Model::RefusedCount => {
                while self.log.front().is_some_and(|at| *at <= now - 1.0) {
                    self.log.pop_front();
                }
                let accepted = (self.log.len() as f64) < rate;
                if accepted || self.model == Model::RefusedCount {
                    self.log.push_back(now);
                }
                accepted
            }
            Model::Counter => {
                let window = self.second.at(now, 1.0);
                let before = window.before * (1.0 - now.fract());
                take(&mut window.count, 1.0, rate - before)
            }
            Model::Minute => take(&mut self.minute.at(now, 60.0).count, 1.0, 60.0 * rate),
            Model::Both => {
                let minute = self.minute.at(now, 60.0);
                minute.count < 60.0 * rate
                    && take(&mut self.second.at(now, 1.0).count, 1.0, 1.5 * rate)
                    && take(&mut minute.count, 1.0, 60.0 * rate)
            }
        }
    }
}

/// Moves the count by one if that keeps it within its limit.
fn take(count: &mut f64, by: f64, limit: f64) -> bool {
    let after = *count + by;
    let within = if by > 0.0 {
        after <= limit + 1e-9
    } else {
        after >= limit - 1e-9
    };
    if within {
        *count = after;
    }
    within
}
