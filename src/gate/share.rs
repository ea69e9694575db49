//! The ceiling of the rate, which may be a limit for all workers together.
//!
//! Workers do not talk to each other. Each hears from the broker how many consumers its urgent lane has,
//! and takes its part of the limit: pure, for the asking is the broker stage's.

/// A queue with a slow leader can answer 0, and right after a broker's restart not all are back: the maximum
/// of so many readings counts. So a worker that has gone leaves its part to the others some readings later,
/// and never is the limit passed because one was overlooked.
const READINGS: usize = 3;

/// How the ceiling comes about.
#[derive(Debug, Clone)]
pub struct Share {
    own: Option<f64>,
    total: Option<f64>,
    readings: [u32; READINGS],
    next: usize,
}

impl Share {
    /// Calls a second at most: of this worker, and of all together. Until something is heard it is alone.
    pub const fn new(own: Option<f64>, total: Option<f64>) -> Self {
        Self {
            own,
            total,
            readings: [0; READINGS],
            next: 0,
        }
    }

    /// Takes in how many consumers the lane has.
    pub fn heard(&mut self, consumers: u32) {
        self.readings[self.next] = consumers;
        self.next = (self.next + 1) % READINGS;
    }

    /// How many workers there are, this one among them.
    pub fn workers(&self) -> u32 {
        self.readings.into_iter().fold(1, u32::max)
    }

    /// Calls a second that this worker may make; `None`: only what Stytch allows.
    pub fn ceiling(&self) -> Option<f64> {
        let part = self.total.map(|total| total / f64::from(self.workers()));
        match (self.own, part) {
            (Some(own), Some(part)) => Some(own.min(part)),
            (own, part) => own.or(part),
        }
    }
}
