//! Calls that are shared: whoever wants a call that is on the wire waits for its answer instead.
//!
//! The wet half of [`dedupe`](super::dedupe), which decides.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use super::dedupe::{Dedupe, Key, Known};

/// The calls of one worker. `T` is what is shared of a call's end.
#[derive(Debug)]
pub struct Flights<T> {
    dedupe: Mutex<Dedupe<oneshot::Sender<T>>>,
    began: Instant,
}

/// What makes a call of one's own needless.
#[derive(Debug)]
pub enum Found<T> {
    /// The target was revoked a short while ago, for this event.
    Recent(Key),
    /// The same call is on the wire: its end comes here, or nothing if it never ends.
    Wait(oneshot::Receiver<T>),
}

/// A call on the wire. Dropped without a landing, it sends those who wait to call for themselves.
#[derive(Debug)]
pub struct Flight<'a, T> {
    flights: &'a Flights<T>,
    key: Key,
    /// False if it is one too many for its target, whom nobody waits for.
    leads: bool,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self {
            dedupe: Mutex::default(),
            began: Instant::now(),
        }
    }
}

impl<T> Flights<T> {
    /// Whether a call is needless already; `None`: go and wait for a turn.
    pub fn look(&self, key: &Key) -> Option<Found<T>> {
        found(&mut self.lock(), key, self.now())
    }

    /// To be asked with a turn in hand: much may have happened while waiting for it.
    ///
    /// # Errors
    /// What makes the call needless by now.
    pub fn board(&self, key: Key) -> Result<Flight<'_, T>, Found<T>> {
        let mut dedupe = self.lock();
        match found(&mut dedupe, &key, self.now()) {
            Some(found) => Err(found),
            None => Ok(Flight {
                flights: self,
                key,
                leads: dedupe.take_off(key),
            }),
        }
    }

    /// Whether a pass over this user has ended of late that covers this cutoff.
    pub fn is_user_done(&self, key: &Key, cutoff: Timestamp) -> bool {
        let now = self.now();
        self.lock().is_user_done(key, cutoff, now)
    }

    /// A pass over a user, which kept no session alive on purpose, has ended.
    pub fn user_done(&self, key: Key, cutoff: Timestamp) {
        let now = self.now();
        self.lock().user_done(key, cutoff, now);
    }

    /// A session was revoked by a call that nobody shares.
    pub fn revoked(&self, key: Key, event: Key) {
        let now = self.now();
        self.lock().revoked(key, event, now);
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Dedupe<oneshot::Sender<T>>> {
        self.dedupe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found<T>(dedupe: &mut Dedupe<oneshot::Sender<T>>, key: &Key, now: Duration) -> Option<Found<T>> {
    match dedupe.session(key, now) {
        Known::Nothing => None,
        Known::Recent(event) => Some(Found::Recent(event)),
        Known::InFlight => {
            let (tell, told) = oneshot::channel();
            dedupe.join(key, tell).ok().map(|()| Found::Wait(told))
        }
    }
}

impl<T: Clone> Flight<'_, T> {
    /// The call has ended: tells who waits, if anybody does, and remembers a revocation by the event it was for.
    pub fn land(mut self, revoked_for: Option<Key>, end: impl FnOnce() -> T) {
        let now = self.flights.now();
        let mut dedupe = self.flights.lock();
        if let Some(event) = revoked_for {
            dedupe.revoked(self.key, event, now);
        }
        let waiting = if self.leads {
            dedupe.land(&self.key)
        } else {
            Vec::new()
        };
        self.leads = false;
        drop(dedupe);
        if waiting.is_empty() {
            return;
        }
        let end = end();
        for waiter in waiting {
            // One who is gone by now needs no answer.
            let _ = waiter.send(end.clone());
        }
    }
}

impl<T> Drop for Flight<'_, T> {
    fn drop(&mut self) {
        if self.leads {
            drop(self.flights.lock().land(&self.key));
        }
    }
}
