//! How many calls the pretend API takes: the words and numbers of its limits.
//!
//! Data only; [`Limiter`](super::limiter::Limiter) keeps them. Stytch documents its windows as fixed
//! ("not rolling, but top of the hour"), several may hold at once, and they hold per endpoint and
//! separately per user; it documents no number, but for the search of users. The other kinds are what it
//! might be in truth.

use std::{fmt, str::FromStr};

/// What may be limited on its own, and what statistics are kept of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /v1/sessions/revoke`.
    Revoke,
    /// `GET /v1/sessions`.
    List,
    /// `GET /v1/debug/whoami`.
    Whoami,
    /// `POST /v1/users/search`.
    Search,
}

impl Endpoint {
    /// Every endpoint, in order of declaration.
    pub const ALL: [Self; 4] = [Self::Revoke, Self::List, Self::Whoami, Self::Search];
}

/// The stretch of time a limit speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// One second.
    Second,
    /// One minute.
    Minute,
}

impl Period {
    /// Its length, in microseconds.
    pub(super) const fn micros(self) -> i64 {
        match self {
            Self::Second => 1_000_000,
            Self::Minute => 60_000_000,
        }
    }
}

/// So many calls in a period; written `100/s` or `6000/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls taken in one period, at least 1.
    pub calls: u32,
    /// The period.
    pub period: Period,
}

/// Not a limit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a limit; write 100/s or 6000/min, with at least one call")]
pub struct NotALimit;

impl FromStr for Limit {
    type Err = NotALimit;

    fn from_str(text: &str) -> Result<Self, NotALimit> {
        let (calls, period) = text.split_once('/').ok_or(NotALimit)?;
        let period = match period.trim() {
            "s" => Period::Second,
            "min" => Period::Minute,
            _ => return Err(NotALimit),
        };
        match calls.trim().parse() {
            Ok(calls) if calls > 0 => Ok(Self { calls, period }),
            _ => Err(NotALimit),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.period {
            Period::Second => "s",
            Period::Minute => "min",
        };
        write!(f, "{}/{period}", self.calls)
    }
}

/// How calls are counted against a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// Windows that begin on the full second or minute; what was not used is lost.
    #[default]
    Fixed,
    /// The calls of the last second or minute, whenever it began: a log of them is kept.
    Sliding,
    /// A token bucket: calls trickle in at the rate of the limit, `burst` of them may be saved up.
    Bucket,
}

/// What has a limit of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Each endpoint, as at Stytch.
    #[default]
    Endpoint,
    /// All endpoints together.
    Project,
    /// Each user, all endpoints together: the user listed, or the one whose session is revoked. A
    /// call about nobody known has no limit.
    User,
}

/// Every limit that holds; a call is taken only if all of them have room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The limits; none means no limit.
    pub limits: Vec<Limit>,
    /// Limits of each user besides, as [`Scope::User`] says.
    pub user_limits: Vec<Limit>,
    /// A limit of the search of users besides, in fixed windows.
    pub search: Option<Limit>,
    /// How calls are counted, whatever the limit.
    pub window: Window,
    /// What has a limit of its own.
    pub scope: Scope,
    /// Calls a token bucket saves up, at least 1; the other windows know no burst.
    pub burst: u32,
    /// Whether a refused call is counted against every limit, as if it had been taken: who does not
    /// slow down is let in no more. Otherwise it is counted against none.
    pub count_refused: bool,
}

impl Limits {
    /// What a token bucket saves up unless told otherwise, in calls.
    pub const BURST_DEFAULT: u32 = 10;
    /// The most calls in a limit whose window slides, because each of them is logged: 8 bytes.
    pub const SLIDING_CALLS_MAX: u32 = 100_000;

    /// The limits that hold for many users together.
    pub(super) fn shared(&self) -> impl Iterator<Item = &Limit> {
        let limits = self.limits.iter();
        limits.filter(|_| self.scope != Scope::User)
    }

    /// The limits that hold for each user.
    pub(super) fn of_a_user(&self) -> impl Iterator<Item = &Limit> {
        let limits = self.limits.iter();
        limits
            .filter(|_| self.scope == Scope::User)
            .chain(&self.user_limits)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            limits: Vec::new(),
            user_limits: Vec::new(),
            search: None,
            window: Window::Fixed,
            scope: Scope::Endpoint,
            burst: Self::BURST_DEFAULT,
            count_refused: false,
        }
    }
}
