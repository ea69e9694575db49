//! Waiting for something to become true, with a deadline and a name for the failure.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until `look` gives a value.
///
/// # Panics
/// When it has not within `longest`, naming `what` was waited for.
pub(crate) async fn value<T>(
    what: &str,
    longest: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(
            began.elapsed() < longest,
            "waited {} s in vain for: {what}",
            longest.as_secs()
        );
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until `look` says yes; see [`value`]. Returns how long that took.
pub(crate) async fn until(
    what: &str,
    longest: Duration,
    mut look: impl AsyncFnMut() -> bool,
) -> Duration {
    let began = Instant::now();
    value(what, longest, async || look().await.then_some(())).await;
    began.elapsed()
}
