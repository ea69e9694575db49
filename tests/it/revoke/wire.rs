//! The JSON of the API: what is sent holds exactly one target, what comes is read with care.

use revoker::revoke::{
    Call, CallKind, Session,
    outcome::{ApiCode, Class, Failure},
    wire::{ANSWER_BYTES_MAX, LIST_BYTES_MAX, answer, body},
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{INVALID, REVOKED, SESSION, canary, list, revoke, token};

#[test]
fn a_request_names_exactly_one_target() {
    let rows = [
        (revoke(), Some(json!({"session_id": SESSION}))),
        (canary(), Some(json!({"session_id": SESSION}))),
        (token(), Some(json!({"session_token": "a-token_0"}))),
        (
            Call::RevokeToken(SecretString::from("\"\\\n\u{1}ü")),
            Some(json!({"session_token": "\"\\\n\u{1}ü"})),
        ),
        (list(), None),
    ];
    for (call, wanted) in rows {
        let sent = body(&call).map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap());
        assert_eq!(sent, wanted, "{:?}", call.kind());
    }
}

#[test]
fn calls_are_counted_by_kind() {
    assert_eq!(revoke().kind(), CallKind::Revoke);
    assert_eq!(token().kind(), CallKind::Revoke);
    assert_eq!(list().kind(), CallKind::List);
    assert_eq!(canary().kind(), CallKind::Probe);
}

#[test]
fn a_call_that_is_shown_withholds_its_token() {
    assert!(!format!("{:?}", token()).contains("a-token_0"));
}

