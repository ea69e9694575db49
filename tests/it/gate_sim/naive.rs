//! What everybody builds first, as a negative control: each message backs off for itself.

use std::collections::VecDeque;

use revoker::{
    gate::{Settings, line::Next},
    revoke::outcome::Fault,
    settle::verdict::Standing,
};

/// Slots and nothing else; every failure, 429 included, is an attempt.
#[derive(Debug)]
pub(super) struct Naive {
    waiting: VecDeque<u32>,
    slots_free: usize,
}

impl Naive {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            waiting: VecDeque::new(),
            slots_free: settings.slots,
        }
    }

    pub(super) fn join(&mut self, message: u32) {
        self.waiting.push_back(message);
    }

    /// Nobody waits for a time.
    pub(super) fn next(&self) -> Next<u32> {
        Next::OnChange
    }

    /// Whoever is next, while there are slots.
    pub(super) fn take(&mut self) -> Option<u32> {
        if self.slots_free == 0 {
            return None;
        }
        let message = self.waiting.pop_front()?;
        self.slots_free -= 1;
        Some(message)
    }

    pub(super) fn ended(&mut self) -> Standing {
        self.slots_free += 1;
        Standing {
            own: true,
            outages: 0,
            aside: None,
            fault: Fault::Message,
        }
    }
}
