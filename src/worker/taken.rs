//! What the worker tells of a message when it comes, by numbers and log lines; how it goes on and ends: `record`.

use std::sync::Once;

use jiff::Timestamp;

use super::{Worker, backlog, life::Life, record::positive};
use crate::{
    event::{Event, Lane, Route},
    telemetry::sets::{DeliveryKind, Stage, Unmeasured},
};

/// That events come past their exchange is told once in a process's life: they may be many, and are done.
static PAST_TOLD: Once = Once::new();

impl<A> Worker<A> {
    pub(super) fn record_taken(&self, life: &Life, now: Timestamp) {
        let message = &life.message;
        let kind = match (message.history.returned, message.redelivered) {
            (true, _) => DeliveryKind::Retry,
            (false, true) => DeliveryKind::Redelivered,
            (false, false) => DeliveryKind::First,
        };
        self.metrics.received(message.lane, kind);
        self.metrics.inflight(message.lane, 1);
        self.metrics.last_received(message.lane, now);
        if message.route == Route::Past {
            PAST_TOLD.call_once(|| {
                tracing::warn!(
                    lane = message.lane.as_str(),
                    publisher = %message.publisher,
                    next = "done all the same, now and later; let whoever publishes use the exchange of the lane, with a name of its own as the routing key",
                    "an event came past the exchange of its lane, so that nobody knows whose it is"
                );
            });
        }
    }

    pub(super) fn record_read(&self, life: &mut Life, event: &Event) {
        let now = (self.wall)();
        let first = !life.message.history.returned;
        let age = now.duration_since(event.occurred_at);
        if first {
            self.metrics.by_reason(&event.reason);
            self.metrics.stage(Stage::Queue, positive(age));
        }
        life.unmeasured = self.unmeasured(life, event);
        if event.unknown_id_format {
            tracing::warn!(
                event.id = %event.id,
                trace_id = life.facts.trace_id(),
                publisher = %life.message.publisher,
                next = "sent all the same",
                "the target's id has a format this worker does not know"
            );
        }
        if life.message.lane == Lane::Bulk && event.campaign_id.is_some() {
            self.teller.handles_campaign();
        }
        if let Some(key) = backlog::key(life) {
            self.backlog.add(life.message.lane, key);
        }
    }

    /// Why the event's age says nothing about us, if so.
    fn unmeasured(&self, life: &Life, event: &Event) -> Option<Unmeasured> {
        let message = &life.message;
        let fresh = !message.history.returned && !message.redelivered;
        match () {
            () if message.history.replays > 0 => Some(Unmeasured::Replay),
            () if event.occurred_in_future => Some(Unmeasured::Future),
            () if fresh && self.backlog.is_backdated(message.lane, event.occurred_at) => {
                Some(Unmeasured::Backdated)
            }
            () => None,
        }
    }
}
