//! The events in hand, so that the oldest of them is known: a worker that hangs shows there first.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

use super::life::Life;
use crate::event::Lane;

/// When an event occurred, and what tells it apart from others of that time.
pub(super) type Key = (Timestamp, usize);

/// The events in hand by lane, oldest first.
#[derive(Debug, Default)]
pub struct Backlog {
    by_lane: [Mutex<BTreeSet<Key>>; Lane::ALL.len()],
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

    /// When the oldest event in hand occurred.
    pub(super) fn oldest(&self, lane: Lane) -> Option<Timestamp> {
        self.with(lane, |events| events.first().map(|(at, _)| *at))
    }
}

/// The event's key in the backlog: its life's address tells apart what occurred at the same time.
pub(super) fn key(life: &Life) -> Option<Key> {
    life.facts
        .occurred_at
        .map(|at| (at, std::ptr::from_ref(life) as usize))
}
