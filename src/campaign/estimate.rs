//! How long the rest of a campaign takes: a range, and why it is not shorter.
//!
//! Two rates are known: over the last minute and since the beginning. The range lies between what they
//! say, widened by a tenth; with less than ten events to go by there is no estimate.

use std::{collections::VecDeque, time::Duration};

/// The span of the recent rate.
const RECENT: Duration = Duration::from_secs(60);
/// Fewer events than this say nothing of a rate.
const EVENTS_MIN: u64 = 10;
/// By how much each end of the range is widened.
const MARGIN: f64 = 0.1;

/// What is known of the pace.
#[derive(Debug, Default)]
pub struct Pace {
    /// How many were done when, the oldest within [`RECENT`] first; the first of all is kept apart.
    seen: VecDeque<(Duration, u64)>,
    first: Option<(Duration, u64)>,
}

/// A range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// At the earliest after so long.
    pub from: Duration,
    /// At the latest, if nothing changes.
    pub to: Duration,
}

impl Pace {
    /// So many are done at this time, on any clock that only goes forward.
    pub fn seen(&mut self, now: Duration, done: u64) {
        self.first.get_or_insert((now, done));
        self.seen.push_back((now, done));
        while self.seen.len() > 2 && self.seen.get(1).is_some_and(|(at, _)| now - *at >= RECENT) {
            self.seen.pop_front();
        }
    }

    /// Events a second over the last minute; `None` before anything can be said.
    pub fn rate(&self) -> Option<f64> {
        Self::between(*self.seen.front()?, *self.seen.back()?)
    }

    fn between(from: (Duration, u64), to: (Duration, u64)) -> Option<f64> {
        let (seconds, events) = (
            (to.0.checked_sub(from.0)?).as_secs_f64(),
            to.1.checked_sub(from.1)?,
        );
        (seconds > 0.0 && events >= EVENTS_MIN).then(|| events as f64 / seconds)
    }

    /// When this many more are done.
    pub fn left(&self, left: u64) -> Option<Range> {
        let recent = self.rate()?;
        let all = Self::between(self.first?, *self.seen.back()?).unwrap_or(recent);
        let seconds = |rate: f64| left as f64 / rate;
        let (fast, slow) = (recent.max(all), recent.min(all));
        Some(Range {
            from: Duration::try_from_secs_f64(seconds(fast) * (1.0 - MARGIN)).ok()?,
            to: Duration::try_from_secs_f64(seconds(slow) * (1.0 + MARGIN)).ok()?,
        })
    }
}
