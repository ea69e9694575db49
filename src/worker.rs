//! One message's life: decode, gate, call, classify, settle.
//!
//! Decides nothing itself: each stage is one line, then one match. A panic in one message
//! dead-letters that message and touches no other; its slot is freed by the permit it held.

mod backlog;
mod campaigns;
mod ending;
mod follow;
mod heard;
mod job;
mod lane;
mod life;
mod obey;
mod orders;
mod record;
mod service;
mod states;
mod strange;
mod taken;
mod tell;
mod trial;
mod turn;
mod watch;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::{
    broker::topology::Names,
    event::{Expectations, Message},
    failpoint::{self, Point},
    gate::{
        Gate, Permit, Place,
        flights::{Flight, Flights},
    },
    revoke::{Api, Call, Class, Reply, fanout::Step},
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
pub use heard::Heard;
use job::Job;
use life::{Life, Unread};
pub use orders::{Another, Obeyed};
pub use service::End;
pub use tell::Teller;
pub use trial::Solitude;
pub use turn::Shared;
use turn::Turn;
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
    /// Calls on the wire and revocations of late.
    pub flights: Flights<Shared>,
    /// What is in hand.
    pub backlog: Arc<Backlog>,
    /// How the API last failed or refused us.
    pub heard: Heard,
    /// Who is in hand alone.
    pub solitude: Solitude,
    /// What the operator has ordered.
    pub orders: Obeyed,
    /// Who tells of this worker among the outcomes.
    pub teller: Teller,
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
        failpoint::pass(Point::Received);
        let now = (self.wall)();
        let mut life = Life::new(message, self.gate.outages(), self.stay(), now);
        self.record_taken(&life, now);
        let living = AssertUnwindSafe(self.live(&mut life, &*outbox)).catch_unwind();
        let mut ending = living.await.unwrap_or_else(|_| self.panicked());
        if life.message.history.on_trial && ending == Ending::Return && self.has_delays() {
            // Given back, it would look as if it had ended this worker.
            ending = Ending::HeldTooLong;
        }
        self.end(&life, &ending, &*outbox, receipt).await;
    }

    /// Settles a message, and tells how that went.
    async fn end<O: Outbox, R: Receipt>(
        &self,
        life: &Life,
        ending: &Ending,
        outbox: &O,
        receipt: R,
    ) {
        let settling = Instant::now();
        let settled = self.settle(life, ending, outbox, receipt).await;
        self.record_settled(life, ending, settled, settling.elapsed());
    }

    /// How long a message may be in hand; `None` without a delay queue to put it into.
    fn stay(&self) -> Option<Duration> {
        self.has_delays().then(|| self.gate.hold_limit() / 2)
    }

    fn has_delays(&self) -> bool {
        !self.settings.retry_delays.is_empty()
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
        if self.is_covered(life, &event) {
            return Ending::Done(Outcome::Duplicate);
        }
        life.lane = self.gate.lane_of(life.lane, &life.message.publisher);
        let (key, mut place) = (life.session_key(), Place::New);
        loop {
            let call = match job.step() {
                Step::Call(call) => call,
                Step::Done => return Ending::Done(Outcome::AlreadyGone),
                Step::Remain => return self.sessions_remain(life),
            };
            let turn = match self.turn(life, &call, key, place, outbox).await {
                Ok(turn) => turn,
                Err(ending) => return ending,
            };
            if job::is_obsolete(&event, (self.wall)()) {
                return Ending::Done(Outcome::Obsolete);
            }
            let (cause, verdict) = match turn {
                Turn::Done(outcome) => return Ending::Done(outcome),
                Turn::Shared(shared) => (record::cause(&shared.class), self.share(life, shared)),
                Turn::Call(permit, flight) => {
                    let (reply, verdict) = self.call(life, &call, permit, flight).await;
                    let cause = record::cause(&reply.class);
                    if let Verdict::Done(_) = verdict {
                        if key.is_none() {
                            self.remember(life, &call, &reply);
                        }
                        if let Some(outcome) = job.answered(call.kind(), reply) {
                            job.tell(&mut life.facts);
                            self.remember_user(life, &event);
                            return Ending::Done(outcome);
                        }
                    }
                    (cause, verdict)
                }
            };
            match verdict {
                Verdict::Done(outcome) if key.is_some() => return Ending::Done(outcome),
                Verdict::Done(_) => {
                    job.tell(&mut life.facts);
                    place = Place::New;
                }
                Verdict::Again => place = Place::Front,
                Verdict::Hold(wait) => {
                    if let Err(ending) = self.hold(life, wait, cause, outbox).await {
                        return ending;
                    }
                    place = Place::Due;
                }
                verdict => match self.is_its_own(life, cause, outbox).await {
                    Ok(true) => return Ending::of(verdict, cause),
                    Ok(false) => place = Place::Front,
                    Err(ending) => return ending,
                },
            }
        }
    }

    fn sessions_remain(&self, life: &Life) -> Ending {
        let verdict = life.account.sessions_remain(&self.settings);
        Ending::of(verdict, RetryCause::UserSessionsRemain)
    }

    /// Whether the failure that used up an event's attempts is its own. The first failures of an outage
    /// look like the messages' own: none of them may leave for its last queue on that word alone.
    async fn is_its_own<O: Outbox>(
        &self,
        life: &Life,
        cause: RetryCause,
        outbox: &O,
    ) -> Result<bool, Ending> {
        if self.settings.count_every_failure || !cause.is_of_the_api() {
            return Ok(true);
        }
        tokio::select! {
            lives = self.gate.lives() => Ok(lives),
            () = outbox.down() => Err(Ending::Return),
            () = life.too_long() => Err(Ending::HeldTooLong),
        }
    }

    /// Sends one call, tells the gate how it went, and asks for the verdict.
    async fn call(
        &self,
        life: &mut Life,
        call: &Call,
        permit: Permit,
        flight: Option<Flight<'_, Shared>>,
    ) -> (Reply, Verdict) {
        failpoint::pass(Point::BeforeCall);
        let reply = self.api.call(call).await;
        failpoint::pass(Point::AfterCall);
        life.spent.api += reply.elapsed;
        life.facts.request_id.clone_from(&reply.request_id);
        life.facts.error_type.clone_from(&reply.error_type);
        let gate = self
            .gate
            .report(permit, life.news(&reply), &mut life.suspicion);
        let standing = Standing {
            own: gate.own,
            outages: gate.outages,
            aside: gate.aside,
            fault: gate.fault,
        };
        let jitter = fastrand::f64();
        if let Some(flight) = flight {
            let revoked_for = (reply.class == Class::Revoked).then(|| life.event_key());
            flight.land(revoked_for, || Shared::of(life, &reply, standing, jitter));
        }
        let verdict = life
            .account
            .judge(&reply.class, standing, &self.settings, jitter);
        life.facts.attempts = life.account.attempts;
        self.record_call(life, call, &reply, verdict, gate.hold);
        (reply, verdict)
    }

    /// Waits for its own next attempt, for as long as it may stay.
    async fn hold<O: Outbox>(
        &self,
        life: &mut Life,
        wait: Duration,
        cause: RetryCause,
        outbox: &O,
    ) -> Result<(), Ending> {
        self.metrics.retry(life.message.lane, cause);
        let since = Instant::now();
        let waited = tokio::select! {
            () = sleep(wait) => Ok(()),
            () = self.gate.closed() => Err(Ending::Return),
            () = outbox.down() => Err(Ending::Return),
            () = life.too_long() => Err(Ending::HeldTooLong),
        };
        life.spent.backoff += since.elapsed();
        waited
    }

    fn panicked(&self) -> Ending {
        self.metrics.task_panic();
        Ending::DeadLetter(Code::InternalError, None)
    }
}
