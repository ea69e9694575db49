//! What the sandbox does beside answering well: a plan of faults and limits, as JSON and as flags give it.
//!
//! Data only; [`super::faults`] and [`super::limit`] act on it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    faults::{Fault, Odd},
    limit::{Limit, Limits, Period, Scope, Window},
    retry_after::RetryAfter,
};

/// A fault for the requests that name one id.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "by_id takes a fault, or {\"fault\":FAULT,\"times\":N}; the fault may be misspelt"
)]
pub enum Targeted {
    /// Each of them.
    Always(Fault),
    /// The first so many; later ones are answered without a fault.
    First {
        /// The fault.
        fault: Fault,
        /// How many requests get it.
        times: u32,
    },
}

/// Every fault and limit of the sandbox; the body of `POST /sandbox/faults`, which replaces them all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Answers every request, before authentication and limits.
    pub answer_all: Option<Fault>,
    /// Shares of the requests, by fault: 0 to 1, together at most 1.
    pub rates: BTreeMap<String, f64>,
    /// By the session id, session token or user id the request itself names; goes before `rates`.
    pub by_id: BTreeMap<String, Targeted>,
    /// The rate limits.
    pub limit: LimitForm,
    /// `Retry-After` of every 429, in seconds; without it the header is not sent, as at Stytch.
    pub retry_after: Option<u32>,
    /// `retry_after` as the date in so many seconds.
    pub retry_after_date: bool,
}

impl Plan {
    /// What goes with a 429.
    ///
    /// # Errors
    /// When a date is asked for and no seconds are given.
    pub(super) fn retry_after(&self) -> Result<Option<RetryAfter>, PlanError> {
        match (self.retry_after, self.retry_after_date) {
            (Some(seconds), true) => Ok(Some(RetryAfter::Date(seconds))),
            (Some(seconds), false) => Ok(Some(RetryAfter::Seconds(seconds))),
            (None, true) => Err(PlanError::DateOfNothing),
            (None, false) => Ok(None),
        }
    }
}

/// Rate limits in a plan; all of them may hold at once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitForm {
    /// Calls in a second.
    pub per_second: Option<u32>,
    /// Calls in a minute.
    pub per_minute: Option<u32>,
    /// Calls in a second about one user, all endpoints together.
    pub user_per_second: Option<u32>,
    /// Calls in a minute about one user, all endpoints together.
    pub user_per_minute: Option<u32>,
    /// Searches of users in a minute, besides; Stytch documents 150.
    pub search_per_minute: Option<u32>,
    /// How calls are counted.
    pub window: Window,
    /// What has a limit of its own.
    pub per: Scope,
    /// What a token bucket saves up, in calls.
    pub burst: Option<u32>,
    /// Whether refused calls use the limits, too.
    pub count_refused: bool,
}

impl LimitForm {
    /// As the limiter takes it.
    ///
    /// # Errors
    /// When a number is 0, or too large for its window.
    pub fn limits(&self) -> Result<Limits, PlanError> {
        let burst = self.burst.unwrap_or(Limits::BURST_DEFAULT);
        let limits = both(self.per_second, self.per_minute);
        let user_limits = both(self.user_per_second, self.user_per_minute);
        let calls = limits.iter().chain(&user_limits).map(|limit| limit.calls);
        let search = self.search_per_minute;
        if calls.clone().chain([burst]).chain(search).min() == Some(0) {
            return Err(PlanError::ZeroLimit);
        }
        if self.window == Window::Sliding && calls.max() > Some(Limits::SLIDING_CALLS_MAX) {
            return Err(PlanError::LongLog);
        }
        Ok(Limits {
            limits,
            user_limits,
            search: search.map(|calls| Limit {
                calls,
                period: Period::Minute,
            }),
            window: self.window,
            scope: self.per,
            burst,
            count_refused: self.count_refused,
        })
    }
}

fn both(per_second: Option<u32>, per_minute: Option<u32>) -> Vec<Limit> {
    let given = [(per_second, Period::Second), (per_minute, Period::Minute)];
    let limit = |(calls, period)| Option::map(calls, |calls| Limit { calls, period });
    given.into_iter().filter_map(limit).collect()
}

/// Why a plan is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An unknown word.
    #[error(
        "unknown fault; give a status such as 500, an error_type of the API, or one of {}",
        Odd::words()
    )]
    UnknownFault,
    /// Not an error.
    #[error(
        "a fault's status is 400 to 599 and its error_type a word of [a-z0-9_], at most 64 long"
    )]
    BadError,
    /// A share outside of 0 to 1.
    #[error("a fault's share is FAULT=SHARE with a share from 0 to 1, such as 500=0.01")]
    BadShare,
    /// More than all requests.
    #[error("the shares of all faults add up to more than 1")]
    TooMuch,
    /// A limit of zero.
    #[error("a limit and a burst are at least 1")]
    ZeroLimit,
    /// A sliding window over too many calls.
    #[error(
        "a limit with a sliding window is at most {}, as each call is logged; take another window",
        Limits::SLIDING_CALLS_MAX
    )]
    LongLog,
    /// A date without the seconds to it.
    #[error("retry_after_date says how retry_after is written; give retry_after, in seconds, too")]
    DateOfNothing,
}
