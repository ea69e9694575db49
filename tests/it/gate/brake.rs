//! What one publisher may have ahead of bulk.

use std::time::Duration;

use revoker::gate::brake::{Brake, PUBLISHERS_MAX};

/// How many of `count` events at this time go first.
fn first(brake: &mut Brake, publisher: &str, count: usize, at_ms: u64) -> usize {
    let now = Duration::from_millis(at_ms);
    (0..count)
        .filter(|_| brake.goes_first(publisher, now))
        .count()
}

#[test]
fn a_flood_gets_its_allowance_and_no_more() {
    let mut brake = Brake::new(50.0);
    let story = [
        ("flood", 10_000, 0, 50),
        ("flood", 10_000, 100, 5),
        // Another publisher has its own.
        ("reset", 20, 100, 20),
        ("flood", 10_000, 1_100, 50),
        // Nothing is saved up beyond a second.
        ("flood", 10_000, 60_000, 50),
        ("flood", 10_000, 60_010, 0),
        // A clock that steps back gives nothing away.
        ("flood", 10_000, 59_000, 0),
    ];
    for (publisher, count, at_ms, goes) in story {
        assert_eq!(
            first(&mut brake, publisher, count, at_ms),
            goes,
            "{publisher} at {at_ms} ms"
        );
    }
}

#[test]
fn a_slow_allowance_lets_one_through() {
    let mut brake = Brake::new(0.5);
    assert_eq!(first(&mut brake, "a", 3, 0), 1);
    assert_eq!(first(&mut brake, "a", 3, 1_000), 0);
    assert_eq!(first(&mut brake, "a", 3, 2_000), 1);
}

#[test]
fn invented_publishers_share_one_allowance() {
    let mut brake = Brake::new(50.0);
    let mut goes = 0;
    for n in 0..3 * PUBLISHERS_MAX {
        goes += first(&mut brake, &format!("invented-{n}"), 2, 0);
    }
    // Each of the known ones both of its events, all others together one allowance.
    assert_eq!(goes, 2 * PUBLISHERS_MAX + 50);
    // Later the known ones are forgotten, and new ones have their own again.
    assert_eq!(first(&mut brake, "reset", 60, 5_000), 50);
}
