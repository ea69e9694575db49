//! What each kind of window promises, against calls at random times.

use jiff::Timestamp;
use revoker::revoke::sandbox::{
    limit::{Endpoint, Limits, Period, Window},
    limiter::Limiter,
};

/// Calls of one round.
const CALLS: u32 = 600;

/// What the kinds of windows promise, in so many words, over all calls there ever were.
struct Promise {
    limits: Limits,
    counted_ms: Vec<i64>,
}

impl Promise {
    fn has_room(&self, now_ms: i64) -> bool {
        self.limits.limits.iter().all(|limit| {
            let period_ms = match limit.period {
                Period::Second => 1000,
                Period::Minute => 60_000,
            };
            let calls = i64::from(limit.calls);
            let since = |from_ms| {
                let before = self.counted_ms.partition_point(|ms| *ms <= from_ms);
                (self.counted_ms.len() - before) as i64
            };
            match self.limits.window {
                Window::Fixed => since(now_ms.div_euclid(period_ms) * period_ms - 1) < calls,
                Window::Sliding => since(now_ms - period_ms) < calls,
                // No stretch that ends now saw more than a burst and what trickled in meanwhile.
                Window::Bucket => self.counted_ms.iter().all(|from_ms| {
                    let burst = i64::from(self.limits.burst);
                    let trickled = (now_ms - from_ms) * calls;
                    (since(from_ms - 1) + 1 - burst) * period_ms <= trickled
                }),
            }
        })
    }
}

#[test]
fn every_window_keeps_its_promise_and_refuses_no_more_than_that() {
    for (window, count_refused) in [
        (Window::Fixed, false),
        (Window::Fixed, true),
        (Window::Sliding, false),
        (Window::Sliding, true),
        (Window::Bucket, false),
    ] {
        for seed in 0..5 {
            let limits = Limits {
                limits: ["10/s", "100/min"]
                    .map(|text| text.parse().unwrap())
                    .to_vec(),
                window,
                count_refused,
                ..Limits::default()
            };
            let mut rng = fastrand::Rng::with_seed(seed);
            let (mut limiter, mut now_ms, mut refused) = (Limiter::new(limits.clone()), 0, 0);
            let mut promise = Promise {
                limits,
                counted_ms: Vec::new(),
            };
            for n in 0..CALLS {
                let gap_ms_max = [2, 100, 500][rng.usize(..3)];
                // Bursts and pauses, faster than the limits allow.
                now_ms += rng.i64(0..gap_ms_max);
                let expected = promise.has_room(now_ms);
                let at = Timestamp::from_millisecond(now_ms).expect("a time of this century");
                let taken = limiter.take(Endpoint::Revoke, None, at);
                let name = format!("{window:?} {count_refused}, seed {seed}, call {n}");
                assert_eq!(taken, expected, "{name}, at {now_ms} ms");
                // 10 for the second and 100 for the minute, however many were refused.
                assert!(limiter.logged() <= 110, "{name}: {}", limiter.logged());
                if taken || count_refused {
                    promise.counted_ms.push(now_ms);
                }
                refused += u32::from(!taken);
            }
            assert!(
                (CALLS / 20..CALLS).contains(&refused),
                "{window:?}: {refused}"
            );
        }
    }
}
