//! What is remembered of calls, for how long, and how much of it.

use std::time::Duration;

use jiff::Timestamp;
use revoker::gate::dedupe::{Dedupe, Key, Known, REMEMBERED, REMEMBERED_MAX, WAITING_MAX};

fn key(n: usize) -> Key {
    Key::new("session", &n.to_string())
}

/// For whom it was revoked.
fn event() -> Key {
    Key::new("accounts", "reset-1")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn kinds_and_names_do_not_run_together() {
    assert_ne!(Key::new("session", "a"), Key::new("user", "a"));
    assert_ne!(Key::new("user", "xy"), Key::new("userx", "y"));
    assert_eq!(Key::new("user", "a"), Key::new("user", "a"));
}

#[test]
fn a_revocation_is_remembered_for_its_time() {
    let mut dedupe = Dedupe::<()>::default();
    let then = Duration::from_secs(1000);
    dedupe.revoked(key(1), event(), then);
    for (after, known) in [
        (Duration::ZERO, Known::Recent(event())),
        (
            REMEMBERED - Duration::from_millis(1),
            Known::Recent(event()),
        ),
        (REMEMBERED, Known::Nothing),
    ] {
        assert_eq!(dedupe.session(&key(1), then + after), known, "{after:?}");
    }
    // However the memory is turned over meanwhile.
    for second in 0..REMEMBERED.as_secs() {
        let now = then + Duration::from_secs(second);
        dedupe.revoked(key(2), event(), now);
        assert_eq!(
            dedupe.session(&key(1), now),
            Known::Recent(event()),
            "{second} s"
        );
    }
}

#[test]
fn memory_has_an_end_and_loses_the_oldest() {
    let mut dedupe = Dedupe::<()>::default();
    let now = Duration::from_secs(1);
    for n in 0..3 * REMEMBERED_MAX {
        dedupe.revoked(key(n), event(), now);
    }
    assert_eq!(dedupe.session(&key(0), now), Known::Nothing);
    let last = 3 * REMEMBERED_MAX - 1;
    for n in [last, last - REMEMBERED_MAX + 1] {
        assert_eq!(dedupe.session(&key(n), now), Known::Recent(event()), "{n}");
    }
}

#[test]
fn those_who_wait_for_a_call_are_told_and_are_not_too_many() {
    let (mut dedupe, now) = (Dedupe::default(), Duration::ZERO);
    assert_eq!(dedupe.join(&key(1), 0), Err(0), "nothing is on the wire");
    assert!(dedupe.take_off(key(1)));
    assert!(!dedupe.take_off(key(1)), "one call a target");
    assert_eq!(dedupe.session(&key(1), now), Known::InFlight);
    for waiter in 0..WAITING_MAX {
        assert_eq!(dedupe.join(&key(1), waiter), Ok(()));
    }
    assert_eq!(dedupe.join(&key(1), 99), Err(99));
    assert_eq!(dedupe.land(&key(1)), (0..WAITING_MAX).collect::<Vec<_>>());
    assert_eq!(
        dedupe.session(&key(1), now),
        Known::Nothing,
        "a failure is not remembered"
    );
}

#[test]
fn a_pass_over_a_user_covers_what_was_asked_before_it() {
    let (mut dedupe, now) = (Dedupe::<()>::default(), Duration::from_secs(5));
    let user = Key::new("user", "u");
    let [early, then, late] =
        ["06:00:00", "06:30:00", "07:00:00"].map(|t| at(&format!("2026-11-22T{t}Z")));
    dedupe.user_done(user, then, now);
    // A pass with an earlier cutoff does not take the better one's place.
    dedupe.user_done(user, early, now);
    for (cutoff, covered) in [(early, true), (then, true), (late, false)] {
        assert_eq!(dedupe.is_user_done(&user, cutoff, now), covered, "{cutoff}");
    }
    assert!(!dedupe.is_user_done(&user, early, now + REMEMBERED));
}
