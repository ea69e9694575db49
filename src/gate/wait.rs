//! Where calls wait for their turn.
//!
//! A slot is a [`Permit`]; dropping one (a panic, a cancelled task) frees the slot, so that nothing
//! can leak. Everything is decided by [`Line`] under one short lock that is never held across an
//! await; permits are only dropped outside of it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, futures::Notified, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Canary, Moment, News, Place, Settings, Standing, Suspicion, Way,
    brake::Brake,
    canary::Due,
    line::{Line, Next},
    rate::Ticket,
};
use crate::event::Lane;

/// The worker is shutting down: no more calls.
#[derive(Debug, thiserror::Error)]
#[error("the gate is closed: the worker is shutting down")]
pub struct Closed;

/// One gate for all lanes of a worker.
#[derive(Debug)]
pub struct Gate {
    started: Instant,
    wall: fn() -> Timestamp,
    pub(super) slots: usize,
    pub(super) hold_limit: Duration,
    pub(super) brake: Mutex<Brake>,
    line: Mutex<Line<oneshot::Sender<Permit>>>,
    /// Wakes the timer and the canary when what they wait for may have changed.
    pub(super) changed: Notify,
    pub(super) closed: CancellationToken,
}

/// The right to send one call.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    way: Way,
    ticket: Ticket,
    reported: bool,
}

impl Gate {
    /// A gate with all slots free. `wall` is the wall clock: quotas often end with its minute.
    pub fn new(settings: &Settings, wall: fn() -> Timestamp) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            wall,
            slots: settings.slots,
            hold_limit: settings.hold_limit,
            brake: Mutex::new(Brake::new(settings.urgent_rate)),
            line: Mutex::new(Line::new(settings)),
            changed: Notify::new(),
            closed: CancellationToken::new(),
        })
    }

    /// Waits for the right to send, at this place of its lane; a message that `suspicion` speaks
    /// against waits until others got through.
    ///
    /// # Errors
    /// [`Closed`] when the worker shuts down.
    pub async fn enter(
        self: &Arc<Self>,
        lane: Lane,
        way: Way,
        place: Place,
        suspicion: &Suspicion,
    ) -> Result<Permit, Closed> {
        let waiting = {
            let mut line = self.lock();
            if line.is_closed() {
                return Err(Closed);
            }
            if let Some(ticket) = line.ask(lane, way, suspicion, self.now()) {
                return Ok(self.permit(way, ticket));
            }
            let (waiter, waiting) = oneshot::channel();
            line.join(lane, way, place, suspicion, waiter);
            waiting
        };
        self.changed.notify_waiters();
        waiting.await.map_err(|_| Closed)
    }

    /// Hands in how a call ended and frees its slot. `suspicion` is the message's own and is kept with it.
    pub fn report(
        self: &Arc<Self>,
        mut permit: Permit,
        news: News,
        suspicion: &mut Suspicion,
    ) -> Standing {
        permit.reported = true;
        let (at, mut rng) = (self.moment(), fastrand::Rng::new());
        let (standing, anyone, suspects) = {
            let mut line = self.lock();
            let standing = line.report(permit.way, permit.ticket, news, suspicion, at, &mut rng);
            (standing, line.is_anyone_waiting(), line.has_suspects())
        };
        // Whoever may go goes from here. The timer is woken for what waits for a time, the canary for
        // suspects and failures; who waits for a slot gets the next one that is freed.
        let timed = anyone && self.pump().is_some();
        if timed || suspects || matches!(news, News::Failed(_) | News::Refused) {
            self.changed.notify_waiters();
        }
        standing
    }

    /// Lets waiting calls go when their time has come; ends when the gate is closed.
    pub async fn run(self: Arc<Self>) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wake_at = self.pump();
            if self.lock().is_closed() {
                return;
            }
            self.changed_or(changed, wake_at).await;
        }
    }

    /// Waits until a canary is due; from then on it counts as sent.
    pub async fn canary_due(&self) -> Canary {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let due = self.lock().canary(self.now());
            match due {
                Due::Now(canary) => return canary,
                Due::At(at) => self.changed_or(changed, Some(at)).await,
                Due::OnChange => changed.await,
            }
        }
    }

    /// Hands in a canary's answer.
    pub fn canary_answered(&self, canary: Canary, news: News) {
        let (at, mut rng) = (self.moment(), fastrand::Rng::new());
        self.lock().canary_answered(canary, news, at, &mut rng);
        self.changed.notify_waiters();
    }

    /// Asks for a canary at once, if paused.
    pub fn probe_now(&self) {
        self.lock().probe_now(self.now());
        self.changed.notify_waiters();
    }

    /// Takes in how many consumers the urgent lane has, each of them a worker with its part of a limit for all.
    pub fn heard_consumers(&self, consumers: u32) {
        let changed = self.lock().heard_consumers(consumers);
        if let Some(workers) = changed {
            tracing::info!(workers, "the number of workers has changed");
        }
    }

    /// Sends every waiting call away and lets none in any more.
    pub fn close(&self) {
        let waiting = self.lock().close();
        self.closed.cancel();
        drop(waiting); // outside the lock: a permit on its way takes it
        self.changed.notify_waiters();
    }

    /// Waits until the gate is closed.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Lets go whoever may go now. Says when somebody else may, if that is a matter of time.
    fn pump(self: &Arc<Self>) -> Option<Duration> {
        let mut unclaimed = Vec::new();
        let mut line = self.lock();
        let wake_at = loop {
            match line.next(self.now(), oneshot::Sender::is_closed) {
                Next::Go(waiter, way, ticket) => {
                    unclaimed.extend(waiter.send(self.permit(way, ticket)).err());
                }
                Next::At(at) => break Some(at),
                Next::OnChange | Next::Closed => break None,
            }
        };
        drop(line);
        drop(unclaimed); // outside the lock: a permit takes it to free its slot
        wake_at
    }

    fn permit(self: &Arc<Self>, way: Way, ticket: Ticket) -> Permit {
        Permit {
            gate: Arc::clone(self),
            way,
            ticket,
            reported: false,
        }
    }

    async fn changed_or(&self, changed: std::pin::Pin<&mut Notified<'_>>, at: Option<Duration>) {
        match at {
            Some(at) => tokio::select! {
                () = changed => {}
                () = sleep_until(self.started + at) => {}
            },
            None => changed.await,
        }
    }

    /// The time since the gate was made.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn moment(&self) -> Moment {
        let minute = jiff::SignedDuration::from_secs(60).as_millis();
        let wall = (self.wall)().as_millisecond();
        Moment {
            now: self.now(),
            second_of_minute: i128::from(wall).rem_euclid(minute) as f64 / 1000.0,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Line<oneshot::Sender<Permit>>> {
        // A panic elsewhere must not stop the gate: every change under the lock is complete in itself.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.reported {
            let now = self.gate.now();
            self.gate.lock().abandon(self.way, self.ticket, now);
            self.gate.changed.notify_waiters();
        }
    }
}
