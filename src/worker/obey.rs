//! Before a call: what the operator's orders make of a bulk event. Urgent ones never ask.

use std::{future::pending, time::Duration};

use jiff::Timestamp;

use super::{Worker, ending::Ending, life::Life, orders::Known};
use crate::{
    campaign::Standing,
    event::Lane,
    settle::{Outbox, outcome::Outcome},
};

/// While a campaign is paused for less than this many first delays, its events come back after the
/// first; later after the longest, so that a long pause does not keep the broker busy.
const SHORT_PAUSE_DELAYS: u32 = 10;

/// What the orders make of an event.
#[derive(PartialEq, Eq)]
enum Judged {
    Go,
    Wait,
    End(Ending),
}

impl<A> Worker<A> {
    /// Waits until the operator's orders let an event go. It ends instead when they are so, when the
    /// worker shuts down, the delivery is no longer ours, or it has been in hand for too long.
    pub(super) async fn obey<O: Outbox>(&self, life: &Life, outbox: &O) -> Result<(), Ending> {
        if life.message.lane == Lane::Urgent {
            return Ok(());
        }
        tokio::select! {
            biased;
            ordered = self.ordered(life) => ordered,
            () = self.gate.closed() => Err(Ending::Return),
            () = outbox.down() => Err(Ending::Return),
            () = life.too_long() => Err(Ending::HeldTooLong),
        }
    }

    async fn ordered(&self, life: &Life) -> Result<(), Ending> {
        let mut changes = self.orders.changes();
        loop {
            let judged = self.judge(&changes.borrow_and_update(), life);
            match judged {
                Judged::Go => return Ok(()),
                Judged::End(ending) => return Err(ending),
                // The other end is this worker's own.
                Judged::Wait => {
                    let _ = changes.changed().await;
                }
            }
        }
    }

    /// Waits until the operator's orders do not let an event go any more.
    pub(super) async fn stopped(&self, life: &Life) {
        if life.message.lane == Lane::Urgent {
            return pending().await;
        }
        let mut changes = self.orders.changes();
        while self.judge(&changes.borrow_and_update(), life) == Judged::Go {
            // The other end is this worker's own.
            let _ = changes.changed().await;
        }
    }

    fn judge(&self, known: &Known, life: &Life) -> Judged {
        let campaign_id = life.facts.campaign_id.as_deref();
        match known.standing(&life.message.publisher, campaign_id) {
            None => Judged::Wait,
            Some(Standing::Go) => Judged::Go,
            Some(Standing::Cancelled) => Judged::End(Ending::Done(Outcome::Cancelled)),
            Some(Standing::Paused(since)) => self
                .aside(since)
                .map_or(Judged::Wait, |index| Judged::End(Ending::PutAside(index))),
        }
    }

    /// The delay queue in which an event waits while its campaign is paused; `None` without any.
    fn aside(&self, since: Timestamp) -> Option<usize> {
        let delays = &self.settings.retry_delays;
        let first = delays.first()?;
        let paused_for = (self.wall)().duration_since(since);
        let paused_for = Duration::try_from(paused_for).unwrap_or_default();
        match paused_for < *first * SHORT_PAUSE_DELAYS {
            true => Some(0),
            false => (0..delays.len()).max_by_key(|index| delays[*index]),
        }
    }
}
