//! The recorder's methods for an event's way from its queue to its end.

use std::time::Duration;

use jiff::Timestamp;

use super::{Metrics, one_if, seconds};
use crate::{
    event::{self, Lane, REASONS},
    settle::{code::Code, outcome::Outcome},
    telemetry::sets::{Dedupe, DeliveryKind, RetryCause, Stage, Unmeasured},
};

/// An event's way.
impl Metrics {
    /// A message was taken from its queue.
    pub fn received(&self, lane: Lane, kind: DeliveryKind) {
        self.all.received.at2(lane as usize, kind as usize).inc();
    }

    /// An event was refused before any call.
    pub fn rejected(&self, lane: Lane, code: event::Code) {
        self.all.rejected.at2(lane as usize, code as usize).inc();
    }

    /// An event came to an end.
    pub fn completed(&self, lane: Lane, outcome: Outcome) {
        self.all
            .completed
            .at2(lane as usize, outcome as usize)
            .inc();
    }

    /// An event was published to a delay queue.
    pub fn deferred(&self, lane: Lane) {
        self.all.deferred.at(lane as usize).inc();
    }

    /// An event was given back to its queue.
    pub fn returned(&self, lane: Lane) {
        self.all.returned.at(lane as usize).inc();
    }

    /// An outcome stands only in the log.
    pub fn outcome_unrecorded(&self, lane: Lane) {
        self.all.unrecorded.at(lane as usize).inc();
    }

    /// An event's reason, in its publisher's word; unknown ones count as `other`.
    pub fn by_reason(&self, word: &str) {
        let known = REASONS.iter().position(|known| *known == word);
        let other = REASONS.len();
        self.all.by_reason.at(known.unwrap_or(other)).inc();
    }

    /// A revocation was confirmed this long after `occurred_at`.
    pub fn exposure(&self, lane: Lane, exposure: Duration) {
        self.all
            .exposure
            .at(lane as usize)
            .observe(exposure.as_secs_f64());
    }

    /// A revocation whose exposure says nothing about us.
    pub fn exposure_unmeasured(&self, lane: Lane, cause: Unmeasured) {
        self.all.unmeasured.at2(lane as usize, cause as usize).inc();
    }

    /// An event spent this long in one stage.
    pub fn stage(&self, stage: Stage, spent: Duration) {
        self.all
            .stage
            .at(stage as usize)
            .observe(spent.as_secs_f64());
    }

    /// `occurred_at` of the oldest event in hand, if there is one.
    pub fn oldest_unfinished(&self, lane: Lane, occurred_at: Option<Timestamp>) {
        let oldest = self.all.oldest.at(lane as usize);
        oldest.set(occurred_at.map_or(0.0, seconds));
    }

    /// When the last event was taken.
    pub fn last_received(&self, lane: Lane, at: Timestamp) {
        self.all.last_received.at(lane as usize).set(seconds(at));
    }

    /// When the last revocation was confirmed.
    pub fn last_revocation(&self, lane: Lane, at: Timestamp) {
        self.all.last_revocation.at(lane as usize).set(seconds(at));
    }

    /// Whether an operator holds the whole bulk lane.
    pub fn bulk_held(&self, held: bool) {
        self.all.bulk_held.only().set(one_if(held));
    }

    /// Adds `change` to the number of events in hand.
    pub fn inflight(&self, lane: Lane, change: i64) {
        self.all.inflight.at(lane as usize).add(change as f64);
    }

    /// How many events may be in hand.
    pub fn inflight_limit(&self, lane: Lane, limit: usize) {
        self.all.inflight_limit.at(lane as usize).set(limit as f64);
    }

    /// A call was saved.
    pub fn dedupe_hit(&self, kind: Dedupe) {
        self.all.dedupe.at(kind as usize).inc();
    }

    /// An event must wait for another try.
    pub fn retry(&self, lane: Lane, cause: RetryCause) {
        self.all.retries.at2(lane as usize, cause as usize).inc();
    }

    /// How many attempts an event had when it came to an end.
    pub fn attempts(&self, attempts: u32) {
        self.all.attempts.only().observe(f64::from(attempts));
    }

    /// An event was put into the dead-letter queue. `sealed`: it holds a credential of a session
    /// that was not revoked.
    pub fn dead_letter(&self, lane: Lane, code: Code, sealed: bool) {
        let known = |code| self.dead_letter_codes.iter().position(|one| *one == code);
        // A code that blames our credentials pauses the worker; on a dead letter it is our own bug.
        let index = known(code)
            .or_else(|| known(Code::InternalError))
            .expect("internal_error is a dead-letter code");
        self.all.dead_letters.at2(lane as usize, index).inc();
        if sealed {
            self.all.dead_letters_sealed.at(lane as usize).inc();
        }
    }
}
