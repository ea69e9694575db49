//! How much a lane takes in, and when it takes in nothing.
//!
//! Pure. What is in hand and cannot be sent is withheld from other workers, and the broker closes the
//! channel of whoever holds a delivery for too long (its `consumer_timeout`, half an hour by default).
//! So bulk takes no more than a little work ahead, and a lane that cannot send at all gives everything
//! back and waits without it.

use std::time::Duration;

use crate::event::Lane;

/// Bulk takes in what it can send in this time.
const AHEAD: Duration = Duration::from_secs(2);
/// Deliveries in hand, at least: a retry in memory must not stop a slow lane.
pub const PREFETCH_MIN: u16 = 8;
/// A lane gives back what it cannot send for this part of the hold limit.
const RELEASE_PART: u32 = 10;

/// What to do about a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Stay,
    /// Take in so many from now on.
    Resize(u16),
    /// Give everything back, and take in nothing until calls may go again.
    Release,
}

/// The intake of one lane.
#[derive(Debug)]
pub struct Intake {
    lane: Lane,
    prefetch: u16,
    prefetch_max: u16,
    release_after: Duration,
    /// Since when the lane cannot send.
    stuck_since: Option<Duration>,
}

impl Intake {
    /// The intake of a lane while so many calls a second may go, with so many slots, where a
    /// delivery may be held for so long.
    pub fn new(lane: Lane, rate: f64, slots: usize, hold_limit: Duration) -> Self {
        // Twice the slots: what waits for its next attempt must not keep the slots empty.
        let prefetch_max = u16::try_from(slots * 2).unwrap_or(u16::MAX);
        let mut intake = Self {
            lane,
            prefetch: prefetch_max,
            prefetch_max,
            release_after: hold_limit / RELEASE_PART,
            stuck_since: None,
        };
        intake.prefetch = intake.wanted(rate);
        intake
    }

    /// How many deliveries may be in hand.
    pub fn prefetch(&self) -> u16 {
        self.prefetch
    }

    /// Looks at how fast calls may go (a second), and whether any of this lane may go at all.
    pub fn look(&mut self, rate: f64, can_send: bool, now: Duration) -> Change {
        if !can_send {
            let since = *self.stuck_since.get_or_insert(now);
            if now.saturating_sub(since) < self.release_after {
                return Change::Stay;
            }
            // Taken in again, it has all that time anew.
            self.stuck_since = None;
            return Change::Release;
        }
        self.stuck_since = None;
        let wanted = self.wanted(rate);
        // A change costs a new consumer: only a large one is worth it, or the last step to the limit.
        let large = wanted >= self.prefetch.saturating_mul(2) || wanted <= self.prefetch / 2;
        if wanted != self.prefetch && (large || wanted == self.prefetch_max) {
            self.prefetch = wanted;
            return Change::Resize(wanted);
        }
        Change::Stay
    }

    fn wanted(&self, rate: f64) -> u16 {
        match self.lane {
            // Urgent events are few, and each may be the one that somebody waits for.
            Lane::Urgent => self.prefetch_max,
            Lane::Bulk => {
                let ahead = (rate * AHEAD.as_secs_f64()).clamp(0.0, self.prefetch_max.into());
                (ahead as u16).clamp(PREFETCH_MIN.min(self.prefetch_max), self.prefetch_max)
            }
        }
    }
}
