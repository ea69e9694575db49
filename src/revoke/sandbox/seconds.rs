//! What the limits did, second by second: from it follows which share of a limit was used.
//!
//! Pure: `now` comes in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::limit::Endpoint;

/// The last seconds of the wall clock that had calls, by seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Seconds(BTreeMap<i64, Second>);

/// What the limits did in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Second {
    /// `POST /v1/sessions/revoke`.
    pub revoke: Taken,
    /// `GET /v1/sessions`.
    pub list: Taken,
    /// `GET /v1/debug/whoami`.
    pub whoami: Taken,
    /// `POST /v1/users/search`.
    pub search: Taken,
}

/// Authenticated calls that met the limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Calls for which there was room.
    pub taken: u64,
    /// Calls answered 429 because there was none; a 429 by a fault of the plan is not one of them.
    pub refused: u64,
}

impl Seconds {
    /// Seconds that are kept, without those that had no calls.
    pub const MAX: usize = 600;

    /// Counts a call.
    pub fn count(&mut self, endpoint: Endpoint, taken: bool, now: Timestamp) {
        let at = now.as_second();
        if self.0.len() >= Self::MAX && !self.0.contains_key(&at) {
            self.0.pop_first();
        }
        let second = self.0.entry(at).or_default();
        let calls = match endpoint {
            Endpoint::Revoke => &mut second.revoke,
            Endpoint::List => &mut second.list,
            Endpoint::Whoami => &mut second.whoami,
            Endpoint::Search => &mut second.search,
        };
        *if taken {
            &mut calls.taken
        } else {
            &mut calls.refused
        } += 1;
    }

    /// The seconds, oldest first, each with the time at which it began, in seconds since 1970.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Second)> {
        self.0.iter().map(|(at, second)| (*at, second))
    }
}
