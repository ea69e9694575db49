//! What several tests ask of a worker that was treated badly.

use lapin::types::{AMQPValue, FieldTable};

use super::{Event, PATIENCE, World, read::DeadLetter, wait, worker::Worker};

/// A header's value.
pub(crate) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

impl Event {
    /// With these headers.
    pub(crate) fn headers<N: Into<String>>(
        self,
        headers: impl IntoIterator<Item = (N, AMQPValue)>,
    ) -> Self {
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert(name.into().into(), value);
        }
        self.with(|properties| properties.with_headers(table))
    }
}

impl World {
    /// The dead letter of that publisher, once it is there.
    ///
    /// # Panics
    /// When there is more than one.
    pub(crate) async fn letter_of(&self, publisher: &str) -> DeadLetter {
        let mut letters = wait::value("a dead letter", PATIENCE, async || {
            let mut letters = self.broker.dead_letters().await;
            letters.retain(|letter| letter.routing_key == publisher);
            (!letters.is_empty()).then_some(letters)
        })
        .await;
        assert_eq!(letters.len(), 1, "{publisher}: {letters:?}");
        letters.remove(0)
    }

    /// Revokes one more session.
    pub(crate) async fn check_works(&self) {
        let id = self.sandbox.seed_sessions(1).await.remove(0);
        self.broker
            .publish_one(&Event::session(&id).by("good"))
            .await;
        wait::until("a good event is done", PATIENCE, async || {
            self.sandbox.sessions().await[&id].revoked_at_ms.is_some()
        })
        .await;
    }

    /// The worker still is in its first session with the broker, works, and ends well with nothing
    /// left in the queues.
    pub(crate) async fn check_unharmed(&self, worker: &mut Worker) {
        self.check_works().await;
        let metrics = worker.metrics().await;
        assert_eq!(metrics.sum("revoker_amqp_reconnects_total", &[]), 0.0);
        assert_eq!(metrics.sum("revoker_task_panics_total", &[]), 0.0);
        assert!(worker.terminate().await.0.success());
        assert_eq!(self.broker.queued().await, 0);
    }
}
