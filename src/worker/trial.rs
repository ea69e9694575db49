//! Messages that may end the workers: handled alone, in whatever order, and given up in the end.
//!
//! Decides nothing: that is `gate::trial`.

use std::sync::Arc;

use tokio::{
    sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock},
    time::{sleep, timeout},
};

use super::{Worker, ending::Ending, life::Life};
use crate::{
    event::{Lane, Message, trace},
    gate::trial::{BEGINS_WITHIN, COMPANY_MAX},
    revoke::Api,
    settle::{Outbox, Receipt},
};

/// Who is in hand beside others, and who is alone, by lane.
#[derive(Debug, Default)]
pub struct Solitude {
    by_lane: [Arc<RwLock<()>>; Lane::ALL.len()],
}

/// Kept for as long as a message is in hand beside others.
pub(super) type Company = OwnedRwLockReadGuard<()>;

impl Solitude {
    /// Waits while another is alone, or waits to be.
    pub(super) async fn company(&self, lane: Lane) -> Company {
        Arc::clone(&self.by_lane[lane as usize]).read_owned().await
    }

    /// Waits until no other is in hand. The lock is fair: nobody comes in meanwhile.
    async fn alone(&self, lane: Lane) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.by_lane[lane as usize]).write_owned().await
    }
}

impl<A: Api> Worker<A> {
    /// Marks a message that was given out too often, and lets it come back.
    pub(super) async fn put_on_trial<O: Outbox, R: Receipt>(
        self: Arc<Self>,
        mut message: Message,
        receipt: R,
        outbox: Arc<O>,
    ) {
        tracing::warn!(
            lane = message.lane.as_str(),
            publisher = %message.publisher,
            delivery_count = message.delivery_count,
            body_bytes = message.body.len(),
            next = "it comes back from the delay queue and is then handled alone",
            "a message was given out again and again without an end: it may end the workers"
        );
        message.history.on_trial = true;
        self.end_unread(message, receipt, &*outbox, Ending::OnTrial)
            .await;
    }

    /// Handles a message on trial with no other of its lane in hand, or sends it back.
    pub(super) async fn try_alone<O: Outbox, R: Receipt>(
        self: Arc<Self>,
        message: Message,
        receipt: R,
        outbox: Arc<O>,
    ) {
        let lane = message.lane;
        let others_first = async {
            sleep(BEGINS_WITHIN.mul_f64(fastrand::f64())).await;
            timeout(COMPANY_MAX, self.solitude.alone(lane)).await.ok()
        };
        let alone = tokio::select! {
            alone = others_first => alone,
            () = self.gate.closed() => None,
            () = outbox.down() => None,
        };
        if self.has_delays() && (alone.is_none() || !self.gate.can_send(lane)) {
            return self
                .end_unread(message, receipt, &*outbox, Ending::OnTrial)
                .await;
        }
        // Written before anything is read of it: if it ends this worker, this says which one it was.
        tracing::warn!(
            lane = lane.as_str(),
            publisher = %message.publisher,
            event.id = message.history.event_id.as_deref(),
            trace_id = trace::traceparent(&message.properties).as_deref().and_then(trace::trace_id),
            failed_trials = message.delivery_count,
            body_bytes = message.body.len(),
            "a message that may end the workers is handled alone"
        );
        self.process(message, receipt, outbox).await;
    }

    /// Ends a message without reading it: what may hold a credential is sealed.
    pub(super) async fn end_unread<O: Outbox, R: Receipt>(
        &self,
        message: Message,
        receipt: R,
        outbox: &O,
        ending: Ending,
    ) {
        let now = (self.wall)();
        let life = Life::unread(message, self.gate.outages(), now);
        self.record_taken(&life, now);
        self.end(&life, &ending, outbox, receipt).await;
    }
}
