//! Tests of reading outcomes: what `settle` writes can be read, and what is none is skipped.

use revoker::campaign::{Outcome, outcome::Done};
use serde_json::json;

use super::given::outcome;

#[test]
fn what_the_worker_writes_is_read() {
    let fixture = include_str!("../compat/outcome-v1.json");
    let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
    for (name, body) in fixture
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, body)| body.is_object())
    {
        let body = body.to_string();
        assert!(Outcome::read(body.as_bytes()).is_some(), "{name}");
    }
    let newer = outcome(1, json!({"a_new_field": {"of": ["a", "newer", "worker"]}}));
    assert!(Outcome::read(&newer).is_some());
}

#[test]
fn what_is_no_outcome_is_skipped() {
    let others: [&[u8]; 5] = [
        b"",
        b"{}",
        b"\xff",
        br#"{"type": "revoker.worker.state.v1", "worker": "a"}"#,
        br#"["session.revoke.outcome.v1"]"#,
    ];
    for body in others {
        assert_eq!(
            Outcome::read(body),
            None,
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    let v2 = outcome(1, json!({"type": "session.revoke.outcome.v2"}));
    assert_eq!(Outcome::read(&v2), None);
    let long = outcome(1, json!({"request_id": "x".repeat(16 * 1024)}));
    assert_eq!(Outcome::read(&long), None);
}

#[test]
fn an_unknown_user_is_told_from_an_unknown_session() {
    let done = |code: &str| {
        let body = outcome(1, json!({"outcome": "already_gone", "code": code}));
        Outcome::read(&body).unwrap().done()
    };
    assert_eq!(done("user_not_found"), Some(Done::UnknownUser));
    assert_eq!(done("session_not_found"), Some(Done::NoSuchSession));
}
