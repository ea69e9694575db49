//! Exponential steps with full jitter: every wait from nothing to the whole step is as likely.

use std::time::Duration;

use revoker::settle::delay::{STEP_FIRST, STEP_MAX, step, wait};

#[test]
fn steps_double_up_to_the_longest() {
    let steps_ms: Vec<u128> = (1..=9).map(|n| step(n).as_millis()).collect();
    assert_eq!(
        steps_ms,
        [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]
    );
    assert_eq!((step(1), step(9)), (STEP_FIRST, STEP_MAX));
    assert_eq!(step(0), STEP_FIRST, "no attempt waits like the first");
    assert_eq!(step(u32::MAX), STEP_MAX);
}

/// Not what the crate draws for itself: the same comes out each time.
#[test]
fn a_step_has_no_randomness_of_its_own() {
    for attempt in 1..=9 {
        assert!((0..100).all(|_| step(attempt) == step(attempt)));
    }
}

#[test]
fn jitter_scales_the_whole_step() {
    for attempt in 1..=9 {
        let whole = step(attempt);
        for (jitter, wanted) in [
            (0.0, Duration::ZERO),
            (0.25, whole / 4),
            (0.5, whole / 2),
            (1.0, whole),
            (7.0, whole),
            (-1.0, Duration::ZERO),
        ] {
            assert_eq!(wait(attempt, jitter), wanted, "{attempt} {jitter}");
        }
    }
}

/// Where a step is a whole number of seconds, jitter that is drawn for seconds and nanoseconds apart
/// has nothing to draw from; two published crates do that.
#[test]
fn whole_seconds_are_jittered_as_evenly_as_any() {
    const DRAWS: usize = 20_000;
    for attempt in 1..=8 {
        let mut rng = fastrand::Rng::with_seed(attempt.into());
        let whole = step(attempt);
        let mut tenths = [0_usize; 10];
        let mut sum = Duration::ZERO;
        for _ in 0..DRAWS {
            let wait = wait(attempt, rng.f64());
            assert!(wait <= whole);
            sum += wait;
            let part = wait.as_secs_f64() / whole.as_secs_f64();
            tenths[((part * 10.0) as usize).min(9)] += 1;
        }
        // 2,000 each are expected; 200 off would be nearly five standard deviations.
        assert!(
            tenths.iter().all(|n| n.abs_diff(DRAWS / 10) < 200),
            "{whole:?}: {tenths:?}"
        );
        let mean = sum / u32::try_from(DRAWS).unwrap();
        assert!(mean.abs_diff(whole / 2) < whole / 50, "{whole:?}: {mean:?}");
    }
}
