//! The events in hand, so that the oldest of them is known: a worker that hangs shows there first. And
//! when a lane was last seen empty: what comes first after that cannot have waited there for longer.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::life::Life;
use crate::event::Lane;

/// How much later than it occurred an event may be published before its age says nothing about us.
const BACKDATED_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// When an event occurred, and what tells it apart from others of that time.
pub(super) type Key = (Timestamp, usize);

/// The events in hand by lane, oldest first.
#[derive(Debug, Default)]
pub struct Backlog {
    by_lane: [Mutex<BTreeSet<Key>>; Lane::ALL.len()],
    empty_at: [Mutex<Option<Timestamp>>; Lane::ALL.len()],
}

impl Backlog {
    fn with<T>(&self, lane: Lane, act: impl FnOnce(&mut BTreeSet<Key>) -> T) -> T {
        act(&mut self.by_lane[lane as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(&self, lane: Lane, key: Key) {
        self.with(lane, |events| events.insert(key));
    }

    pub(super) fn remove(&self, lane: Lane, key: Key) {
        self.with(lane, |events| events.remove(&key));
    }

    /// No message waited in the lane's queue at that moment.
    pub(super) fn saw_empty(&self, lane: Lane, at: Timestamp) {
        *self.empty_at[lane as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// Whether an event that comes for the first time had occurred long before it was published: it was
    /// [`BACKDATED_AFTER`] old when the lane was last seen empty. Its age says nothing about us. What may
    /// have waited in the queue, and be it for hours, is not called so: that was our fault.
    pub(super) fn is_backdated(&self, lane: Lane, occurred_at: Timestamp) -> bool {
        let empty_at = *self.empty_at[lane as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        empty_at.is_some_and(|at| at.duration_since(occurred_at) > BACKDATED_AFTER)
    }

    /// When the oldest event in hand occurred.
    pub(super) fn oldest(&self, lane: Lane) -> Option<Timestamp> {
        self.with(lane, |events| events.first().map(|(at, _)| *at))
    }
}

/// The event's key in the backlog: its life's address tells apart what occurred at the same time. None for
/// those whose age says nothing about us: they would look like a worker that hangs.
pub(super) fn key(life: &Life) -> Option<Key> {
    life.facts
        .occurred_at
        .filter(|_| life.unmeasured.is_none())
        .map(|at| (at, std::ptr::from_ref(life) as usize))
}
