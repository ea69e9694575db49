//! How many letters are sent back at once, and when to stop: a cause that is not mended shows in the first few.
//!
//! Pure. An event that came back dead counts in the step in which it was sent, however late that shows: an
//! event that runs through all its delays takes many minutes.

use std::collections::HashMap;

/// The first steps; the last is repeated.
const STEPS: [u64; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
/// More than this share of a step must not come back dead: one in so many.
const ONE_IN: u64 = 10;

/// A ramp, and what was heard of what was sent on it.
#[derive(Debug, Default)]
pub struct Ramp {
    steps: Vec<Step>,
    /// Events that nothing has been heard of, and the step of each.
    waiting: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Step {
    sent: u64,
    /// Of those, how many can be heard of: they have an id.
    followed: u64,
    done: u64,
    dead: u64,
}

/// What became of what was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// Sent back.
    pub sent: u64,
    /// Came to an end other than death.
    pub done: u64,
    /// Came back dead.
    pub dead: u64,
}

impl Heard {
    /// Nothing was heard of so many.
    pub const fn unheard(self) -> u64 {
        self.sent - self.done - self.dead
    }
}

impl Ramp {
    /// Begins the next step, and says how many it has.
    pub fn next_step(&mut self) -> u64 {
        let nth = self.steps.len().min(STEPS.len() - 1);
        self.steps.push(Step::default());
        STEPS[nth]
    }

    /// A letter was sent. Of two with the same id one is followed.
    pub fn sent(&mut self, event_id: Option<&str>) {
        let place = self.steps.len().saturating_sub(1);
        let Some(step) = self.steps.last_mut() else {
            return;
        };
        step.sent += 1;
        if let Some(id) = event_id
            && !self.waiting.contains_key(id)
        {
            self.waiting.insert(id.to_owned(), place);
            step.followed += 1;
        }
    }

    /// Whether this event was sent and has not been heard of.
    pub fn is_under_way(&self, event_id: &str) -> bool {
        self.waiting.contains_key(event_id)
    }

    /// An outcome was read: `dead` if the event was dead-lettered. What was not sent here is no news.
    pub fn heard(&mut self, event_id: &str, dead: bool) {
        let step = self.waiting.remove(event_id);
        let Some(step) = step.and_then(|place| self.steps.get_mut(place)) else {
            return;
        };
        match dead {
            true => step.dead += 1,
            false => step.done += 1,
        }
    }

    /// Whether all of the last step was heard of that can be.
    pub fn is_heard(&self) -> bool {
        let heard = |step: &Step| step.done + step.dead >= step.followed;
        self.steps.last().is_none_or(heard)
    }

    /// Whether more than a tenth of any step came back dead.
    pub fn is_failing(&self) -> bool {
        self.steps.iter().any(|step| step.dead * ONE_IN > step.sent)
    }

    /// All steps together.
    pub fn total(&self) -> Heard {
        self.steps.iter().fold(Heard::default(), |sum, step| Heard {
            sent: sum.sent + step.sent,
            done: sum.done + step.done,
            dead: sum.dead + step.dead,
        })
    }
}
