//! Before a call: its turn at the gate, or the end of the same call that another event makes.

use tokio::{sync::oneshot, time::Instant};

use super::{
    Worker,
    ending::Ending,
    job,
    life::{Life, SESSION},
};
use crate::{
    event::{Event, Request, Target},
    gate::{
        Permit, Place, Suspicion,
        dedupe::Key,
        flights::{Flight, Found},
    },
    revoke::{Call, Class, Reply},
    settle::{
        Outbox,
        outcome::Outcome,
        verdict::{Standing, Verdict},
    },
    telemetry::sets::Dedupe,
};

/// How one call ended, for all events that wanted it. Each judges it by its own account: shared to the
/// end, a predecessor on its last attempt would take a fresh event with it.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The event that made the call.
    pub(super) event: Key,
    pub(super) class: Class,
    pub(super) standing: Standing,
    pub(super) suspicion: Suspicion,
    pub(super) jitter: f64,
    pub(super) request_id: Option<String>,
    pub(super) error_type: Option<String>,
}

impl Shared {
    pub(super) fn of(life: &Life, reply: &Reply, standing: Standing, jitter: f64) -> Self {
        Self {
            event: life.event_key(),
            class: reply.class.clone(),
            standing,
            suspicion: life.suspicion,
            jitter,
            request_id: reply.request_id.clone(),
            error_type: reply.error_type.clone(),
        }
    }
}

/// What an event that wants a call gets.
pub(super) enum Turn<'a> {
    /// The right to call; whoever wants the same waits for the flight.
    Call(Permit, Option<Flight<'a, Shared>>),
    /// The end of somebody else's call.
    Shared(Shared),
    /// It was done a short while ago.
    Done(Outcome),
}

impl<A> Worker<A> {
    /// Waits for its turn. It ends without one when the worker shuts down, the delivery is no longer
    /// ours, it has been in hand for too long, or the operator's orders are so.
    pub(super) async fn turn<O: Outbox>(
        &self,
        life: &mut Life,
        call: &Call,
        key: Option<Key>,
        place: Place,
        outbox: &O,
    ) -> Result<Turn<'_>, Ending> {
        let since = Instant::now();
        let turn = loop {
            if let Err(ending) = self.obey(life, outbox).await {
                break Err(ending);
            }
            // What is ordered while it waits holds for it at once.
            tokio::select! {
                biased;
                () = self.stopped(life) => {}
                turn = self.next_turn(life, call, key, place, outbox) => break turn,
            }
        };
        life.spent.gate += since.elapsed();
        turn
    }

    async fn next_turn<O: Outbox>(
        &self,
        life: &Life,
        call: &Call,
        key: Option<Key>,
        place: Place,
        outbox: &O,
    ) -> Result<Turn<'_>, Ending> {
        let Some(key) = key else {
            let permit = self.permit(life, call, place, outbox).await?;
            return Ok(Turn::Call(permit, None));
        };
        loop {
            let found = match self.flights.look(&key) {
                Some(found) => found,
                None => {
                    let permit = self.permit(life, call, place, outbox).await?;
                    match self.flights.board(key) {
                        Ok(flight) => return Ok(Turn::Call(permit, Some(flight))),
                        // The turn is somebody else's: the permit goes back.
                        Err(found) => found,
                    }
                }
            };
            match found {
                Found::Recent(event) => {
                    self.metrics.dedupe_hit(Dedupe::Recent);
                    return Ok(Turn::Done(done_by(event, life)));
                }
                Found::Wait(end) => {
                    if let Some(shared) = self.landed(life, end, outbox).await? {
                        self.metrics.dedupe_hit(Dedupe::InFlight);
                        return Ok(Turn::Shared(shared));
                    }
                }
            }
        }
    }

    async fn permit<O: Outbox>(
        &self,
        life: &Life,
        call: &Call,
        place: Place,
        outbox: &O,
    ) -> Result<Permit, Ending> {
        tokio::select! {
            biased;
            permit = self.gate.enter(life.lane, job::way(call), place, &life.suspicion) => {
                permit.map_err(|_| Ending::Return)
            }
            () = outbox.down() => Err(Ending::Return),
            () = life.too_long() => Err(Ending::HeldTooLong),
        }
    }

    /// Waits for the end of another event's call; `None` if that never ended.
    async fn landed<O: Outbox>(
        &self,
        life: &Life,
        end: oneshot::Receiver<Shared>,
        outbox: &O,
    ) -> Result<Option<Shared>, Ending> {
        tokio::select! {
            biased;
            end = end => Ok(end.ok()),
            () = self.gate.closed() => Err(Ending::Return),
            () = outbox.down() => Err(Ending::Return),
            () = life.too_long() => Err(Ending::HeldTooLong),
        }
    }

    /// Whether a pass over the same user has ended of late that covers all this event wants.
    pub(super) fn is_covered(&self, life: &Life, event: &Event) -> bool {
        let covered = life
            .user_key(event)
            .is_some_and(|(key, cutoff)| self.flights.is_user_done(&key, cutoff));
        if covered {
            self.metrics.dedupe_hit(Dedupe::Recent);
        }
        covered
    }

    /// A session of a user's is revoked: who asks for it alone need not call again.
    pub(super) fn remember(&self, life: &Life, call: &Call, reply: &Reply) {
        if let (Call::RevokeSession(id), Class::Revoked) = (call, &reply.class) {
            self.flights
                .revoked(Key::new(SESSION, id), life.event_key());
        }
    }

    /// A pass over a user has ended.
    pub(super) fn remember_user(&self, life: &Life, event: &Event) {
        let keeps_none = matches!(
            &event.request,
            Request::Revoke(Target::User {
                keep_session_id: None,
                ..
            })
        );
        if let (true, Some((key, cutoff))) = (keeps_none, life.user_key(event)) {
            // It found only sessions that are open now, whatever later time the event named.
            self.flights.user_done(key, cutoff.min((self.wall)()));
        }
    }

    /// What another event's call means for this one.
    pub(super) fn share(&self, life: &mut Life, shared: Shared) -> Verdict {
        let Shared {
            event,
            class,
            standing,
            suspicion,
            jitter,
            request_id,
            error_type,
        } = shared;
        life.facts.request_id = request_id;
        life.facts.error_type = error_type;
        // News about the rate was the caller's to tell the gate, once; what it says of the target
        // is said of this event too.
        life.suspicion = suspicion;
        let verdict = life.account.judge(&class, standing, &self.settings, jitter);
        life.facts.attempts = life.account.attempts;
        match verdict {
            Verdict::Done(Outcome::Revoked) => Verdict::Done(done_by(event, life)),
            Verdict::Done(_) => Verdict::Done(Outcome::Duplicate),
            other => other,
        }
    }
}

/// What it is to this event that the session was revoked for that one. To itself, when it was given
/// out again before its outcome or ack got through, it is still the revocation that it asked for.
fn done_by(event: Key, life: &Life) -> Outcome {
    match event == life.event_key() {
        true => Outcome::Revoked,
        false => Outcome::Duplicate,
    }
}
