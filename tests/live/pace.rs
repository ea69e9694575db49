//! A limit that the worker is not told of: it is found, used and hardly ever run against.
//!
//! On the real clock, so shares are asserted in the long form only; the many kinds of limits are
//! simulated elsewhere. The pretend API's own counts are the judge, not the worker's metrics.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::harness::{Event, PATIENCE, World, is_full, wait};

/// Calls that the pretend API takes in each second of the wall clock.
pub(crate) const LIMIT: u64 = 200;
/// Seconds of work that are looked at, once the limit is found.
const SECONDS: usize = 10;
/// The share of the limit that is used in them, at least.
pub(crate) const USED_MIN: f64 = 0.90;
/// The share of all calls that are answered 429, from the cold start on, at most.
pub(crate) const WASTED_MAX: f64 = 0.02;

/// What the pretend API's limit did in one second.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Taken {
    pub(crate) taken: u64,
    refused: u64,
}

#[tokio::test]
async fn an_unknown_limit_is_used_and_not_run_against() {
    // The long form has work for the seconds that count, for as many before, and for some after.
    let events = if is_full() { 5_000 } else { 500 };
    let limit = format!("{LIMIT}/s");
    let arguments = ["--limit", &limit, "--window", "fixed", "--latency", "20ms"];
    let world = World::with_sandbox("pace", &arguments).await;
    world.declare().await;
    let ids = world.sandbox.seed_sessions(events).await;
    let waiting: Vec<_> = ids.iter().map(|id| Event::session(id).bulk()).collect();
    world.broker.publish(&waiting).await;

    let mut worker = world.worker().start().await;
    wait::until("all are revoked", 3 * PATIENCE, async || {
        world.sandbox.revoked().await >= events as u64
    })
    .await;
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{status}");
    assert_eq!(world.broker.queued().await, 0);
    // To be told to slow down is nobody's failure.
    assert_eq!(world.broker.depth("dead").await, Some(0));

    let seconds = seconds(&world).await;
    let wasted = wasted(&seconds);
    eprintln!("{events} events in {} s, {wasted:.4} wasted", seconds.len());
    for (at, second) in &seconds {
        assert!(second.taken <= LIMIT, "{at}: {second:?}");
    }
    if is_full() {
        let used = used(&seconds);
        eprintln!("{used:.3} of the limit used in {SECONDS} s");
        assert!(used >= USED_MIN, "{used:.3} used: {seconds:?}");
        assert!(wasted <= WASTED_MAX, "{wasted:.4} wasted: {seconds:?}");
    }
}

/// The counts of revoke calls, by second.
pub(crate) async fn seconds(world: &World) -> BTreeMap<i64, Taken> {
    #[derive(Deserialize)]
    struct Second {
        revoke: Taken,
    }
    let seconds = world.sandbox.stats().await["seconds"].take();
    let seconds: BTreeMap<i64, Second> = serde_json::from_value(seconds).unwrap();
    let seconds = seconds.into_iter();
    seconds.map(|(at, second)| (at, second.revoke)).collect()
}

/// The share of the limit that was used in the seconds after the first in which it was met. A second
/// without any call is one of them.
pub(crate) fn used(seconds: &BTreeMap<i64, Taken>) -> f64 {
    let met = |second: &Taken| second.refused > 0 || second.taken as f64 >= USED_MIN * LIMIT as f64;
    let found = seconds.iter().find(|(_, second)| met(second));
    let (found, _) = found.unwrap_or_else(|| panic!("the limit was never met: {seconds:?}"));
    let last = found + SECONDS as i64;
    assert!(
        seconds.range(last + 1..).next().is_some(),
        "there was no work left in the seconds that count: {seconds:?}"
    );
    let taken = seconds.range(found + 1..=last).map(|(_, s)| s.taken);
    taken.sum::<u64>() as f64 / (LIMIT * SECONDS as u64) as f64
}

/// The share of all calls that were refused.
pub(crate) fn wasted(seconds: &BTreeMap<i64, Taken>) -> f64 {
    let refused: u64 = seconds.values().map(|second| second.refused).sum();
    let taken: u64 = seconds.values().map(|second| second.taken).sum();
    refused as f64 / (refused + taken) as f64
}
