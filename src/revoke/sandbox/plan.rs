//! What the sandbox does beside answering well: a plan of faults and limits, as JSON and as flags give it.
//!
//! Data only; [`super::faults`] and [`super::limit`] act on it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    faults::{Fault, Odd},
    limit::{Limit, Limits, Period, Scope, Window},
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
}

/// Rate limits in a plan; both periods may hold at once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitForm {
    /// Calls in a second.
    pub per_second: Option<u32>,
    /// Calls in a minute.
    pub per_minute: Option<u32>,
    /// How calls are counted.
    pub window: Window,
    /// What has a limit of its own.
    pub per: Scope,
    /// What a token bucket saves up, in calls.
    pub burst: Option<u32>,
}

impl LimitForm {
    /// As the limiter takes it.
    ///
    /// # Errors
    /// When a number is 0.
    pub fn limits(&self) -> Result<Limits, PlanError> {
        let burst = self.burst.unwrap_or(Limits::BURST_DEFAULT);
        let given = [
            (self.per_second, Period::Second),
            (self.per_minute, Period::Minute),
        ];
        let limits: Vec<_> = given
            .into_iter()
            .filter_map(|(calls, period)| {
                Some(Limit {
                    calls: calls?,
                    period,
                })
            })
            .collect();
        if burst == 0 || limits.iter().any(|limit| limit.calls == 0) {
            return Err(PlanError::ZeroLimit);
        }
        Ok(Limits {
            limits,
            window: self.window,
            scope: self.per,
            burst,
        })
    }
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
}
