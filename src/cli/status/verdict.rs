//! Is it well? What a look at workers and queues comes to, worst first.
//!
//! Pure. A trouble needs somebody now and decides the exit code; a note is for whoever looks.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Look,
    broker::{Broker, Row},
    text::{age, number, plain},
    worker::{Found, Held, View},
};
use crate::{event::Lane, telemetry::State};

/// An urgent event that is in hand for longer keeps somebody waiting; the alert's own limit.
const OLDEST_URGENT_SECONDS_MAX: i64 = 120;

/// What a look comes to.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What somebody must see to.
    pub troubles: Vec<Trouble>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// What somebody must see to.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What is wrong; what to do.
    pub text: String,
    /// Whether it is that somebody did not answer, or follows from it.
    pub unreachable: bool,
}

impl Verdict {
    /// The verdict on a look.
    pub fn of(look: &Look) -> Self {
        let mut verdict = Self::default();
        for worker in &look.workers {
            let who = format!("worker {}", worker.address);
            match &worker.found {
                Found::View(view) => verdict.worker(&who, view, look.at),
                Found::Problem(why) => verdict.trouble(format!("{who}: {}", plain(why)), true),
            }
        }
        match &look.broker {
            Broker::NotAsked => {}
            Broker::Problem { text, unreachable } => {
                verdict.trouble(format!("RabbitMQ: {}", plain(text)), *unreachable);
            }
            Broker::Queues(rows) => verdict.queues(rows),
        }
        verdict
    }

    /// Whether nobody is needed.
    pub fn is_well(&self) -> bool {
        self.troubles.is_empty()
    }

    /// Whether all that is wrong is that somebody did not answer.
    pub fn is_only_unreachable(&self) -> bool {
        self.troubles.iter().all(|trouble| trouble.unreachable)
    }

    fn trouble(&mut self, text: String, unreachable: bool) {
        self.troubles.push(Trouble { text, unreachable });
    }

    fn worker(&mut self, who: &str, view: &View, now: Timestamp) {
        for held in std::iter::once(&view.shown).chain(&view.also) {
            let text = || format!("{who}: {}", state(held, now));
            match State::ALL.iter().find(|s| s.as_str() == held.state) {
                Some(State::Running) => {}
                Some(state) if state.is_alarming() => self.trouble(text(), false),
                Some(_) | None => self.notes.push(text()),
            }
        }
        let urgent = view.lanes.get(Lane::Urgent.as_str());
        let oldest = urgent.and_then(|urgent| urgent.oldest);
        let seconds = oldest.map_or(0, |at| now.duration_since(at).as_secs());
        if seconds > OLDEST_URGENT_SECONDS_MAX {
            let age = age(seconds);
            let text = format!("{who}: its oldest urgent event occurred {age} ago and is not done");
            self.trouble(text, false);
        }
    }

    fn queues(&mut self, rows: &[Row]) {
        let (mut missing, mut unconsumed) = (Vec::new(), Vec::new());
        for row in rows {
            let name = row.name.as_str();
            let Some(standing) = row.standing else {
                missing.push(name);
                continue;
            };
            let waiting = number(standing.messages.into());
            match (row.purpose, standing.consumers) {
                ("urgent" | "bulk" | "unhandled", 0) => {
                    unconsumed.push(format!("{name} ({waiting} wait)"));
                }
                ("dead", _) if standing.messages > 0 => self.notes.push(format!(
                    "{waiting} dead letters in {name}: sessions that were told to die and may live"
                )),
                _ => {}
            }
        }
        if !missing.is_empty() {
            let text = format!(
                "there is no {}; check REVOKER_PREFIX, REVOKER_RETRY_DELAYS and the vhost, or start a worker, which declares what is missing",
                missing.join(", no ")
            );
            self.trouble(text, false);
        }
        if !unconsumed.is_empty() {
            let text = format!(
                "nobody consumes {}; is a worker running, and not held up?",
                unconsumed.join(", ")
            );
            // That no worker answers says the same already.
            let known = self.troubles.iter().any(|trouble| trouble.unreachable);
            self.trouble(text, known);
        }
    }
}

/// `credentials for 1m 4s: why; next probe in 26s`.
fn state(held: &Held, now: Timestamp) -> String {
    let lasts = age(now.duration_since(held.since).as_secs());
    let probe = match held.next_probe {
        Some(at) if held.state == State::Draining.as_str() => {
            format!("; it ends in {} at the latest", age(seconds_until(at, now)))
        }
        Some(at) => format!("; next probe in {}", age(seconds_until(at, now))),
        None => String::new(),
    };
    let (state, reason) = (plain(&held.state), plain(&held.reason));
    format!("{state} for {lasts}: {reason}{probe}")
}

fn seconds_until(at: Timestamp, now: Timestamp) -> i64 {
    at.duration_since(now).as_secs().max(0)
}
