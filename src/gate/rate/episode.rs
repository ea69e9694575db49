//! One block after a 429: how often it was refused, since when, by whom, and what it cut.
//!
//! The first 429 opens an episode and cuts the rate; further ones only lengthen the hold; the first
//! accepted call of the newest epoch ends it.

use super::{Seconds, curve::Curve, suspicion::Suspicion};

/// A block longer than this is a quota's …
pub(super) const LONG: Seconds = 2.5;
/// … if calls were seen refused for so long: the holds double, so that the end of a window of a second
/// may be noticed much later.
const LONG_SEEN: Seconds = 1.3;
/// Shortest hold.
const HOLD_MIN: Seconds = 0.02;
/// Longest hold of our own.
const HOLD_MAX: Seconds = 5.0;
/// An exhausted quota opens again with the wall clock's minute; this much later for clocks that differ …
const EDGE_AFTER: Seconds = 0.05;
/// … and this much more, at random, so that replicas do not ask at once.
const EDGE_SPREAD: Seconds = 0.25;
/// A hold that ends so shortly before an edge waits for the edge.
const EDGE_NEAR: Seconds = 1.0;

/// Who opened the episode.
#[derive(Debug, Clone, Copy)]
struct Culprit {
    id: u64,
    /// Whether it was refused again.
    again: bool,
}

/// The present episode, or the last one.
#[derive(Debug)]
pub(super) struct Episode {
    /// Refusals that each began a hold; 0: it is over.
    pub(super) strikes: u32,
    pub(super) began: Seconds,
    /// When the newest call was sent that was refused and began a hold.
    shut_at: Seconds,
    culprit: Option<Culprit>,
    /// Whether another message than the culprit was refused too.
    others: bool,
    /// The curve before the cut, with its age then.
    before: (Curve, Seconds),
}

impl Episode {
    /// None yet.
    pub(super) fn none(curve: Curve) -> Self {
        Self {
            strikes: 0,
            began: 0.0,
            shut_at: 0.0,
            culprit: None,
            others: false,
            before: (curve, 0.0),
        }
    }

    /// Opens one.
    pub(super) fn open(&mut self, message: &Suspicion, curve: Curve, now: Seconds) {
        *self = Self {
            strikes: 0,
            began: now,
            shut_at: now,
            culprit: Some(Culprit {
                id: message.id,
                again: false,
            }),
            others: false,
            before: (curve, now - curve.begun),
        };
    }

    /// Ends it without a trace: nobody is its culprit any more.
    pub(super) fn forget(&mut self) {
        self.strikes = 0;
        self.culprit = None;
    }

    pub(super) fn is_open(&self) -> bool {
        self.strikes > 0
    }

    /// Whether this message opened it.
    pub(super) fn is_by(&self, message: &Suspicion) -> bool {
        self.culprit
            .is_some_and(|culprit| culprit.id == message.id && message.id != 0)
    }

    /// A message was refused: its culprit again, or another.
    pub(super) fn refused(&mut self, message: &Suspicion) {
        match &mut self.culprit {
            Some(culprit) if culprit.id == message.id => {
                culprit.again = message.is_suspect();
            }
            _ => self.others = true,
        }
    }

    /// Its culprit was answered.
    pub(super) fn cleared(&mut self, message: &Suspicion) {
        if let Some(culprit) = &mut self.culprit
            && culprit.id == message.id
        {
            culprit.again = false;
        }
    }

    /// A call that was sent at `sent_at` was refused and begins a hold.
    pub(super) fn shut(&mut self, sent_at: Seconds) {
        self.shut_at = self.shut_at.max(sent_at);
    }

    /// Whether the block that is over at `now` was a quota's.
    pub(super) fn was_long(&self, now: Seconds) -> bool {
        now - self.began > LONG && self.shut_at - self.began > LONG_SEEN
    }

    /// Whether its culprit was alone in it.
    pub(super) fn is_of_one(&self) -> bool {
        !self.others
    }

    /// Whether everything points at its culprit: refused twice in a row, and nobody else was.
    pub(super) fn is_of_suspect(&self) -> bool {
        !self.others && self.culprit.is_some_and(|culprit| culprit.again)
    }

    /// The culprit and the curve before the cut, as if no time had passed.
    pub(super) fn undone(&self, now: Seconds) -> Option<(u64, Curve)> {
        let (curve, age) = self.before;
        Some((self.culprit?.id, curve.resumed(age, now)))
    }

    /// How long all calls wait after a refusal. `spread` is in 0.8..1.2, `jitter` in 0..1.
    pub(super) fn hold(
        &self,
        rate: f64,
        retry_after: Option<Seconds>,
        spread: f64,
        jitter: f64,
    ) -> Seconds {
        let doublings = f64::from(self.strikes.saturating_sub(1).min(16));
        let hold = ((1.0 / rate).max(HOLD_MIN) * doublings.exp2()).min(HOLD_MAX) * spread;
        match retry_after {
            Some(wait) if wait > 1.0 => wait + jitter * (0.05 * wait).min(0.5),
            Some(wait) => hold.min(wait),
            None => hold,
        }
    }

    /// The same hold, moved to the end of the wall clock's minute if that is near and the block is long.
    pub(super) fn to_edge(
        &self,
        hold: Seconds,
        now: Seconds,
        second_of_minute: Seconds,
        jitter: f64,
    ) -> Seconds {
        let edge = 60.0 - second_of_minute;
        if now - self.began > LONG && edge <= hold + EDGE_NEAR {
            edge + EDGE_AFTER + jitter * EDGE_SPREAD
        } else {
            hold
        }
    }
}
