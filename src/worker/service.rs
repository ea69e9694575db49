//! The worker as a service: session after session, the canary, the states, and the drain.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, Stream};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Worker, ending::Ending, job, lane};
use crate::{
    broker::{self, Broker, Open, Session},
    event::{Lane, Message},
    gate::{Canary, News, Reached, Way, breaker::Pause},
    revoke::{Api, Call},
    settle::{Outbox, Receipt, code::Code},
    telemetry::{sets::Breaker, state::State},
};

/// How often the states are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often the secret file is read again while Stytch refuses our credentials.
const SECRET_LOOK: Duration = Duration::from_secs(2);
/// How often a state that lasts is logged again.
const REMIND: Duration = Duration::from_secs(60);

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
            self.board.set(State::Broker, false, "", (self.wall)());
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
            tasks.spawn(Arc::clone(&self).unhandled(deliveries, outbox, stop.clone()));
            tokio::select! {
                why = stay.ended() => {
                    self.board.set(State::Broker, true, "the session with the broker was lost", (self.wall)());
                    tracing::warn!(next = "connect again", "the session with the broker was lost: {why}");
                    // Tasks in hand end by themselves; their acks are dropped, their messages come again.
                    stay.close().await;
                    broker.reconnecting();
                }
                () = shutdown.cancelled() => {
                    let end = self.drain(&stop, &tasks, drain).await;
                    stay.close().await;
                    return Ok(end);
                }
            }
        }
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
        self.board
            .set(State::Draining, true, "asked to stop", (self.wall)());
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
        loop {
            let canary = self.gate.canary_due().await;
            if canary == Canary::Life {
                self.metrics.breaker_to(Breaker::Probing);
            }
            // A pause without canaries would have no end: a panic is one that was not answered.
            let asking = AssertUnwindSafe(self.canary(canary)).catch_unwind();
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

    async fn canary(&self, canary: Canary) -> News {
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
        self.metrics
            .stytch_request(call.kind(), reply.class.result(), reply.elapsed);
        tracing::info!(
            result = reply.class.result().as_str(),
            http.status = reply.status,
            error_type = reply.error_type.as_deref(),
            request_id = reply.request_id.as_deref(),
            elapsed_ms = reply.elapsed.as_millis() as u64,
            "canary answered"
        );
        job::news(&reply)
    }

    /// Keeps the shown state and the gauges up to date.
    async fn look(self: Arc<Self>) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut secret_in, mut remind_in) = (SECRET_LOOK, REMIND);
        loop {
            tick.tick().await;
            let (now, view) = ((self.wall)(), self.gate.view());
            let outage = view.paused == Some(Pause::Outage);
            let (credentials, refused) = match view.paused {
                Some(Pause::Credentials) => {
                    (true, "Stytch refuses our credentials, project or base URL")
                }
                Some(Pause::Unknown) => (
                    true,
                    "Stytch refuses whatever is sent with an error_type that this version does not know",
                ),
                Some(Pause::Outage) | None => (false, ""),
            };
            self.board.set(
                State::Outage,
                outage,
                "Stytch does not answer the canary",
                now,
            );
            self.board
                .set(State::Credentials, credentials, refused, now);
            self.board.set(
                State::Throttled,
                view.limited_for.is_some(),
                "Stytch answers 429",
                now,
            );
            let [revokes, _] = view.rates;
            self.metrics.rate(revokes);
            self.board.set(
                State::Audit,
                self.audit.is_broken(),
                "outcomes cannot be recorded",
                now,
            );
            for lane in Lane::ALL {
                self.metrics
                    .oldest_unfinished(*lane, self.backlog.oldest(*lane));
            }
            secret_in = secret_in.saturating_sub(LOOK);
            if secret_in.is_zero() {
                secret_in = SECRET_LOOK;
                if credentials && self.api.reload_secret() {
                    tracing::info!(next = "probe at once", "the API secret has changed");
                    self.gate.probe_now();
                }
            }
            remind_in = remind_in.saturating_sub(LOOK);
            if remind_in.is_zero() {
                remind_in = REMIND;
                self.board.remind(now);
            }
        }
    }
}
