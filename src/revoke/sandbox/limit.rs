//! How many calls the pretend API takes: fixed windows on the wall clock, or token buckets.
//!
//! Pure: `now` comes in. Stytch documents its windows as fixed ("not rolling, but top of the hour"),
//! several may hold at once, and they hold per endpoint; it documents no number. Another model of a
//! server is another variant of [`Window`] and of `Meter`.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

/// What may be limited on its own, and what statistics are kept of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /v1/sessions/revoke`.
    Revoke,
    /// `GET /v1/sessions`.
    List,
    /// `GET /v1/debug/whoami`.
    Whoami,
}

impl Endpoint {
    /// Every endpoint, in order of declaration.
    pub const ALL: [Self; 3] = [Self::Revoke, Self::List, Self::Whoami];
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
    const fn micros(self) -> i64 {
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
}

/// Every limit that holds; a call is taken only if all of them have room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The limits; none means no limit.
    pub limits: Vec<Limit>,
    /// How calls are counted.
    pub window: Window,
    /// What has a limit of its own.
    pub scope: Scope,
    /// Calls a token bucket saves up, at least 1; fixed windows know no burst.
    pub burst: u32,
}

impl Limits {
    /// What a token bucket saves up unless told otherwise, in calls.
    pub const BURST_DEFAULT: u32 = 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            limits: Vec::new(),
            window: Window::Fixed,
            scope: Scope::Endpoint,
            burst: Self::BURST_DEFAULT,
        }
    }
}

/// The state of the limits. A refused call is not counted against any of them.
#[derive(Debug)]
pub struct Limiter {
    limits: Limits,
    meters: [Vec<Meter>; Endpoint::ALL.len()],
}

impl Limiter {
    /// A limiter that has seen no call yet.
    pub fn new(limits: Limits) -> Self {
        let meters = std::array::from_fn(|_| {
            let meter = |limit: &Limit| Meter::new(*limit, limits.window, limits.burst);
            limits.limits.iter().map(meter).collect()
        });
        Self { limits, meters }
    }

    /// The limits it keeps.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes a call if every limit has room for it at `now`; false is an answer of 429.
    pub fn take(&mut self, endpoint: Endpoint, now: Timestamp) -> bool {
        let slot = match self.limits.scope {
            Scope::Endpoint => endpoint as usize,
            Scope::Project => 0,
        };
        let meters = &mut self.meters[slot];
        let now_us = now.as_microsecond();
        for meter in meters.iter_mut() {
            meter.advance(now_us);
        }
        let room = meters.iter().all(Meter::has_room);
        if room {
            meters.iter_mut().for_each(Meter::count);
        }
        room
    }
}

/// One limit's count.
#[derive(Debug)]
enum Meter {
    Fixed {
        limit: Limit,
        window: i64,
        used: u32,
    },
    Bucket {
        limit: Limit,
        burst: f64,
        tokens: f64,
        at_us: Option<i64>,
    },
}

impl Meter {
    fn new(limit: Limit, window: Window, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        match window {
            Window::Fixed => Self::Fixed {
                limit,
                window: i64::MIN,
                used: 0,
            },
            Window::Bucket => Self::Bucket {
                limit,
                burst,
                tokens: burst,
                at_us: None,
            },
        }
    }

    fn advance(&mut self, now_us: i64) {
        match self {
            Self::Fixed {
                limit,
                window,
                used,
            } => {
                let current = now_us.div_euclid(limit.period.micros());
                if current != *window {
                    (*window, *used) = (current, 0);
                }
            }
            Self::Bucket {
                limit,
                burst,
                tokens,
                at_us,
            } => {
                let elapsed_us = now_us.saturating_sub(at_us.unwrap_or(now_us)).max(0);
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a pause of centuries may lose a microsecond"
                )]
                let periods = elapsed_us as f64 / limit.period.micros() as f64;
                *tokens = burst.min(*tokens + periods * f64::from(limit.calls));
                *at_us = Some(now_us);
            }
        }
    }

    fn has_room(&self) -> bool {
        match self {
            Self::Fixed { limit, used, .. } => *used < limit.calls,
            // Ten steps of a tenth do not add up to one in binary.
            Self::Bucket { tokens, .. } => *tokens >= 1.0 - 1e-6,
        }
    }

    fn count(&mut self) {
        match self {
            Self::Fixed { used, .. } => *used += 1,
            Self::Bucket { tokens, .. } => *tokens = (*tokens - 1.0).max(0.0),
        }
    }
}
