//! What is refused, as data: an event, or what is no event, and the text that its publisher reads.
//!
//! `rejected` holds the decoder to it, and the live tests the whole worker: every row is published to
//! a real queue and read again as a dead letter. None of them shows [`CANARY`] to anybody.

use revoker::event::fields::Field;
use serde_json::{Value, json};

use super::fixture::*;

/// One message and what is said of it.
pub(crate) struct Refused {
    pub(super) content_type: Option<&'static str>,
    pub(super) content_encoding: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Vec<u8>,
    pub(super) wanted: String,
}

/// A body sent as JSON.
pub(super) fn refused(body: impl Into<Vec<u8>>, wanted: impl Into<String>) -> Refused {
    Refused {
        content_type: Some("application/json"),
        content_encoding: None,
        headers: Vec::new(),
        body: body.into(),
        wanted: wanted.into(),
    }
}

/// A body that is not one object.
pub(super) fn no_object() -> Vec<Refused> {
    let utf8 = |offset| {
        format!(
            "not_utf8: the body is not UTF-8 (first bad byte at offset {offset}); encode the body as UTF-8"
        )
    };
    let found = |found| format!("not_an_object: the body is {found}; send one JSON object");
    let rows: [(&[u8], String); 9] = [
        (b"{\"id\":\"SECRET_CANARY\xc3\"}", utf8(20)),
        (b"\xff\xfe{\0}\0", utf8(0)),
        (br#""SECRET_CANARY_Xq""#, found("a string")),
        (b" null ", found("null")),
        (b"42", found("a number")),
        (b"-42", found("a number")),
        (b"4.2", found("a number")),
        (b"true", found("a boolean")),
        (b"[] SECRET_CANARY_Xq", "malformed_json: there is more text after the first JSON value (line 1, column 4); send one event per message".into()),
    ];
    rows.into_iter()
        .map(|(body, wanted)| refused(body, wanted))
        .collect()
}

/// JSON that is broken.
pub(super) fn broken_json() -> Vec<Refused> {
    let rows = [
        (r#"{"id":"SECRET_CANARY_Xq"#, "column 23: it ends too early"),
        (
            "{\"id\":\"SECRET_CANARY\nmZ\"}",
            "line 2, column 0: a control character in a string, escape it",
        ),
        (
            "{\"id\":\"a\0SECRET_CANARY\"}",
            "column 9: a control character in a string, escape it",
        ),
        (
            r#"{"id":"\xSECRET_CANARY"}"#,
            "column 9: a wrong escape in a string",
        ),
        (
            r#"{"id":"\ud800SECRET_CANARY"}"#,
            "column 14: half a surrogate pair in a string",
        ),
        (
            r#"{"id":"\ud800\ud800"}"#,
            "column 19: half a surrogate pair in a string",
        ),
        (
            r#"{"id":"\udc00"}"#,
            "column 13: half a surrogate pair in a string",
        ),
        (
            r#"{"ext":{"a":"\ud800"}}"#,
            "column 20: half a surrogate pair in a string",
        ),
        (r#"{"id":1e999}"#, "column 11: a number is out of range"),
        (r#"{"id":01}"#, "column 8: a wrong number"),
        (r#"{"id":"a",}"#, "column 11: a comma too many"),
        (r#"{id:"a"}"#, "column 2: a field name must be a string"),
        (
            r#"{"id":SECRET_CANARY}"#,
            "column 7: something else is expected here",
        ),
        (
            r#"{"id":"a" "SECRET_CANARY"}"#,
            "column 11: something else is expected here",
        ),
        ("SECRET_CANARY", "column 1: something else is expected here"),
        (
            "<SECRET_CANARY/>",
            "column 1: something else is expected here",
        ),
        ("   ", "column 3: it ends too early"),
    ];
    rows.into_iter()
        .map(|(body, place)| {
            let line = if place.starts_with("line") { "" } else { "line 1, " };
            refused(body, format!("malformed_json: the body is not valid JSON ({line}{place}); send one JSON object"))
        })
        .collect()
}

/// Properties of the message.
pub(super) fn properties() -> Vec<Refused> {
    let gzip = "unsupported_encoding: content_encoding \"gzip\" is not supported; send the body uncompressed";
    let xml = "unsupported_content_type: expected application/json or application/cloudevents+json";
    let rows = [
        (None, Some("gzip"), gzip.to_owned()),
        (None, Some("GZip "), gzip.to_owned()),
        (None, Some(CANARY), "unsupported_encoding: content_encoding (44 characters, value withheld) is not supported; send the body uncompressed".to_owned()),
        (Some("text/xml"), None, xml.to_owned()),
        (Some(CANARY), None, xml.to_owned()),
        (Some("application/json+xml; a=application/json"), Some("gzip"), format!("{gzip} | {xml}")),
    ];
    // Not JSON: properties are judged before the body, as a compressed body is no JSON either.
    let compressed = b"\x1f\x8b";
    rows.into_iter()
        .map(|(content_type, content_encoding, wanted)| Refused {
            content_type,
            content_encoding,
            ..refused(compressed, wanted)
        })
        .collect()
}

/// Names of fields.
pub(super) fn names() -> Vec<Refused> {
    let camel = body(json!({"session_id": null, "sessionId": CANARY}));
    let twice = body(json!({})).replacen('{', r#"{"session_id":"SECRET_CANARY_Xq7b","#, 1);
    let escaped = body(json!({})).replacen('{', r#"{"session\u005fid":"SECRET_CANARY_Xq7b","#, 1);
    let three = twice.replacen('{', r#"{"session_id":null,"#, 1);
    let secret_name = body(json!({ CANARY: 1, "": 2 }));
    let repeated = "duplicate_field: session_id appears twice; a JSON object may name a field once";
    let unplain = "a name that is not a plain word is not a field of session.revoke.v1";
    let rows = [
        (body(json!({"session_id": null, "sesion_id": CANARY})), "unknown_field: \"sesion_id\" is not a field of session.revoke.v1 (did you mean \"session_id\"?); put your own data under \"ext\"".to_owned()),
        (camel, format!("unknown_field: {unplain} (did you mean \"session_id\"?); put your own data under \"ext\"")),
        (secret_name, format!("unknown_field: {unplain}; put your own data under \"ext\"")),
        (body(json!({"tenant": CANARY})), "unknown_field: \"tenant\" is not a field of session.revoke.v1; put your own data under \"ext\"".to_owned()),
        (body(json!({"ocurred_at": CANARY, "occurred_at": null})), "unknown_field: \"ocurred_at\" is not a field of session.revoke.v1 (did you mean \"occurred_at\"?); put your own data under \"ext\"".to_owned()),
        (twice, repeated.to_owned()),
        (escaped, repeated.to_owned()),
        (three, repeated.to_owned()),
        (body(json!({"data": {"a": CANARY}, "source": CANARY})), "unknown_field: \"data\" is not a field of session.revoke.v1; put your own data under \"ext\" | unknown_field: \"source\" is not a field of session.revoke.v1; put your own data under \"ext\"".to_owned()),
    ];
    rows.into_iter()
        .map(|(body, wanted)| refused(body, wanted))
        .collect()
}

/// CloudEvents; the contract's corpus has more of them.
pub(super) fn cloud_events() -> Vec<Refused> {
    let structured = |changes: Value| {
        let mut body = json!({"specversion": "1.0", "type": "session.revoke.v1", "id": "reset-1", "source": CANARY,
            "time": "2026-11-22T06:29:58Z", "subject": CANARY, "data": {"reason": "policy", "session_id": SESSION}});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body.to_string()
    };
    let version =
        "cloudevent_version: specversion is another text, expected \"1.0\"; send CloudEvents 1.0";
    let base64 = "cloudevent_data_base64: data_base64 is not read; send the event's fields as a JSON object under \"data\"";
    let mixed = "cloudevent_mixed_prefixes: its headers start with more than one of ce-, cloudEvents_, cloudEvents:; use one of them for all";
    vec![
        refused(structured(json!({"specversion": CANARY})), version),
        refused(structured(json!({"data_base64": CANARY})), base64),
        refused(
            structured(json!({"data": CANARY})),
            "wrong_type: data is a string, expected an object",
        ),
        refused(
            structured(json!({"actor": CANARY})),
            "unknown_field: actor is no attribute of a CloudEvent; put it under \"data\"",
        ),
        Refused {
            headers: vec![("ce-id", CANARY), ("cloudEvents:type", CANARY)],
            ..refused(r#"{"reason":"policy"}"#, mixed)
        },
    ]
}

/// Hints that would mislead are not given.
pub(super) fn misleading_hints() -> Vec<Refused> {
    let row = |changes: Value, name: &str, event: &str| {
        let wanted = format!(
            "unknown_field: \"{name}\" is not a field of {event}; put your own data under \"ext\""
        );
        refused(body(changes), wanted)
    };
    let (v1, verify) = ("session.revoke.v1", "session.revoke.verify.v1");
    vec![
        // Too far from note; reason is there already; a verify event has no session_id.
        row(json!({"nods": CANARY}), "nods", v1),
        row(json!({"reasons": CANARY}), "reasons", v1),
        row(
            json!({"type": verify, "session_id": null, "sesion_id": CANARY}),
            "sesion_id",
            verify,
        ),
    ]
}

/// Every field in every wrong type.
pub(super) fn wrong_types() -> Vec<Refused> {
    let values = [
        ("null", "null"),
        ("42", "a number"),
        ("-1.5", "a number"),
        ("true", "a boolean"),
        ("[\"SECRET_CANARY_Xq\"]", "an array"),
        ("{\"SECRET_CANARY_Xq\":1}", "an object"),
        ("\"SECRET_CANARY_Xq\"", "a string"),
    ];
    let fields = Field::ALL.iter().map(|field| field.as_str());
    let mut rows = Vec::new();
    for (field, (value, found)) in fields.flat_map(|field| values.map(|value| (field, value))) {
        let expected = match field {
            "ext" => "an object",
            "occurred_at" | "cutoff" | "not_after" => {
                "an RFC 3339 string such as 2026-11-22T06:30:00Z"
            }
            _ => "a string",
        };
        if expected.starts_with(found) || (found == "a string" && field != "ext") {
            continue;
        }
        let required = ["type", "id", "occurred_at", "reason"].contains(&field);
        let remedy = if found == "null" && !required {
            "; leave the field out instead"
        } else {
            ""
        };
        // cutoff and keep_session_id need a user; a target must be the only one.
        let other_target = if field == "session_id" || field.starts_with("session_") {
            json!({"session_id": null})
        } else {
            json!({"session_id": null, "user_id": USER})
        };
        let mut body: serde_json::Map<String, Value> =
            serde_json::from_str(&body(other_target)).unwrap();
        body.insert(field.into(), serde_json::from_str(value).unwrap());
        let body = Value::from(body).to_string();
        rows.push(refused(
            body,
            format!("wrong_type: {field} is {found}, expected {expected}{remedy}"),
        ));
    }
    rows
}

/// A type we do not know is all that is said.
pub(super) fn unknown_types() -> Vec<Refused> {
    let unknown = "unsupported_type: this worker supports session.revoke.v1, session.revoke.verify.v1; upgrade the worker or send v1";
    ["session.revoke.v2", CANARY, ""]
        .map(|name| json!({"type": name, "targets": [CANARY], "session_id": 1}))
        .map(|changes| refused(body(changes), unknown))
        .into()
}
