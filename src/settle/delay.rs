//! How long to wait before a message is tried again, and the only file that names `backoff`.
//!
//! Pure: the jitter comes in. The crate is unmaintained (RUSTSEC-2025-0012) but was asked for; it
//! only gives the exponential steps here, so that replacing it is a change to this file. Its own
//! randomness is switched off, since a factor of 1 is not full jitter, and its default of giving
//! up after 15 minutes too.

use std::time::Duration;

use backoff::{ExponentialBackoff, ExponentialBackoffBuilder, backoff::Backoff};

/// First step.
pub const STEP_FIRST: Duration = Duration::from_millis(250);
/// Longest step: what waits longer belongs in a delay queue, not in memory.
pub const STEP_MAX: Duration = Duration::from_secs(15);

/// The exponential step after `attempt` failed attempts (1 for the first), without jitter.
pub fn step(attempt: u32) -> Duration {
    let mut steps: ExponentialBackoff = ExponentialBackoffBuilder::new()
        .with_initial_interval(STEP_FIRST)
        .with_multiplier(2.0)
        .with_max_interval(STEP_MAX)
        .with_randomization_factor(0.0)
        .with_max_elapsed_time(None)
        .build();
    // Past this many the step is the longest one anyway.
    let mut step = STEP_FIRST;
    for _ in 0..attempt.clamp(1, 16) {
        step = steps.next_backoff().unwrap_or(STEP_MAX);
    }
    step.min(STEP_MAX)
}

/// The wait after `attempt` failed attempts with full jitter: `jitter` in 0..1 scales the whole step.
pub fn wait(attempt: u32, jitter: f64) -> Duration {
    step(attempt).mul_f64(jitter.clamp(0.0, 1.0))
}
