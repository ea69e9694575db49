//! `revoker lint` as a program: files, lines, headers and exit codes. What it says is `contract::lint`'s.

use serde_json::{Value, json};

use super::revoker;
use crate::config::{LIVE, PROJECT};

fn event(id: &str) -> Value {
    json!({"type": "session.revoke.v1", "id": id, "occurred_at": "2026-11-22T06:29:58Z",
        "reason": "policy", "session_id": "session-test-8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d"})
}

/// Runs `revoker lint` with these arguments and input.
fn check(args: &[&str], input: &str, wanted: (i32, &str, &str)) {
    let ended = revoker(&[&["lint"], args].concat(), &[], input);
    let (code, out, err) = wanted;
    assert_eq!(
        (ended.0, ended.1.as_str(), ended.2.as_str()),
        (code, out, err),
        "{args:?} {input}"
    );
}

const ONE: &str = "error: the worker would refuse this event\n";

#[test]
fn one_event_on_standard_input() {
    let (event, ok) = (event("a").to_string(), "ok: the worker takes the event a\n");
    check(&["-"], &event, (0, ok, ""));
    check(&["-"], &format!("{event}\n"), (0, ok, ""));
    check(&["-"], &format!("{:#}\n", self::event("a")), (0, ok, ""));
    check(
        &["-"],
        "",
        (
            1,
            "empty_body: the message body is empty; send one JSON object\n",
            ONE,
        ),
    );
    // Two values on lines of their own, of which one is no event, are no list.
    let (code, out, _) = revoker(&["lint", "-"], &[], "{}\n[]\n");
    assert!(
        code == 1 && out.starts_with("malformed_json: there is more text"),
        "{out}"
    );
}

/// The contract's text, and nothing of the value.
#[test]
fn a_misspelt_field_is_told() {
    let (code, out, err) = revoker(
        &["lint", "-"],
        &[],
        "{\"type\":\"session.revoke.v1\",\"sesion_id\":\"x\"}\n",
    );
    assert_eq!((code, err.as_str()), (1, ONE));
    assert_eq!(
        out.lines().next(),
        Some(
            "unknown_field: \"sesion_id\" is not a field of session.revoke.v1 (did you mean \"session_id\"?); put your own data under \"ext\""
        )
    );
    assert_eq!(out.lines().count(), 4, "{out}");
}

#[test]
fn events_on_lines_are_told_by_number() {
    let mut wrong = event("b");
    wrong["reason"] = "No".into();
    let lines = format!("{}\n\n{wrong}\r\n{}", event("a"), event("c"));
    let text = "line 3: bad_format: reason must be lower-case letters, digits and _ (such as password_reset), at most 64 characters\n";
    let refused = "error: the worker would refuse 1 of 3 events\n";
    check(&["-"], &lines, (1, text, refused));
    check(&["--ndjson", "-"], &lines, (1, text, refused));
    check(&["--ndjson", "-"], &event("a").to_string(), (0, "", ""));
    let (code, out, _) = revoker(&["lint", "--json", "-"], &[], &lines);
    let objects: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((code, objects.len()), (1, 3));
    assert_eq!(
        objects[0],
        json!({"line": 1, "taken": true, "event_id": "a", "problems": [], "warnings": []})
    );
    assert_eq!(
        (&objects[1]["line"], &objects[1]["event_id"]),
        (&json!(3), &json!("b"))
    );
    assert_eq!(objects[1]["problems"][0]["code"], "bad_format");
}

#[test]
fn warnings_do_not_fail() {
    let mut event = event("a");
    event["reason"] = "whim".into();
    let (code, out, err) = revoker(&["lint", "-"], &[], &event.to_string());
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.starts_with("warning: unknown_reason: ") && out.ends_with("takes the event a\n"),
        "{out}"
    );
}

#[test]
fn a_binary_cloud_event_needs_its_headers() {
    let data = r#"{"reason":"policy","user_id":"u-1"}"#;
    let headers = [
        "--header",
        "ce-specversion=1.0",
        "--header",
        "ce-id=a",
        "--header",
        "ce-source=/x",
        "--header",
        "ce-type=session.revoke.v1",
        "--header",
        "ce-time=2026-11-22T06:29:58Z",
        "--content-type",
        "application/json",
        "-",
    ];
    let (code, out, _) = revoker(&[&["lint"], &headers[..]].concat(), &[], data);
    assert!(
        code == 0 && out.contains("warning: unknown_id_format"),
        "{out}"
    );
    let (code, out, _) = revoker(&["lint", "-"], &[], data);
    assert!(code == 1 && out.contains("field_missing: type"), "{out}");
}

#[test]
fn a_project_refuses_what_is_of_another() {
    let input = event("a").to_string();
    check(
        &["--project-id", PROJECT, "-"],
        &input,
        (0, "ok: the worker takes the event a\n", ""),
    );
    let text = "wrong_environment: session_id belongs to a test project, this worker serves a live project; publish to the test worker\n";
    check(&["--project-id", LIVE, "-"], &input, (1, text, ONE));
    check(
        &["--content-encoding", "gzip", "-"],
        &input,
        (
            1,
            "unsupported_encoding: content_encoding \"gzip\" is not supported; send the body uncompressed\n",
            ONE,
        ),
    );
    let strict = input.replace("session-test-8d3c", "s-");
    assert_eq!(revoker(&["lint", "--strict-ids", "-"], &[], &strict).0, 1);
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let cases: [(&[&str], i32); 6] = [
        (&[], 64),
        (&["/nowhere/event.json"], 66),
        (&[folder], 74),
        (&["--project-id", "SECRET_CANARY", "-"], 64),
        (&["--header", "SECRET_CANARY", "-"], 64),
        (&["--header", "=SECRET_CANARY", "-"], 64),
    ];
    for (args, code) in cases {
        let ended = revoker(&[&["lint"], args].concat(), &[], "{}");
        assert_eq!(ended.0, code, "{args:?}: {ended:?}");
        assert!(!ended.2.contains("SECRET"), "{ended:?}");
    }
}
