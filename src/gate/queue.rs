//! Those of one lane who wait for calls of one kind, in the order in which they may go.
//!
//! Pure. First who was sent back, then suspects, when the pacer says that others got through, then by
//! turns retries that are due and new ones: a crowd of messages that always fail would else look
//! like an outage.

use std::{collections::VecDeque, time::Duration};

use super::rate::Suspicion;

/// Where a call joins its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the end.
    New,
    /// By turns with the new ones: its own backoff is over.
    Due,
    /// First of all: what stopped it was not its own fault.
    Front,
}

/// A queue of waiters.
#[derive(Debug)]
pub(super) struct Queue<W> {
    front: VecDeque<W>,
    due: VecDeque<W>,
    new: VecDeque<W>,
    /// With when they were refused last.
    suspects: VecDeque<(Duration, W)>,
    /// Whether a new one goes before a due one.
    new_next: bool,
}

impl<W> Queue<W> {
    pub(super) const fn new() -> Self {
        Self {
            front: VecDeque::new(),
            due: VecDeque::new(),
            new: VecDeque::new(),
            suspects: VecDeque::new(),
            new_next: false,
        }
    }

    pub(super) fn join(&mut self, place: Place, suspicion: &Suspicion, waiter: W) {
        if suspicion.is_suspect() {
            self.suspects.push_back((suspicion.refused_at(), waiter));
            return;
        }
        match place {
            Place::Front => self.front.push_front(waiter),
            Place::Due => self.due.push_back(waiter),
            Place::New => self.new.push_back(waiter),
        }
    }

    /// Drops those in front who gave up, so that what is asked next is true.
    pub(super) fn forget(&mut self, gone: impl Fn(&W) -> bool) {
        for queue in [&mut self.front, &mut self.due, &mut self.new] {
            while queue.front().is_some_and(&gone) {
                queue.pop_front();
            }
        }
        self.suspects.retain(|(_, waiter)| !gone(waiter));
    }

    /// Whether anybody waits who is no suspect.
    pub(super) fn has_trusted(&self) -> bool {
        !(self.front.is_empty() && self.due.is_empty() && self.new.is_empty())
    }

    /// Whether a suspect waits.
    pub(super) fn has_suspects(&self) -> bool {
        !self.suspects.is_empty()
    }

    /// Whether a suspect waits that `may_go`.
    pub(super) fn has_cleared(&self, may_go: impl Fn(Duration) -> bool) -> bool {
        self.suspects
            .iter()
            .any(|(refused_at, _)| may_go(*refused_at))
    }

    /// Takes who goes next.
    pub(super) fn take(&mut self, may_go: impl Fn(Duration) -> bool) -> Option<W> {
        if let Some(waiter) = self.front.pop_front() {
            return Some(waiter);
        }
        let cleared = self
            .suspects
            .iter()
            .position(|(refused_at, _)| may_go(*refused_at));
        if let Some(cleared) = cleared {
            return self.suspects.remove(cleared).map(|(_, waiter)| waiter);
        }
        self.new_next = !self.new_next;
        let (first, second) = if self.new_next {
            (&mut self.due, &mut self.new)
        } else {
            (&mut self.new, &mut self.due)
        };
        first.pop_front().or_else(|| second.pop_front())
    }

    /// Takes all.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = W> {
        let suspects = self.suspects.drain(..).map(|(_, waiter)| waiter);
        let rest = [&mut self.front, &mut self.due, &mut self.new];
        suspects.chain(rest.into_iter().flat_map(|queue| queue.drain(..)))
    }
}
