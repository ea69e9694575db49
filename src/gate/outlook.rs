//! What the gate tells of itself: how fast, whether at all, and whether the API lives.
//!
//! Beside `wait`, the other half of [`Gate`] that knows a clock; nothing waits for a turn here.

use std::{sync::PoisonError, time::Duration};

use tokio::time::sleep;

use super::{Gate, View, Way, intake::Intake};
use crate::event::Lane;

/// How long others' calls may show that the API lives before a canary is asked to.
const NEWS_WAIT: Duration = Duration::from_millis(250);
/// How often it is looked at.
const NEWS_LOOK: Duration = Duration::from_millis(20);

impl Gate {
    /// The lane in which a publisher's event waits: urgent for as long as its allowance lasts.
    pub fn lane_of(&self, lane: Lane, publisher: &str) -> Lane {
        let mut brake = self.brake.lock().unwrap_or_else(PoisonError::into_inner);
        match lane {
            Lane::Urgent if !brake.goes_first(publisher, self.now()) => Lane::Bulk,
            lane => lane,
        }
    }

    /// The intake of a lane, as it begins.
    pub fn intake(&self, lane: Lane) -> Intake {
        Intake::new(lane, self.rate(), self.slots, self.hold_limit)
    }

    /// How long a delivery may be in hand.
    pub fn hold_limit(&self) -> Duration {
        self.hold_limit
    }

    /// Whether calls of this lane go at all.
    pub fn can_send(&self, lane: Lane) -> bool {
        let view = self.view();
        view.paused.is_none() && !(lane == Lane::Bulk && view.limited_for.is_some())
    }

    /// Whether a call of this lane may be tried: a 429 is only known to be over when one goes.
    pub fn may_try(&self, lane: Lane) -> bool {
        let view = self.view();
        view.paused.is_none() && !(lane == Lane::Bulk && view.held_for.is_some())
    }

    /// How many revokes a second may go.
    pub fn rate(&self) -> f64 {
        self.view().rates[Way::Revoke as usize]
    }

    /// What the gate is doing.
    pub fn view(&self) -> View {
        self.lock().view(self.now())
    }

    /// How many outages there were so far.
    pub fn outages(&self) -> u32 {
        self.lock().outages()
    }

    /// Whether the API lives, by what was answered after now; without such news soon, by a canary.
    /// False as long as it does not, and when the gate is closed.
    pub async fn lives(&self) -> bool {
        let since = self.now();
        let mut asked = false;
        loop {
            if let Some(lives) = self.lock().lives_since(since) {
                return lives;
            }
            if self.closed.is_cancelled() {
                return false;
            }
            if !asked && self.now() >= since + NEWS_WAIT {
                asked = true;
                self.lock().doubt();
                self.changed.notify_waiters();
            }
            sleep(NEWS_LOOK).await;
        }
    }
}
