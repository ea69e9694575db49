//! `Retry-After` of a 429 (RFC 9110, section 10.2.3): seconds, or a date.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// What a 429 says of when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryAfter {
    /// In so many seconds.
    Seconds(u32),
    /// At the date in so many seconds.
    Date(u32),
}

impl RetryAfter {
    /// The header's value in an answer of `now`. A date knows no fractions of a second: it is rounded
    /// up, as who keeps to it shall not be early.
    pub(super) fn value(self, now: Timestamp) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(seconds) => {
                let up = i64::from(now.subsec_nanosecond() > 0) + i64::from(seconds);
                let at_s = u64::try_from(now.as_second() + up).unwrap_or_default();
                httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(at_s))
            }
        }
    }
}