/// A 200 is a success only if its body says so too: anything else may be a proxy's.
#[test]
fn a_200_must_say_so_itself() {
    let rows = [
        (REVOKED, Class::Revoked),
        (r#"{"status_code":200}"#, Class::Revoked),
        (r#"{"new":{"a":[1]},"status_code":200}"#, Class::Revoked),
        (" \n{\"status_code\":200}\n", Class::Revoked),
        (r#"{"status_code":202}"#, INVALID),
        (r#"{"status_code":400,"error_type":"bad_request"}"#, INVALID),
        (
            r#"{"status_code":404,"error_type":"session_not_found"}"#,
            INVALID,
        ),
        (r#"{"request_id":"r"}"#, INVALID),
        (r#"{"status_code":"200"}"#, INVALID),
        (r#"{"status_code":200.0}"#, INVALID),
        (r#"{"status_code":200,"status_code":500}"#, INVALID),
        (r#"{"status_code":null}"#, INVALID),
        (r#"{"status_code":200"#, INVALID),
        (r#"{"status_code":200}{}"#, INVALID),
        ("<html>200</html>", INVALID),
        ("[]", INVALID),
        // serde's derive would take the fields of a struct in their order.
        (r#"[200,null,null,null]"#, INVALID),
        ("200", INVALID),
        ("null", INVALID),
        ("", INVALID),
        ("\u{feff}{\"status_code\":200}", INVALID),
    ];
    for (text, class) in rows {
        for call in [revoke(), token(), canary()] {
            let got = answer(&call, 200, text.as_bytes());
            assert_eq!(got.class, class, "{text}");
        }
        // A list without sessions is no list, whatever it says of itself.
        let got = answer(&list(), 200, text.as_bytes());
        assert_eq!((got.class, got.sessions.len()), (INVALID, 0), "{text}");
    }
    assert_eq!(answer(&revoke(), 200, b"\xff").class, INVALID);
}

#[test]
fn an_error_is_classified_by_its_type() {
    let rows = [
        (
            404,
            r#"{"error_type":"session_not_found"}"#,
            Class::AlreadyGone,
        ),
        (
            400,
            r#"{"status_code":404,"error_type":"bad_request","error_message":"session_not_found"}"#,
            Class::Permanent(ApiCode::BadRequest),
        ),
        (400, r#"{"error_message":"no type"}"#, INVALID),
        (400, r#"{"error_type":7}"#, INVALID),
        (404, "<html>session_not_found</html>", INVALID),
        (429, "<html>slow down</html>", Class::RateLimited),
        (
            502,
            "<html>bad gateway</html>",
            Class::Retryable(Failure::ServerError),
        ),
        (401, "no", Class::Credentials(ApiCode::Unauthorized)),
        (302, "", Class::Credentials(ApiCode::Redirect)),
    ];
    for (status, text, class) in rows {
        for call in [revoke(), list()] {
            let got = answer(&call, status, text.as_bytes());
            assert_eq!(got.class, class, "{status} {text}");
        }
    }
}

/// They go into logs and headers: nothing may hide in them.
#[test]
fn words_from_outside_are_kept_only_if_plain() {
    let kept = |request_id: &str, error_type: &str| {
        let text = json!({"request_id": request_id, "error_type": error_type}).to_string();
        let got = answer(&revoke(), 400, text.as_bytes());
        (got.request_id, got.error_type)
    };
    let some = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
    assert_eq!(kept("request-id-1", "a_b9"), some("request-id-1", "a_b9"));
    let (id, word) = ("r".repeat(128), "w".repeat(64));
    assert_eq!(kept(&id, &word), some(&id, &word));
    for (id, word) in [
        ("r".repeat(129), "w".repeat(65)),
        ("a b".into(), "Word".into()),
        ("a\nb".into(), "a-b".into()),
        ("ü".into(), "ü".into()),
        (String::new(), String::new()),
        ("\u{1b}[31m".into(), "a b".into()),
    ] {
        assert_eq!(kept(&id, &word), (None, None), "{id:?} {word:?}");
    }
    let unknown = answer(&revoke(), 400, br#"{"error_type":"Odd type!"}"#);
    assert_eq!(unknown.class, Class::Permanent(ApiCode::ApiOther));
}

#[test]
fn a_list_keeps_ids_and_times_and_skips_the_rest() {
    let text = json!({
        "status_code": 200,
        "request_id": "r-1",
        "sessions": [
            {"session_id": "s-1", "started_at": "2026-11-22T06:30:00Z"},
            {"session_id": "s-2", "started_at": "2026-11-22T06:30:00.123456789Z", "user_id": "u",
             "authentication_factors": [{"deep": [[[{"a": null}]]]}], "attributes": null},
            {"session_id": "s-3", "started_at": "2026-11-22T08:30:00.5+02:00", "expires_at": 7},
        ],
        "results_metadata": {"total": 3},
    });
    let got = answer(&list(), 200, text.to_string().as_bytes());
    let session = |id: &str, at: &str| Session {
        session_id: id.into(),
        started_at: at.parse().unwrap(),
    };
    assert_eq!(got.class, Class::Revoked);
    assert_eq!(
        got.sessions,
        [
            session("s-1", "2026-11-22T06:30:00Z"),
            session("s-2", "2026-11-22T06:30:00.123456789Z"),
            session("s-3", "2026-11-22T06:30:00.5Z"),
        ]
    );
    let none = answer(&list(), 200, br#"{"status_code":200,"sessions":[]}"#);
    assert_eq!((none.class, none.sessions.len()), (Class::Revoked, 0));
}

/// Half a list would leave the other half alive and call the user done.
#[test]
fn a_list_is_read_whole_or_not_at_all() {
    for sessions in [
        json!([{"session_id": "s-1"}]),
        json!([{"started_at": "2026-11-22T06:30:00Z"}]),
        json!([{"session_id": "s-1", "started_at": "yesterday"}]),
        json!([{"session_id": 1, "started_at": "2026-11-22T06:30:00Z"}]),
        json!([{"session_id": "s-1", "started_at": "2026-11-22T06:30:00Z"}, null]),
        json!({"session_id": "s-1"}),
        Value::Null,
    ] {
        let text = json!({"status_code": 200, "sessions": sessions}).to_string();
        let got = answer(&list(), 200, text.as_bytes());
        assert_eq!((got.class, got.sessions.len()), (INVALID, 0), "{text}");
    }
}

/// An unknown field however deep costs neither stack nor memory.
#[test]
fn nesting_does_no_harm() {
    let deep = "[".repeat(ANSWER_BYTES_MAX);
    for text in [
        format!(r#"{{"status_code":200,"new":{deep}"#),
        deep,
        "{\"a\":".repeat(ANSWER_BYTES_MAX / 5),
    ] {
        assert_eq!(answer(&revoke(), 200, text.as_bytes()).class, INVALID);
    }
    assert_eq!(ANSWER_BYTES_MAX, 64 * 1024);
    assert_eq!(LIST_BYTES_MAX, 8 * 1024 * 1024);
}
