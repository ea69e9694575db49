//! The brake on urgent: what one publisher may have ahead of bulk.
//!
//! Pure. "Urgent goes first" is only worth something while urgent is little: one service that sends all
//! it has through the urgent lane would hold up everybody else's bulk, and the urgent events of others
//! that are in hand. What is over its allowance is paced like bulk, never dropped. What still stands in the
//! broker's queue behind a flood is not seen here, and waits until the flood was taken in.

use std::{collections::HashMap, time::Duration};

/// Publishers known at once; those who are over it share one allowance.
pub const PUBLISHERS_MAX: usize = 1_000;
/// A publisher saves up what it does not use for this long.
const SAVED: Duration = Duration::from_secs(1);

/// The allowances of all publishers.
#[derive(Debug)]
pub struct Brake {
    /// Events a second, each publisher.
    rate: f64,
    buckets: HashMap<String, Bucket>,
    strangers: Bucket,
}

/// A token bucket.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Brake {
    /// A brake that lets each publisher have so many events a second ahead of bulk.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            buckets: HashMap::new(),
            strangers: Bucket::full(rate, Duration::ZERO),
        }
    }

    /// Whether this publisher's event goes ahead of bulk.
    pub fn goes_first(&mut self, publisher: &str, now: Duration) -> bool {
        let rate = self.rate;
        if let Some(bucket) = self.buckets.get_mut(publisher) {
            return bucket.take(rate, now);
        }
        if self.buckets.len() >= PUBLISHERS_MAX {
            // Whoever has saved up all again is as good as new.
            self.buckets.retain(|_, bucket| !bucket.is_full(rate, now));
        }
        if self.buckets.len() >= PUBLISHERS_MAX {
            return self.strangers.take(rate, now);
        }
        let bucket = Bucket::full(rate, now);
        self.buckets
            .entry(publisher.to_owned())
            .or_insert(bucket)
            .take(rate, now)
    }
}

impl Bucket {
    fn full(rate: f64, at: Duration) -> Self {
        Self {
            tokens: Self::size(rate),
            at,
        }
    }

    /// At least one, or a rate below one a second would never let any through.
    fn size(rate: f64) -> f64 {
        (rate * SAVED.as_secs_f64()).max(1.0)
    }

    fn fill(&mut self, rate: f64, now: Duration) {
        let since = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + since * rate).min(Self::size(rate));
        self.at = self.at.max(now);
    }

    fn is_full(mut self, rate: f64, now: Duration) -> bool {
        self.fill(rate, now);
        self.tokens >= Self::size(rate)
    }

    fn take(&mut self, rate: f64, now: Duration) -> bool {
        self.fill(rate, now);
        let goes = self.tokens >= 1.0;
        if goes {
            self.tokens -= 1.0;
        }
        goes
    }
}
