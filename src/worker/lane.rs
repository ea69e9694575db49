//! A lane at work for as long as a session lasts: taken in, resized, given back, taken in again.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Worker, ending::Ending};
use crate::{
    broker::{Open, Stay},
    event::{self, Lane, Message, Route},
    gate::{
        intake::{Change, Intake},
        trial::{self, Handling},
    },
    revoke::Api,
    settle::{Outbox, Receipt, code::Code},
};

/// How often a lane's intake is looked at.
const LOOK: Duration = Duration::from_millis(250);

impl<A: Api> Worker<A> {
    /// Gives every delivery of a lane a task of its own; the prefetch limits how many there are.
    pub async fn lane<O: Outbox, R: Receipt>(
        self: Arc<Self>,
        mut deliveries: impl Stream<Item = (Message, R)> + Unpin,
        outbox: Arc<O>,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) {
        while let Some((message, receipt)) = next(&mut deliveries, &stop).await {
            let (worker, outbox) = (Arc::clone(&self), Arc::clone(&outbox));
            let lane = message.lane;
            match trial::handling(&message, self.has_delays()) {
                Handling::Usual => {
                    let company = self.solitude.company(lane).await;
                    tasks.spawn(async move {
                        worker.process(message, receipt, outbox).await;
                        drop(company);
                    });
                }
                // Sent on, it would come back by the lane's own way.
                Handling::PutOnTrial if message.route == Route::Astray => {
                    let code = Code::Rejected(event::Code::LaneMismatch);
                    let ending = Ending::DeadLetter(code, None);
                    drop(tasks.spawn(async move {
                        worker.end_unread(message, receipt, &*outbox, ending).await;
                    }));
                }
                Handling::PutOnTrial => {
                    drop(tasks.spawn(worker.put_on_trial(message, receipt, outbox)))
                }
                Handling::Alone => drop(tasks.spawn(worker.try_alone(message, receipt, outbox))),
                Handling::GiveUp => drop(tasks.spawn(async move {
                    let ending = Ending::DeadLetter(Code::DeliveryLimit, None);
                    worker.end_unread(message, receipt, &*outbox, ending).await;
                })),
            }
        }
    }

    /// Keeps a lane of a session at work until it shall stop or the session ends.
    pub(super) async fn keep_lane(
        self: Arc<Self>,
        lane: Lane,
        mut open: Open,
        stay: Arc<Stay>,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) {
        let mut intake = self.gate.intake(lane);
        loop {
            self.metrics.inflight_limit(lane, intake.prefetch().into());
            if self.take_in(&mut intake, lane, open, &stop, &tasks).await == Taken::Ended {
                return;
            }
            tracing::warn!(
                lane = lane.as_str(),
                next = "take in again when calls may go",
                "lane given back: nothing can be sent"
            );
            while !self.gate.may_try(lane) || !self.orders.lets_go(lane) {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = stay.ended() => return,
                    () = sleep(LOOK) => {}
                }
            }
            open = match stay.open(lane, intake.prefetch()).await {
                Some(open) => open,
                None => return,
            };
            tracing::info!(lane = lane.as_str(), "lane taken in again");
        }
    }

    async fn take_in(
        self: &Arc<Self>,
        intake: &mut Intake,
        lane: Lane,
        open: Open,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Taken {
        let Open {
            deliveries,
            outbox,
            mut valve,
        } = open;
        let taking = Arc::clone(self).lane(deliveries, outbox, stop.clone(), tasks.clone());
        tokio::pin!(taking);
        loop {
            tokio::select! {
                () = &mut taking => return Taken::Ended,
                () = sleep(LOOK) => {}
            }
            let can_send = self.gate.can_send(lane) && self.orders.lets_go(lane);
            let rate = self.gate.rate();
            match intake.look(rate, can_send, self.gate.now()) {
                Change::Stay => {}
                Change::Resize(prefetch) => {
                    valve.resize(prefetch).await;
                    self.metrics.inflight_limit(lane, prefetch.into());
                }
                Change::Release => {
                    valve.release();
                    return Taken::Released;
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Taken {
    /// The lane shall stop, or the session is over.
    Ended,
    /// Everything was given back.
    Released,
}

/// The next delivery, unless there is none any more or it shall stop.
pub(super) async fn next<T>(
    deliveries: &mut (impl Stream<Item = T> + Unpin),
    stop: &CancellationToken,
) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        next = deliveries.next() => next,
    }
}
