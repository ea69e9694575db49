//! The table of refusals that publishers were promised, row by row: data, as `refused` is.

use serde_json::json;

use super::{
    fixture::*,
    refused::{Refused, refused},
};

/// Bodies that are not one event.
pub(super) fn bodies() -> Vec<Refused> {
    let event = body(json!({"session_id": "s-1"}));
    vec![
        refused(
            "",
            "empty_body: the message body is empty; send one JSON object",
        ),
        refused(
            r#"{"id":"a","#,
            "malformed_json: the body is not valid JSON (line 1, column 10: it ends too early); send one JSON object",
        ),
        refused(
            b"{\"id\":\"\xff\"}",
            "not_utf8: the body is not UTF-8 (first bad byte at offset 7); encode the body as UTF-8",
        ),
        refused(
            b"\xef\xbb\xbf{}",
            "malformed_json: the body starts with a byte order mark; send UTF-8 without it",
        ),
        refused(
            "x".repeat(20_000),
            "too_large: the body has 20000 bytes, the limit is 16384; one event names one target, send more events instead",
        ),
        refused(
            format!("[{0},{0}]", body(json!({}))),
            "not_an_object: the body is an array; send one event per message",
        ),
        refused(
            format!("{event:162}{event}"),
            "malformed_json: there is more text after the first JSON value (line 1, column 163); send one event per message",
        ),
    ]
}

/// Names and targets.
pub(super) fn names_and_targets() -> Vec<Refused> {
    vec![
        refused(
            body(json!({"session_id": null})),
            "target_missing: no target; give exactly one of session_id, session_token, session_jwt, user_id",
        ),
        refused(
            body(json!({"user_id": USER})),
            "target_ambiguous: 2 targets (session_id, user_id); give exactly one, and send two events to revoke both",
        ),
        refused(
            body(json!({"session_id": null, "sesion_id": SESSION})),
            "unknown_field: \"sesion_id\" is not a field of session.revoke.v1 (did you mean \"session_id\"?); put your own data under \"ext\"",
        ),
        refused(
            body(json!({"session_id": "NULL"})).replace("\"NULL\"", "null"),
            "wrong_type: session_id is null, expected a string; leave the field out instead",
        ),
        refused(
            body(json!({"session_id": 42})),
            "wrong_type: session_id is a number, expected a string",
        ),
        refused(
            body(json!({"session_id": USER})),
            "bad_format: session_id does not look like a session id (session-test-… or session-live-…); it looks like a user id, use \"user_id\"",
        ),
        refused(
            body(json!({"session_id": TOKEN})),
            "bad_format: session_id does not look like a session id (44 characters, value withheld); a session token goes in \"session_token\"",
        ),
        refused(
            body(json!({"session_id": SESSION.replace("live", "test")})),
            "wrong_environment: session_id belongs to a test project, this worker serves a live project; publish to the test worker",
        ),
        refused(
            body(json!({})).replacen('{', &format!("{{\"session_id\":\"{SESSION}\","), 1),
            "duplicate_field: session_id appears twice; a JSON object may name a field once",
        ),
    ]
}

/// Values.
pub(super) fn values() -> Vec<Refused> {
    let deep = format!(
        "{}{}",
        "{\"a\":".repeat(40),
        "1".to_owned() + &"}".repeat(40)
    );
    vec![
        refused(
            body(json!({"ext": "DEEP"})).replace("\"DEEP\"", &deep),
            "too_deep: ext is nested deeper than 4 levels",
        ),
        refused(
            body(json!({"type": "session.revoke.v2"})),
            "unsupported_type: this worker supports session.revoke.v1, session.revoke.verify.v1; upgrade the worker or send v1",
        ),
        refused(
            body(json!({"id": null})),
            "field_missing: id is required; use a new UUID for each event",
        ),
        refused(
            body(json!({"occurred_at": "2026-11-22T06:30:00"})),
            "bad_time: occurred_at has no time zone; write it as 2026-11-22T06:30:00Z",
        ),
        refused(
            body(json!({"occurred_at": 1795329000})),
            "wrong_type: occurred_at is a number, expected an RFC 3339 string such as 2026-11-22T06:30:00Z",
        ),
        refused(
            body(json!({"reason": "Password reset!"})),
            "bad_format: reason must be lower-case letters, digits and _ (such as password_reset), at most 64 characters",
        ),
    ]
}
