//! Why the worker is not at full speed: one shown state out of all that hold, for `/readyz`, the
//! metrics and the log.
//!
//! Several things can be wrong at once: causes are set and cleared on their own, by whoever knows,
//! and the worst of them is shown. This file does not find out what is wrong, and has no clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::metrics::Metrics;
use crate::closed_set;

closed_set! {
    /// The worker's states, from the best to the worst: the last that holds is shown.
    State {
        /// Full speed.
        Running => "running",
        /// Stytch limits our rate.
        Throttled => "throttled",
        /// Outcomes cannot be recorded; bulk waits.
        Audit => "audit",
        /// Stytch does not answer; nothing moves.
        Outage => "outage",
        /// Stytch does not accept our credentials; nothing moves.
        Credentials => "credentials",
        /// RabbitMQ cannot be used; nothing comes in.
        Broker => "broker",
        /// Told to stop: finishing what is in hand.
        Draining => "draining",
    }
}

impl State {
    /// Whether somebody may have to act.
    const fn is_alarming(self) -> bool {
        match self {
            Self::Running | Self::Throttled | Self::Draining => false,
            Self::Audit | Self::Outage | Self::Credentials | Self::Broker => true,
        }
    }
}

/// What is shown at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// The worst state that holds.
    pub state: State,
    /// Since when it holds; for `running`, since the last cause was cleared.
    pub since: Timestamp,
    /// Why, in words fixed at compile time: they cannot hold a secret.
    pub reason: &'static str,
}

impl Snapshot {
    /// Whether `/readyz` answers 200. Only the broker and the drain make a worker unready: in every
    /// other state a restart or another target would help nobody.
    pub const fn ready(&self) -> bool {
        !matches!(self.state, State::Broker | State::Draining)
    }
}

/// What is said of a state without a cause.
const ALL_WELL: &str = "nothing stands in the way";

/// A reminder within this time of the last line would only repeat it.
const REMINDER_GAP_MIN: SignedDuration = SignedDuration::from_secs(30);

/// The causes that hold; pure.
#[derive(Debug)]
struct Causes {
    /// Since when and why, for each state that holds. `Running` is never among them.
    held: [Option<(Timestamp, &'static str)>; State::ALL.len()],
    /// When the last cause was cleared.
    clear_since: Timestamp,
    /// When the last line was logged.
    logged: Timestamp,
}

impl Causes {
    /// Sets or clears a cause; setting one again changes its reason, not its beginning.
    fn set(&mut self, state: State, on: bool, reason: &'static str, now: Timestamp) {
        if state == State::Running {
            return; // it is what remains without a cause
        }
        let cause = &mut self.held[state as usize];
        match (&mut *cause, on) {
            (Some((_, why)), true) => *why = reason,
            (None, true) => *cause = Some((now, reason)),
            (Some(_), false) => {
                *cause = None;
                self.clear_since = now;
            }
            (None, false) => {}
        }
    }

    /// The worst that holds.
    fn shown(&self) -> Snapshot {
        let worst = State::ALL
            .iter()
            .zip(&self.held)
            .rev()
            .find_map(|(state, cause)| cause.map(|(since, reason)| (*state, since, reason)));
        let (state, since, reason) = worst.unwrap_or((State::Running, self.clear_since, ALL_WELL));
        Snapshot {
            state,
            since,
            reason,
        }
    }
}

/// The worker's state, shared by all who know a cause and all who show it.
#[derive(Debug)]
pub struct StateBoard {
    causes: Mutex<Causes>,
    metrics: Arc<Metrics>,
}

impl StateBoard {
    /// A board that shows `broker`: no connection yet.
    pub fn new(metrics: Arc<Metrics>, now: Timestamp) -> Self {
        let mut causes = Causes {
            held: [None; State::ALL.len()],
            clear_since: now,
            logged: now,
        };
        causes.set(State::Broker, true, "not connected yet", now);
        metrics.state(&causes.shown());
        Self {
            causes: Mutex::new(causes),
            metrics,
        }
    }

    /// A cause holds (`on`) or does not hold any more. If that changes what is shown, it is logged
    /// and exported; the reason of a cause that is cleared is not looked at.
    pub fn set(&self, state: State, on: bool, reason: &'static str, now: Timestamp) {
        let mut causes = self.lock();
        let before = causes.shown();
        causes.set(state, on, reason, now);
        let after = causes.shown();
        if before.state != after.state {
            causes.logged = now;
            log_change(before.state, &after);
        }
        // Under the lock, so that two changes cannot reach the gauges in the wrong order.
        self.metrics.state(&after);
    }

    /// To be called every minute: logs one line while the state is not `running`, so that the last
    /// lines of a log always say what is wrong. True if it did.
    pub fn remind(&self, now: Timestamp) -> bool {
        let mut causes = self.lock();
        let shown = causes.shown();
        // Apart in either direction: a clock that was set back must not silence the log for as long.
        let due = now.duration_since(causes.logged).abs() >= REMINDER_GAP_MIN;
        if shown.state == State::Running || !due {
            return false;
        }
        causes.logged = now;
        log_still(&shown, now);
        true
    }

    /// What is shown now.
    pub fn snapshot(&self) -> Snapshot {
        self.lock().shown()
    }

    /// A panic elsewhere does not make the causes wrong.
    fn lock(&self) -> MutexGuard<'_, Causes> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line of a change.
fn log_change(before: State, after: &Snapshot) {
    let (from, state, reason) = (before.as_str(), after.state.as_str(), after.reason);
    if after.state.is_alarming() {
        tracing::warn!(state, from, reason, "state changed");
    } else {
        tracing::info!(state, from, reason, "state changed");
    }
}

/// The line of a state that lasts.
fn log_still(shown: &Snapshot, now: Timestamp) {
    let (state, reason) = (shown.state.as_str(), shown.reason);
    let held_s = now.duration_since(shown.since).as_secs().max(0);
    if shown.state.is_alarming() {
        tracing::warn!(state, reason, held_s, "state lasts");
    } else {
        tracing::info!(state, reason, held_s, "state lasts");
    }
}
