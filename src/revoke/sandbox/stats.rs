//! What the sandbox counts: the answer of `GET /sandbox/stats`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{answer::Answer, limit::Endpoint, seconds::Seconds};

/// Counts since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Calls by endpoint.
    pub calls: Calls,
    /// Answers by HTTP status; what was never answered is counted in `faults` only.
    pub answers: BTreeMap<u16, u64>,
    /// Answers by `error_type`.
    pub errors: BTreeMap<String, u64>,
    /// Injected faults by their word; an injected error by its `error_type`.
    pub faults: BTreeMap<String, u64>,
    /// What became of the revoke calls that no limit and no fault stopped.
    pub revokes: Revokes,
    /// Sessions in memory.
    pub sessions: Sessions,
    /// The most calls in one second of the wall clock.
    pub per_second_max: PerSecond,
    /// What the limits did of late.
    pub seconds: Seconds,
    #[serde(skip)]
    second: (i64, PerSecond),
}

/// Calls by endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// `POST /v1/sessions/revoke`.
    pub revoke: u64,
    /// `GET /v1/sessions`.
    pub list: u64,
    /// `GET /v1/debug/whoami`.
    pub whoami: u64,
    /// `POST /v1/users/search`.
    pub search: u64,
    /// Every other route.
    pub other: u64,
}

/// Ends of revoke calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Revokes {
    /// Ended a live session: the number of revoked sessions, too.
    pub revoked: u64,
    /// Named a session that had ended before: duplicates.
    pub gone: u64,
    /// Named a session that never was, as canaries do.
    pub unknown: u64,
}

/// Sessions in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// Revoked ones included.
    pub total: u64,
    /// Not revoked.
    pub live: u64,
}

/// Calls in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PerSecond {
    /// All API calls.
    pub calls: u64,
    /// Those that passed authentication and the rate limits, whatever was answered then.
    pub taken: u64,
}

impl Stats {
    pub(super) fn called(&mut self, endpoint: Option<Endpoint>, now: Timestamp) {
        *match endpoint {
            Some(Endpoint::Revoke) => &mut self.calls.revoke,
            Some(Endpoint::List) => &mut self.calls.list,
            Some(Endpoint::Whoami) => &mut self.calls.whoami,
            Some(Endpoint::Search) => &mut self.calls.search,
            None => &mut self.calls.other,
        } += 1;
        if self.second.0 != now.as_second() {
            self.second = (now.as_second(), PerSecond::default());
        }
        self.second.1.calls += 1;
        self.per_second_max.calls = self.per_second_max.calls.max(self.second.1.calls);
    }

    /// What the limits did with a call; follows `called`, in the same instant.
    pub(super) fn limited(&mut self, endpoint: Endpoint, taken: bool, now: Timestamp) {
        self.seconds.count(endpoint, taken, now);
        if taken {
            self.second.1.taken += 1;
            self.per_second_max.taken = self.per_second_max.taken.max(self.second.1.taken);
        }
    }

    pub(super) fn answered(&mut self, answer: &Answer) {
        if let Some(fault) = &answer.fault {
            count(&mut self.faults, fault);
        }
        if answer.delivery.is_an_answer() {
            *self.answers.entry(answer.status).or_default() += 1;
            if let Some(error_type) = &answer.error_type {
                count(&mut self.errors, error_type);
            }
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, word: &str) {
    match counts.get_mut(word) {
        Some(count) => *count += 1,
        None => drop(counts.insert(word.to_owned(), 1)),
    }
}
