//! Why the worker is not at full speed: one shown state out of all that hold, for `/readyz`, the
//! metrics and the log.
//!
//! Several things can be wrong at once: causes are set and cleared on their own, by whoever knows,
//! and the worst of them is shown, the others beside it. This file does not find out what is wrong, and
//! has no clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{metrics::Metrics, why::Why};
use crate::{broker::Trouble, closed_set};

closed_set! {
    /// The worker's states, from the best to the worst: the last that holds is shown.
    State {
        /// Full speed.
        Running => "running",
        /// Stytch limits our rate.
        Throttled => "throttled",
        /// Outcomes cannot be recorded, or the operator's orders not be read; bulk waits.
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
    pub const fn is_alarming(self) -> bool {
        match self {
            Self::Running | Self::Throttled | Self::Draining => false,
            Self::Audit | Self::Outage | Self::Credentials | Self::Broker => true,
        }
    }
}

/// A state that holds at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// The state.
    pub state: State,
    /// Since when it holds; for `running`, since the last cause was cleared.
    pub since: Timestamp,
    /// Why.
    pub why: Why,
    /// When the next canary or the next try to connect is due, or the drain ends; where there is one.
    pub next_probe: Option<Timestamp>,
}

impl Snapshot {
    /// Whether `/readyz` answers 200. Only the broker and the drain make a worker unready: in every
    /// other state a restart or another target would help nobody.
    pub const fn ready(&self) -> bool {
        !matches!(self.state, State::Broker | State::Draining)
    }
}

/// A reminder within this time of the last line would only repeat it.
const REMINDER_GAP_MIN: SignedDuration = SignedDuration::from_secs(30);

/// The causes that hold; pure.
#[derive(Debug)]
struct Causes {
    /// For each state, whether it holds. `Running` is never among them.
    held: [Option<Snapshot>; State::ALL.len()],
    /// When the last cause was cleared.
    clear_since: Timestamp,
    /// When the last line was logged.
    logged: Timestamp,
}

impl Causes {
    /// Sets a cause; setting one again changes its reason and its next probe, not its beginning.
    fn hold(&mut self, why: Why, next_probe: Option<Timestamp>, now: Timestamp) {
        let state = why.state();
        if state == State::Running {
            return; // it is what remains without a cause
        }
        let cause = &mut self.held[state as usize];
        let since = cause.map_or(now, |held| held.since);
        *cause = Some(Snapshot {
            state,
            since,
            why,
            next_probe,
        });
    }

    fn clear(&mut self, state: State, now: Timestamp) {
        if self.held[state as usize].take().is_some() {
            self.clear_since = now;
        }
    }

    /// All that hold, the worst first.
    fn all(&self) -> impl Iterator<Item = Snapshot> {
        self.held.iter().rev().copied().flatten()
    }

    /// The worst that holds.
    fn shown(&self) -> Snapshot {
        self.all().next().unwrap_or(Snapshot {
            state: State::Running,
            since: self.clear_since,
            why: Why::AllWell,
            next_probe: None,
        })
    }

    /// The words of those beneath the shown one.
    fn beneath(&self) -> String {
        let words: Vec<&str> = self.all().skip(1).map(|held| held.state.as_str()).collect();
        words.join(",")
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
        causes.hold(Why::Broker(Trouble::NotConnected), None, now);
        metrics.state(&causes.shown());
        Self {
            causes: Mutex::new(causes),
            metrics,
        }
    }

    /// A state holds for this reason; told again, the reason and the next probe may be others.
    pub fn hold(&self, why: Why, next_probe: Option<Timestamp>, now: Timestamp) {
        self.change(why.state(), now, |causes| causes.hold(why, next_probe, now));
    }

    /// A state does not hold any more.
    pub fn clear(&self, state: State, now: Timestamp) {
        self.change(state, now, |causes| causes.clear(state, now));
    }

    /// Changes the cause of one state. What begins or ends is logged, and what is shown exported.
    fn change(&self, state: State, now: Timestamp, change: impl FnOnce(&mut Causes)) {
        let mut causes = self.lock();
        let (before, held) = (causes.shown(), causes.held[state as usize].is_some());
        change(&mut causes);
        let after = causes.shown();
        if before.state != after.state {
            causes.logged = now;
            log_change(before.state, &after, &causes.beneath());
        } else if held != causes.held[state as usize].is_some() {
            log_beneath(state, !held, after.state);
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
        log_still(&shown, &causes.beneath(), now);
        true
    }

    /// What is shown now.
    pub fn snapshot(&self) -> Snapshot {
        self.lock().shown()
    }

    /// What is shown now, and what holds beneath it, the worst first.
    pub fn now(&self) -> (Snapshot, Vec<Snapshot>) {
        let causes = self.lock();
        (causes.shown(), causes.all().skip(1).collect())
    }

    /// A panic elsewhere does not make the causes wrong.
    fn lock(&self) -> MutexGuard<'_, Causes> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time as it is shown.
pub(super) fn shown_time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The line of a change.
fn log_change(before: State, after: &Snapshot, also: &str) {
    let (from, state, reason) = (before.as_str(), after.state.as_str(), after.why.sentence());
    let next_probe = after.next_probe.map(shown_time);
    let (next_probe, also) = (next_probe.as_deref(), some(also));
    if after.state.is_alarming() {
        tracing::warn!(state, from, reason, next_probe, also, "state changed");
    } else {
        tracing::info!(state, from, reason, next_probe, also, "state changed");
    }
}

/// The line of a state that began or ended beneath a worse one.
fn log_beneath(state: State, begins: bool, shown: State) {
    let (state, shown, change) = (
        state.as_str(),
        shown.as_str(),
        if begins { "begins" } else { "ends" },
    );
    tracing::info!(state, change, shown, "state beneath the shown one changed");
}

/// The line of a state that lasts.
fn log_still(shown: &Snapshot, also: &str, now: Timestamp) {
    let (state, reason) = (shown.state.as_str(), shown.why.sentence());
    let held_s = now.duration_since(shown.since).as_secs().max(0);
    let next_probe = shown.next_probe.map(shown_time);
    let (next_probe, also) = (next_probe.as_deref(), some(also));
    if shown.state.is_alarming() {
        tracing::warn!(state, reason, held_s, next_probe, also, "state lasts");
    } else {
        tracing::info!(state, reason, held_s, next_probe, also, "state lasts");
    }
}

/// Nothing to tell is no field.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
