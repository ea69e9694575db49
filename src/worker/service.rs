//! The worker as a service: session after session, the canary, the states, and the drain.

use std::{
    convert::Infallible, future::pending, panic::AssertUnwindSafe, sync::Arc, time::Duration,
};

use futures_util::{FutureExt, Stream};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Worker, ending::Ending, job, lane};
use crate::{
    broker::{self, Broker, Open, Session, Stay, Trouble},
    event::Message,
    gate::{Canary, News, Reached, Way},
    revoke::{Api, Call, outcome::CallResult},
    settle::{Outbox, Receipt, code::Code},
    telemetry::{State, Why, sets::Breaker},
};

/// How the worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything in hand was settled or given back in time.
    Drained,
    /// The deadline passed with this many messages in hand: they come again.
    DeadlinePassed(usize),
}

impl<A: Api> Worker<A> {
    /// Works until `shutdown`, then drains for at most `drain`.
    ///
    /// # Errors
    /// When a setting or the broker's state makes the first session impossible.
    pub async fn serve(
        self: Arc<Self>,
        broker: Broker,
        shutdown: CancellationToken,
        drain: Duration,
    ) -> Result<End, broker::Error> {
        self.tend();
        let mut first = true;
        loop {
            let session = tokio::select! {
                session = broker.session(first, |lane| self.gate.intake(lane).prefetch()) => session?,
                () = shutdown.cancelled() => return Ok(End::Drained),
            };
            first = false;
            self.board.clear(State::Broker, (self.wall)());
            let Session {
                lanes,
                unhandled,
                stay,
            } = session;
            let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
            for (lane, open) in lanes {
                tasks.spawn(Arc::clone(&self).keep_lane(
                    lane,
                    open,
                    Arc::clone(&stay),
                    stop.clone(),
                    tasks.clone(),
                ));
            }
            let Open {
                deliveries, outbox, ..
            } = unhandled;
            tokio::spawn(Arc::clone(&self).follow(Arc::clone(&stay)));
            tokio::spawn(Arc::clone(&self).tell(Arc::clone(&outbox)));
            tasks.spawn(Arc::clone(&self).unhandled(deliveries, outbox, stop.clone()));
            tokio::select! {
                why = stay.ended() => {
                    self.lost(&why, "connect again");
                    // Tasks in hand end by themselves; their acks are dropped, their messages come again.
                    stay.close().await;
                    broker.reconnecting();
                }
                () = shutdown.cancelled() => {
                    let end = tokio::select! {
                        biased;
                        end = self.drain(&stop, &tasks, drain) => end,
                        // Told while it drains, too; what is in hand then ends by itself.
                        never = self.tell_loss(&stay) => match never {},
                    };
                    stay.close().await;
                    return Ok(end);
                }
            }
        }
    }

    fn lost(&self, why: &str, next: &str) {
        let now = (self.wall)();
        self.board
            .hold(Why::Broker(Trouble::SessionLost), None, now);
        tracing::warn!(next, "the session with the broker was lost: {why}");
    }

    /// Tells of the session's end, and never ends itself.
    async fn tell_loss(&self, stay: &Stay) -> Infallible {
        self.lost(&stay.ended().await, "end: what is in hand comes again");
        pending().await
    }

    /// Starts what runs beside the messages: the gate's timer, the canary, the states.
    pub fn tend(self: &Arc<Self>) {
        tokio::spawn(Arc::clone(&self.gate).run());
        tokio::spawn(Arc::clone(self).probe());
        tokio::spawn(Arc::clone(self).look());
    }

    /// Takes no more, sends away whoever waits, and gives the messages in hand at most `drain`.
    pub async fn drain(
        &self,
        stop: &CancellationToken,
        tasks: &TaskTracker,
        drain: Duration,
    ) -> End {
        let now = (self.wall)();
        self.board
            .hold(Why::AskedToStop, now.checked_add(drain).ok(), now);
        stop.cancel();
        self.gate.close();
        tasks.close();
        match timeout(drain, tasks.wait()).await {
            Ok(()) => End::Drained,
            Err(_) => End::DeadlinePassed(tasks.len()),
        }
    }

    /// Moves what the broker itself dead-lettered, unparsed and sealed, to our dead letters.
    pub async fn unhandled<O: Outbox, R: Receipt>(
        self: Arc<Self>,
        mut deliveries: impl Stream<Item = (Message, R)> + Unpin,
        outbox: Arc<O>,
        stop: CancellationToken,
    ) {
        while let Some((message, receipt)) = lane::next(&mut deliveries, &stop).await {
            let ending = Ending::DeadLetter(Code::Expired, None);
            self.end_unread(message, receipt, &*outbox, ending).await;
        }
    }

    /// Sends a canary whenever the gate wants one: to an API that seems out, with the secret read
    /// again before, or in place of messages that each may be at fault.
    async fn probe(self: Arc<Self>) {
        let mut told = None;
        loop {
            let canary = self.gate.canary_due().await;
            if canary == Canary::Life {
                self.metrics.breaker_to(Breaker::Probing);
            }
            // A pause without canaries would have no end: a panic is one that was not answered.
            let asking = AssertUnwindSafe(self.canary(canary, &mut told)).catch_unwind();
            let news = asking.await.unwrap_or_else(|_| {
                self.metrics.task_panic();
                News::Failed(Reached::Unknown)
            });
            if canary == Canary::Life {
                self.metrics.breaker_to(match news {
                    News::Answered | News::Unknown(_) | News::Limited(_) => Breaker::Flowing,
                    News::Failed(_) | News::Refused => Breaker::Paused,
                });
            }
            self.gate.canary_answered(canary, news);
        }
    }

    async fn canary(&self, canary: Canary, told: &mut Option<CallResult>) -> News {
        let (environment, id) = (self.expectations.environment, uuid::Uuid::new_v4());
        let call = match canary {
            Canary::StandIn(Way::List, _) => {
                Call::ListSessions(format!("user-{}-{id}", environment.as_str()))
            }
            Canary::StandIn(Way::Revoke, _) | Canary::Life => {
                Call::Canary(format!("session-{}-{id}", environment.as_str()))
            }
        };
        if canary == Canary::Life {
            self.api.reload_secret();
        }
        let reply = self.api.call(&call).await;
        self.record_canary(&call, &reply, told);
        job::news(&reply)
    }
}
