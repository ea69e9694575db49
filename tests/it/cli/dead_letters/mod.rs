//! Tests of `revoker dead-letters` without a broker.

mod filters;
mod ramp;
mod shown;

use jiff::{SignedDuration, Timestamp};
use revoker::{
    event::HeaderValue,
    settle::letter::{Found, Letter},
};

use super::revoker;

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

/// A letter with these headers, without `revoker-`; dead for an hour unless they say otherwise.
fn letter(headers: &[(&str, &str)]) -> (Found, Letter) {
    let hour_ago = (now() - SignedDuration::from_hours(1)).to_string();
    let usual = [
        ("code", "attempts_exhausted"),
        ("lane", "bulk"),
        ("publisher", "accounts"),
        ("event-id", "e1"),
        ("target-kind", "session"),
        ("dead-lettered-at", &hour_ago),
    ];
    let mut ours = vec![("revoker-version".to_owned(), HeaderValue::Int(1))];
    for (name, value) in usual
        .iter()
        .filter(|(name, _)| headers.iter().all(|(n, _)| n != name))
        .chain(headers)
    {
        ours.push((
            format!("revoker-{name}"),
            HeaderValue::Text((*value).to_owned()),
        ));
    }
    let found = Found {
        ours,
        routing_key: "accounts".into(),
        ..Found::default()
    };
    let read = Letter::read(&found, b"{}", None);
    (found, read)
}

/// Without a broker all of these are refused before it is asked for.
#[test]
fn wrong_usage_is_refused() {
    for args in [
        &["dead-letters"][..],
        &["dead-letters", "list"],
        &["dead-letters", "list", "--code", "no_such_code"],
        &["dead-letters", "show"],
        &["dead-letters", "replay", "--yes"],
        &["dead-letters", "replay", "--rate", "0"],
        &["dead-letters", "replay", "--wait", "1h"],
        &["dead-letters", "purge"],
    ] {
        let ended = revoker(args, &[], "");
        assert_eq!(ended.0, 64, "{args:?}: {ended:?}");
    }
    let broker = [("REVOKER_AMQP_URL", "amqp://guest@127.0.0.1:1")];
    let all = revoker(
        &["dead-letters", "purge", "--yes", "--why", "x"],
        &broker,
        "",
    );
    assert!(all.0 == 64 && all.2.contains("say which"), "{all:?}");
    let away = revoker(&["dead-letters", "list"], &broker, "");
    assert_eq!(away.0, 69, "{away:?}");
}
