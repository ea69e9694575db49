//! Where calls wait for their turn: the only file of the gate that knows a clock.
//!
//! Urgent goes first. A slot is a [`Permit`]; dropping one (a panic, a cancelled task) frees the
//! slot, so that nothing can leak. Everything is decided under one short lock that is never held
//! across an await; permits are only dropped outside of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep_until},
};

use super::{
    News, Settings, Standing, Way,
    breaker::{Breaker, CanaryAnswer, Pause, Phase},
    rate::{Pacer, Ready, Ticket},
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
    inner: Mutex<Inner>,
    /// Wakes the timer and the canary when something to wait for has changed.
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    pacers: [Pacer; Way::ALL.len()],
    breaker: Breaker,
    canary_on_wire: bool,
    free: usize,
    urgent_only: usize,
    /// By way, then by lane.
    queues: [[VecDeque<oneshot::Sender<Permit>>; Lane::ALL.len()]; Way::ALL.len()],
    closed: bool,
}

/// The right to send one call.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    way: Way,
    ticket: Ticket,
    reported: bool,
}

/// What the gate is doing, for states and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Why nothing is sent, if so.
    pub paused: Option<Pause>,
    /// Whether a 429 holds one of the ways.
    pub limited: bool,
}

impl Gate {
    /// A gate with all slots free.
    pub fn new(settings: &Settings) -> Arc<Self> {
        let queues = || std::array::from_fn(|_| VecDeque::new());
        Arc::new(Self {
            started: Instant::now(),
            changed: Notify::new(),
            inner: Mutex::new(Inner {
                pacers: std::array::from_fn(|_| Pacer::new(settings.max_rate)),
                breaker: Breaker::new(settings.outage == super::OutageMode::Hold),
                canary_on_wire: false,
                free: settings.slots,
                urgent_only: settings.slots_urgent_only,
                queues: std::array::from_fn(|_| queues()),
                closed: false,
            }),
        })
    }

    /// Waits for the right to send. `again` puts a call that was refused by a 429 in front of its lane.
    ///
    /// # Errors
    /// [`Closed`] when the worker shuts down.
    pub async fn enter(
        self: &Arc<Self>,
        lane: Lane,
        way: Way,
        again: bool,
    ) -> Result<Permit, Closed> {
        let waiting = {
            let mut inner = self.lock();
            if inner.closed {
                return Err(Closed);
            }
            let now = self.now();
            if inner.is_first(lane, way) && inner.ready(lane, way, now) == Ready::Now {
                return Ok(inner.grant(self, way, now));
            }
            let (tx, rx) = oneshot::channel();
            let queue = &mut inner.queues[way as usize][lane as usize];
            if again {
                queue.push_front(tx)
            } else {
                queue.push_back(tx)
            }
            rx
        };
        self.changed.notify_waiters();
        waiting.await.map_err(|_| Closed)
    }

    /// Hands in how a call ended and frees its slot. `jitter` is in 0..1.
    pub fn report(self: &Arc<Self>, mut permit: Permit, news: News, jitter: f64) -> Standing {
        permit.reported = true;
        let now = self.now();
        let (standing, look_again) = {
            let mut inner = self.lock();
            inner.free += 1;
            let pacer = &mut inner.pacers[permit.way as usize];
            let hold = match news {
                News::Limited(retry_after) => {
                    pacer.limited(permit.ticket, now, retry_after, jitter)
                }
                News::Answered => {
                    pacer.accepted(permit.ticket);
                    None
                }
                News::Failed | News::Refused => {
                    pacer.ended(permit.ticket);
                    None
                }
            };
            let counts = match news {
                News::Failed => inner.breaker.failed(),
                News::Refused => {
                    inner.breaker.refused(now);
                    false
                }
                News::Answered | News::Limited(_) => {
                    inner.breaker.answered();
                    true
                }
            };
            let standing = Standing {
                counts,
                outages: inner.breaker.outages(),
                hold,
            };
            (standing, inner.is_anyone_waiting())
        };
        // Whoever may go goes from here; the timer is only woken for what has to wait for a time.
        if look_again && self.pump() != Wake::OnChange || !standing.counts {
            self.changed.notify_waiters();
        }
        standing
    }

