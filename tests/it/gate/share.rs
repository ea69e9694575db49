//! A limit for all workers together, and the part of one of them.

use std::time::Duration;

use revoker::gate::{Settings, line::Line, share::Share};

use super::settings;

/// The ceiling after so many consumers were heard, one reading after the other.
fn check(own: Option<f64>, total: Option<f64>, heard: &[u32], workers: u32, ceiling: Option<f64>) {
    let mut share = Share::new(own, total);
    heard.iter().for_each(|consumers| share.heard(*consumers));
    assert_eq!(
        (share.workers(), share.ceiling()),
        (workers, ceiling),
        "{own:?}, {total:?}, {heard:?}"
    );
}

#[test]
fn the_part_follows_the_number_of_workers() {
    let total = Some(100.0);
    check(None, total, &[], 1, total);
    check(None, total, &[4], 4, Some(25.0));
    check(None, total, &[1, 2, 4], 4, Some(25.0));
    // A slow leader's 0 is not believed, nor one reading of fewer.
    check(None, total, &[4, 0], 4, Some(25.0));
    check(None, total, &[0, 0, 0], 1, total);
    check(None, total, &[4, 3, 3], 4, Some(25.0));
    check(None, total, &[4, 3, 3, 3], 3, Some(100.0 / 3.0));
    check(Some(30.0), total, &[2], 2, Some(30.0));
    check(Some(30.0), total, &[4], 4, Some(25.0));
    check(Some(30.0), None, &[4], 4, Some(30.0));
    check(None, None, &[4], 4, None);
}

#[test]
fn the_rate_follows_the_part_at_once() {
    let mut line = Line::<u32>::new(&Settings {
        max_rate_total: Some(100.0),
        start_rate: 1_000.0,
        ..settings(10, 2)
    });
    let mut rate = |consumers| {
        let changed = line.heard_consumers(consumers);
        let view = line.view(Duration::ZERO);
        assert_eq!(view.rates, [view.ceiling.unwrap(); 2]);
        (changed, view.rates[0])
    };
    assert_eq!(rate(1), (None, 100.0));
    assert_eq!(rate(2), (Some(2), 50.0));
    assert_eq!([rate(1), rate(1)], [(None, 50.0); 2]);
    assert_eq!(rate(1), (Some(1), 100.0));
}
