//! One message's life: decode, gate, call, classify, settle.
//!
//! Decides nothing itself: each stage is one line, then one match. A panic in one message
//! dead-letters that message and touches no other; its slot is freed by the permit it held.

mod backlog;
mod ending;
mod job;
mod life;
mod record;
mod service;
mod watch;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::{
    broker::topology::Names,
    event::{Expectations, Message},
    gate::{Gate, Permit},
    revoke::{Api, Call, Reply, fanout::Step},
    settle::{
        self, Outbox, Receipt,
        code::Code,
        outcome::Outcome,
        perform::Audit,
        seal::KeyRing,
        verdict::{Standing, Verdict},
    },
    telemetry::{Metrics, StateBoard, sets::RetryCause},
};
pub use backlog::Backlog;
use ending::Ending;
use job::Job;
use life::{Life, Unread};
pub use service::End;
pub use watch::watch;

/// Everything a message needs on its way.
pub struct Worker<A> {
    /// Stytch.
    pub api: A,
    /// Where calls wait for their turn.
    pub gate: Arc<Gate>,
    /// Attempts, delays, outcomes.
    pub settings: settle::Settings,
    /// Our project and how strict we are about ids.
    pub expectations: Expectations,
    /// The key ring for bodies that may hold a credential.
    pub ring: Arc<KeyRing>,
    /// The names of our queues.
    pub names: Names,
    /// Whether outcomes can be recorded.
    pub audit: Audit,
    /// Numbers.
    pub metrics: Arc<Metrics>,
    /// The state that is shown.
    pub board: Arc<StateBoard>,
    /// What is in hand.
    pub backlog: Backlog,
    /// Wall-clock time; the only part of the clock that tests replace, tokio's can be paused.
    pub wall: fn() -> Timestamp,
}

impl<A: Api> Worker<A> {
    /// Takes one message from its delivery to its end.
    pub async fn process<O: Outbox, R: Receipt>(
        self: Arc<Self>,
        message: Message,
        receipt: R,
        outbox: Arc<O>,
    ) {
        let now = (self.wall)();
        let mut life = Life::new(message, self.gate.outages(), now);
        self.record_taken(&life, now);
        let living = AssertUnwindSafe(self.live(&mut life, &*outbox)).catch_unwind();
        let ending = living.await.unwrap_or_else(|_| self.panicked());
        let settling = Instant::now();
        let settled = self.settle(&life, &ending, &*outbox, receipt).await;
        self.record_settled(&life, &ending, settled, settling.elapsed());
    }

    /// Dead-letters a message without reading it.
    async fn give_up<O: Outbox, R: Receipt>(
        &self,
        message: Message,
        receipt: R,
        outbox: &O,
        code: Code,
    ) {
        let now = (self.wall)();
        let life = Life::new(message, self.gate.outages(), now);
        self.record_taken(&life, now);
        let ending = Ending::DeadLetter(code, None);
        let settling = Instant::now();
        let settled = self.settle(&life, &ending, outbox, receipt).await;
        self.record_settled(&life, &ending, settled, settling.elapsed());
    }

    async fn live<O: Outbox>(&self, life: &mut Life, outbox: &O) -> Ending {
        let event = match life.read(self, (self.wall)()) {
            Ok(event) => event,
            Err(Unread::Dead(code, text)) => return Ending::DeadLetter(code, Some(text)),
            Err(Unread::Newer) => return Ending::ForNewer,
        };
        self.record_read(life, &event);
        let mut job = match Job::of(&event, (self.wall)()) {
            Ok(job) => job,
            Err(outcome) => return Ending::Done(outcome),
        };
        let mut again = false;
        loop {
            let call = match job.step() {
                Step::Call(call) => call,
                Step::Done => return Ending::Done(Outcome::AlreadyGone),
                Step::Remain => {
                    let verdict = life.account.sessions_remain(&self.settings);
                    return Ending::of(verdict, RetryCause::UserSessionsRemain);
                }
            };
            let Some(permit) = self.turn(life, &call, again, outbox).await else {
                return Ending::Return;
            };
            if job::is_obsolete(&event, (self.wall)()) {
                return Ending::Done(Outcome::Obsolete);
            }
            let (reply, verdict) = self.call(life, &call, permit).await;
            let cause = record::cause(&reply.class);
            again = false;
            match verdict {
                Verdict::Done(_) => {
                    let outcome = job.answered(call.kind(), reply);
                    job.tell(&mut life.facts);
                    if let Some(outcome) = outcome {
                        return Ending::Done(outcome);
                    }
                }
                Verdict::Again => again = true,
                Verdict::Hold(wait) => {
                    if !self.hold(life, wait, cause, outbox).await {
                        return Ending::Return;
                    }
                }
                verdict => return Ending::of(verdict, cause),
            }
        }
    }

    /// Waits for its turn; `None` if the worker shuts down or the delivery is no longer ours.
    async fn turn<O: Outbox>(
        &self,
        life: &mut Life,
        call: &Call,
        again: bool,
        outbox: &O,
    ) -> Option<Permit> {
        let since = Instant::now();
        let permit = tokio::select! {
            biased;
            permit = self.gate.enter(life.message.lane, job::way(call), again) => permit.ok(),
            () = outbox.down() => None,
        };
        life.spent.gate += since.elapsed();
        permit
    }

    /// Sends one call, tells the gate how it went, and asks for the verdict.
    async fn call(&self, life: &mut Life, call: &Call, permit: Permit) -> (Reply, Verdict) {
        let reply = self.api.call(call).await;
        life.spent.api += reply.elapsed;
        life.facts.request_id.clone_from(&reply.request_id);
        life.facts.error_type.clone_from(&reply.error_type);
        let gate = self.gate.report(permit, job::news(&reply), fastrand::f64());
        let standing = Standing {
            counts: gate.counts,
            outages: gate.outages,
        };
        let verdict = life
            .account
            .judge(&reply.class, standing, &self.settings, fastrand::f64());
        life.facts.attempts = life.account.attempts;
        self.record_call(life, call, &reply, verdict, gate.hold);
        (reply, verdict)
    }

    /// Waits for its own next attempt; false if the worker shuts down or the delivery is no longer ours.
    async fn hold<O: Outbox>(
        &self,
        life: &mut Life,
        wait: Duration,
        cause: RetryCause,
        outbox: &O,
    ) -> bool {
        self.metrics.retry(life.message.lane, cause);
        let since = Instant::now();
        let waited = tokio::select! {
            () = sleep(wait) => true,
            () = self.gate.closed() => false,
            () = outbox.down() => false,
        };
        life.spent.backoff += since.elapsed();
        waited
    }

    fn panicked(&self) -> Ending {
        self.metrics.task_panic();
        Ending::DeadLetter(Code::InternalError, None)
    }
}
