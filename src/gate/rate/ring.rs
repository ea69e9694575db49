//! How many calls were accepted in the last seconds.

use super::Seconds;

/// Width of one count.
const SLOT: Seconds = 0.05;
/// Counts kept: the last 62 s, a little more than the longest window that is asked for, a minute.
const SLOTS: usize = 1240;

/// Accepted calls by when they were answered.
#[derive(Debug)]
pub(super) struct Ring {
    counts: Box<[u32; SLOTS]>,
    /// The slot of the newest count, counted since the beginning of time.
    newest: u64,
}

impl Ring {
    pub(super) fn new() -> Self {
        Self {
            counts: Box::new([0; SLOTS]),
            newest: 0,
        }
    }

    /// A call was accepted at `now`.
    pub(super) fn add(&mut self, now: Seconds) {
        self.advance(now);
        self.counts[index(self.newest)] += 1;
    }

    /// Calls accepted in the last `window` seconds, at most 60.
    pub(super) fn within(&mut self, window: Seconds, now: Seconds) -> f64 {
        self.advance(now);
        let slots = (window / SLOT).min((SLOTS - 1) as f64);
        // The window reaches as far into its oldest slot as the newest one is not over yet.
        let reach = slots - (now / SLOT).fract();
        let mut sum = f64::from(self.counts[index(self.newest)]);
        let mut back = 1;
        while (back as f64) <= reach.ceil() && back < SLOTS as u64 && back <= self.newest {
            let share = (reach - (back - 1) as f64).clamp(0.0, 1.0);
            sum += share * f64::from(self.counts[index(self.newest - back)]);
            back += 1;
        }
        sum
    }

    fn advance(&mut self, now: Seconds) {
        let slot = slot(now).max(self.newest);
        for passed in 1..=(slot - self.newest).min(SLOTS as u64) {
            self.counts[index(self.newest + passed)] = 0;
        }
        self.newest = slot;
    }
}

fn slot(now: Seconds) -> u64 {
    (now / SLOT) as u64
}

fn index(slot: u64) -> usize {
    (slot % SLOTS as u64) as usize
}
