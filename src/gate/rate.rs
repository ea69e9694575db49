//! How fast calls of one kind may go: a fixed ceiling, and one shared backoff when Stytch says 429.
//!
//! Pure: `now` is the time since the gate was made, the jitter comes in. A 429 is not a failure of
//! a message, it is news about the rate that all messages share: so it holds *all* calls of this
//! kind, exponentially while it repeats, and after the hold one call alone finds out whether the
//! way is free. Answers of calls that were sent before the hold say nothing new and are ignored.

use std::time::Duration;

/// First hold after a 429 without `Retry-After`; doubles with each further 429.
pub const HOLD_FIRST: Duration = Duration::from_millis(250);
/// Longest hold of our own.
pub const HOLD_MAX: Duration = Duration::from_secs(5);
/// Longest `Retry-After` that is believed: past it one call asks again.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// How far the pace may lag and be caught up in a burst: timers have a grain of a millisecond.
const LAG_MAX: Duration = Duration::from_millis(50);

/// May a call go?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Now.
    Now,
    /// Not before this time.
    At(Duration),
    /// Not before a call that is on the wire has been answered.
    AfterAnswer,
}

/// What a call carries, to be handed back with its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    epoch: u64,
    probe: bool,
}

/// The pace of one kind of call.
#[derive(Debug)]
pub struct Pacer {
    interval: Option<Duration>,
    next_at: Duration,
    hold_until: Duration,
    limited_in_row: u32,
    epoch: u64,
    probe_on_wire: bool,
}

impl Pacer {
    /// A pacer with a ceiling in calls a second, or none.
    pub fn new(rate_max: Option<f64>) -> Self {
        Self {
            interval: rate_max.map(|rate| Duration::from_secs_f64(1.0 / rate)),
            next_at: Duration::ZERO,
            hold_until: Duration::ZERO,
            limited_in_row: 0,
            epoch: 0,
            probe_on_wire: false,
        }
    }

    /// May a call go at `now`?
    pub fn ready(&self, now: Duration) -> Ready {
        if self.probe_on_wire {
            return Ready::AfterAnswer;
        }
        let at = if self.interval.is_some() {
            self.next_at.max(self.hold_until)
        } else {
            self.hold_until
        };
        if at <= now { Ready::Now } else { Ready::At(at) }
    }

    /// A call is sent at `now`.
    pub fn sent(&mut self, now: Duration) -> Ticket {
        if let Some(interval) = self.interval {
            self.next_at = self.next_at.max(now.saturating_sub(LAG_MAX)) + interval;
        }
        let probe = self.limited_in_row > 0;
        self.probe_on_wire |= probe;
        Ticket {
            epoch: self.epoch,
            probe,
        }
    }

    /// The call was answered other than by a 429.
    pub fn accepted(&mut self, ticket: Ticket) {
        self.ended(ticket);
        if ticket.epoch == self.epoch {
            self.limited_in_row = 0;
        }
    }

    /// The call ended without news about the rate.
    pub fn ended(&mut self, ticket: Ticket) {
        if ticket.probe {
            self.probe_on_wire = false;
        }
    }

    /// The call was answered 429. `jitter` is in 0..1. Returns the hold that follows, or `None` if
    /// the call was sent before the last hold and so is no news.
    pub fn limited(
        &mut self,
        ticket: Ticket,
        now: Duration,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        self.ended(ticket);
        if ticket.epoch != self.epoch {
            return None;
        }
        self.epoch += 1;
        self.limited_in_row = self.limited_in_row.saturating_add(1);
        let step = HOLD_FIRST
            .saturating_mul(1 << (self.limited_in_row - 1).min(16))
            .min(HOLD_MAX);
        let hold = retry_after.map_or(step.mul_f64(jitter), |wait| wait.min(RETRY_AFTER_MAX));
        self.hold_until = now + hold;
        Some(hold)
    }

    /// How often in a row Stytch answered 429, each after a hold; 0 when the way is free.
    pub fn limited_in_row(&self) -> u32 {
        self.limited_in_row
    }
}