    /// Lets waiting calls go as the pace allows; ends when the gate is closed.
    pub async fn run(self: Arc<Self>) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wake_at = match self.pump() {
                Wake::Closed => return,
                Wake::At(at) => Some(self.started + at),
                Wake::OnChange => None,
            };
            tokio::select! {
                () = changed => {}
                () = sleep_or_forever(wake_at) => {}
            }
        }
    }

    /// Waits until a canary is due, and marks it as on the wire.
    pub async fn canary_due(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let due_at = {
                let mut inner = self.lock();
                let due_at = inner.breaker.canary_at(inner.canary_on_wire);
                if due_at.is_some_and(|at| at <= self.now()) {
                    inner.canary_on_wire = true;
                    return;
                }
                due_at.map(|at| self.started + at)
            };
            tokio::select! {
                () = changed => {}
                () = sleep_or_forever(due_at) => {}
            }
        }
    }

    /// Hands in a canary's answer. `jitter` is in 0..1.
    pub fn canary_answered(&self, answer: CanaryAnswer, jitter: f64) {
        {
            let mut inner = self.lock();
            inner.canary_on_wire = false;
            inner.breaker.canary(answer, self.now(), jitter);
        }
        self.changed.notify_waiters();
    }

    /// Asks for a canary at once, if paused.
    pub fn probe_now(&self) {
        self.lock().breaker.probe_now(self.now());
        self.changed.notify_waiters();
    }

    /// Sends every waiting call away and lets none in any more.
    pub fn close(&self) {
        let waiting: Vec<_> = {
            let mut inner = self.lock();
            inner.closed = true;
            inner
                .queues
                .iter_mut()
                .flatten()
                .map(std::mem::take)
                .collect()
        };
        drop(waiting);
        self.changed.notify_waiters();
    }

    /// Waits until the gate is closed.
    pub async fn closed(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.lock().closed {
                return;
            }
            changed.await;
        }
    }

    /// What the gate is doing.
    pub fn view(&self) -> View {
        let inner = self.lock();
        View {
            paused: inner.breaker.paused(),
            limited: inner.pacers.iter().any(|p| p.limited_in_row() > 0),
        }
    }

    /// How many outages there were so far.
    pub fn outages(&self) -> u32 {
        self.lock().breaker.outages()
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere must not stop the gate: every change under the lock is complete in itself.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go whatever may go now. Says when to look again.
    fn pump(self: &Arc<Self>) -> Wake {
        let now = self.now();
        let mut unclaimed = Vec::new();
        let mut inner = self.lock();
        if inner.closed {
            return Wake::Closed;
        }
        let mut wake = Wake::OnChange;
        for (way, lane) in Way::ALL
            .iter()
            .flat_map(|w| Lane::ALL.iter().map(move |l| (*w, *l)))
        {
            while let Some(waiter) = inner.queues[way as usize][lane as usize].pop_front() {
                if waiter.is_closed() {
                    continue;
                }
                let ready = inner.ready(lane, way, now);
                if ready == Ready::Now {
                    let permit = inner.grant(self, way, now);
                    unclaimed.extend(waiter.send(permit).err());
                    continue;
                }
                inner.queues[way as usize][lane as usize].push_front(waiter);
                if let Ready::At(at) = ready {
                    wake = wake.sooner(at);
                }
                break;
            }
        }
        drop(inner);
        drop(unclaimed); // outside the lock: a permit takes it to free its slot
        wake
    }
}

impl Inner {
    fn ready(&self, lane: Lane, way: Way, now: Duration) -> Ready {
        let slots_kept = match lane {
            Lane::Urgent => 0,
            Lane::Bulk => self.urgent_only,
        };
        if self.breaker.phase() != Phase::Flowing || self.free <= slots_kept {
            return Ready::AfterAnswer;
        }
        self.pacers[way as usize].ready(now)
    }

    /// Whether nobody of this lane or a better one waits for this way.
    fn is_first(&self, lane: Lane, way: Way) -> bool {
        self.queues[way as usize][..=lane as usize]
            .iter()
            .all(VecDeque::is_empty)
    }

    fn is_anyone_waiting(&self) -> bool {
        !self.queues.iter().flatten().all(VecDeque::is_empty)
    }

    fn grant(&mut self, gate: &Arc<Gate>, way: Way, now: Duration) -> Permit {
        self.free -= 1;
        let ticket = self.pacers[way as usize].sent(now);
        Permit {
            gate: Arc::clone(gate),
            way,
            ticket,
            reported: false,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.reported {
            return;
        }
        {
            let mut inner = self.gate.lock();
            inner.free += 1;
            inner.pacers[self.way as usize].ended(self.ticket);
        }
        self.gate.changed.notify_waiters();
    }
}

/// When the timer looks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    OnChange,
    At(Duration),
    Closed,
}

impl Wake {
    fn sooner(self, at: Duration) -> Self {
        match self {
            Self::At(other) if other <= at => self,
            _ => Self::At(at),
        }
    }
}

async fn sleep_or_forever(until: Option<Instant>) {
    match until {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
