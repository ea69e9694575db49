//! One limit's count: a fixed window on the wall clock, a log of the last period, or a token bucket.
//!
//! Pure: `now` comes in, as microseconds. Another model of a server is another variant of
//! [`Window`] and of `Count`.

use std::collections::VecDeque;

use super::limit::{Limit, Window};

/// How much of one limit is used.
#[derive(Debug)]
pub(super) struct Meter {
    limit: Limit,
    count: Count,
}

#[derive(Debug)]
enum Count {
    /// Calls since the last full second or minute.
    Fixed { window: i64, used: u32 },
    /// When the calls of the last period were made, oldest first; never more than the limit.
    Sliding { log_us: VecDeque<i64> },
    /// Calls that may be made at once.
    Bucket {
        burst: f64,
        tokens: f64,
        at_us: Option<i64>,
    },
}

impl Meter {
    /// A meter that has counted nothing.
    pub(super) fn new(limit: Limit, window: Window, burst: u32) -> Self {
        let count = match window {
            Window::Fixed => Count::Fixed {
                window: i64::MIN,
                used: 0,
            },
            Window::Sliding => Count::Sliding {
                log_us: VecDeque::new(),
            },
            Window::Bucket => {
                let burst = f64::from(burst.max(1));
                Count::Bucket {
                    burst,
                    tokens: burst,
                    at_us: None,
                }
            }
        };
        Self { limit, count }
    }

    /// Lets time pass; goes before every other call. A clock set back blocks nothing for longer than
    /// a period.
    pub(super) fn advance(&mut self, now_us: i64) {
        let period_us = self.limit.period.micros();
        match &mut self.count {
            Count::Fixed { window, used } => {
                let current = now_us.div_euclid(period_us);
                if current != *window {
                    (*window, *used) = (current, 0);
                }
            }
            Count::Sliding { log_us } => {
                // Since a clock was set back these lie in the future; they count as made now.
                for call_us in log_us.iter_mut().rev().take_while(|us| **us > now_us) {
                    *call_us = now_us;
                }
                while log_us
                    .front()
                    .is_some_and(|us| now_us.saturating_sub(*us) >= period_us)
                {
                    log_us.pop_front();
                }
            }
            Count::Bucket {
                burst,
                tokens,
                at_us,
            } => {
                let elapsed_us = now_us.saturating_sub(at_us.unwrap_or(now_us)).max(0);
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a pause of centuries may lose a microsecond"
                )]
                let periods = elapsed_us as f64 / period_us as f64;
                *tokens = burst.min(*tokens + periods * f64::from(self.limit.calls));
                *at_us = Some(now_us);
            }
        }
    }

    /// Whether a call fits in.
    pub(super) fn has_room(&self) -> bool {
        match &self.count {
            Count::Fixed { used, .. } => *used < self.limit.calls,
            Count::Sliding { log_us } => log_us.len() < self.limit.calls as usize,
            // Ten steps of a tenth do not add up to one in binary.
            Count::Bucket { tokens, .. } => *tokens >= 1.0 - 1e-6,
        }
    }

    /// Counts a call, whether or not it fits in.
    pub(super) fn count(&mut self, now_us: i64) {
        match &mut self.count {
            Count::Fixed { used, .. } => *used = used.saturating_add(1),
            Count::Sliding { log_us } => {
                // Only the newest calls decide when there is room again.
                if log_us.len() >= self.limit.calls as usize {
                    log_us.pop_front();
                }
                log_us.push_back(now_us);
            }
            Count::Bucket { tokens, .. } => *tokens = (*tokens - 1.0).max(0.0),
        }
    }

    /// How many calls it has logged.
    pub(super) fn logged(&self) -> usize {
        match &self.count {
            Count::Sliding { log_us } => log_us.len(),
            Count::Fixed { .. } | Count::Bucket { .. } => 0,
        }
    }

    /// Whether it is as good as new.
    pub(super) fn is_idle(&self) -> bool {
        match &self.count {
            Count::Fixed { used, .. } => *used == 0,
            Count::Sliding { log_us } => log_us.is_empty(),
            Count::Bucket { burst, tokens, .. } => tokens >= burst,
        }
    }
}
