//! The counts of each second.

use jiff::Timestamp;
use revoker::revoke::sandbox::{
    limit::Endpoint,
    seconds::{Second, Seconds, Taken},
};
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time of this century")
}

#[test]
fn calls_are_counted_in_their_second() {
    let mut seconds = Seconds::default();
    for (second, endpoint, taken) in [
        (7, Endpoint::Revoke, true),
        (7, Endpoint::Revoke, false),
        (7, Endpoint::List, true),
        (9, Endpoint::Revoke, true),
        (9, Endpoint::Search, false),
        // A clock that was set back.
        (7, Endpoint::Whoami, true),
    ] {
        seconds.count(endpoint, taken, at(second));
    }
    let shown = |taken, refused| json!({"taken": taken, "refused": refused});
    let expected = json!({
        "7": {"revoke": shown(1, 1), "list": shown(1, 0), "whoami": shown(1, 0), "search": shown(0, 0)},
        "9": {"revoke": shown(1, 0), "list": shown(0, 0), "whoami": shown(0, 0), "search": shown(0, 1)},
    });
    assert_eq!(serde_json::to_value(&seconds).unwrap(), expected);
}

#[test]
fn only_the_last_seconds_are_kept() {
    let mut seconds = Seconds::default();
    let last = 2 * Seconds::MAX as i64;
    for second in 0..=last {
        seconds.count(Endpoint::Revoke, true, at(second));
        seconds.count(Endpoint::Revoke, true, at(second));
    }
    let kept: Vec<_> = seconds.iter().collect();
    assert_eq!(kept.len(), Seconds::MAX);
    assert_eq!(kept.last().map(|(at, _)| *at), Some(last));
    let full = Second {
        revoke: Taken {
            taken: 2,
            refused: 0,
        },
        ..Second::default()
    };
    assert!(kept.iter().all(|(_, second)| **second == full));
}
