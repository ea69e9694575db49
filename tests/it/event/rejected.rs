//! Every way to be refused, character by character: publishers read these texts in dead letters.

use serde_json::json;

use super::*;

/// The rejection of `body`, after making sure that it gives nothing away.
fn check(body: &[u8], wanted: &str) {
    let rejection = decode(body).expect_err(wanted);
    let text = rejection.to_string();
    assert_eq!(text, wanted, "{}", String::from_utf8_lossy(body));
    assert_withheld(&text, CANARY);
    assert_eq!(text.split(": ").next(), Some(rejection.code().as_str()));
}

#[test]
fn a_body_that_is_not_one_object() {
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
    for (body, wanted) in rows {
        check(body, &wanted);
    }
}

/// What serde_json says of these quotes nothing today; tomorrow it may, so our words stand for its.
#[test]
fn json_that_is_broken() {
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
    for (body, place) in rows {
        let place = if place.starts_with("line") {
            place.to_owned()
        } else {
            format!("line 1, {place}")
        };
        check(
            body.as_bytes(),
            &format!("malformed_json: the body is not valid JSON ({place}); send one JSON object"),
        );
    }
}

#[test]
fn properties_of_the_message() {
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
    for (content_type, content_encoding, wanted) in rows {
        // Not JSON: properties are judged before the body, as a compressed body is no JSON either.
        let rejection =
            event::decode(b"\x1f\x8b", content_type, content_encoding, &live(), now()).unwrap_err();
        assert_eq!(rejection.to_string(), wanted);
        assert_withheld(&rejection.to_string(), CANARY);
    }
}

#[test]
fn names_of_fields() {
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
        (body(json!({"specversion": "1.0", "source": CANARY, "data": {"a": CANARY}, "id": CANARY})), "unknown_field: \"specversion\" is not a field of session.revoke.v1; this worker reads no CloudEvents, send the plain event as application/json".to_owned()),
    ];
    for (body, wanted) in rows {
        check(body.as_bytes(), &wanted);
    }
}

#[test]
fn hints_that_would_mislead_are_not_given() {
    let plain = |name: &str, event: &str| {
        format!(
            "unknown_field: \"{name}\" is not a field of {event}; put your own data under \"ext\""
        )
    };
    let v1 = "session.revoke.v1";
    // Too far from note; reason is there already; a verify event has no session_id.
    check(body(json!({"nods": CANARY})).as_bytes(), &plain("nods", v1));
    check(
        body(json!({"reasons": CANARY})).as_bytes(),
        &plain("reasons", v1),
    );
    let verify = "session.revoke.verify.v1";
    let event = body(json!({"type": verify, "session_id": null, "sesion_id": CANARY}));
    check(event.as_bytes(), &plain("sesion_id", verify));
}

#[test]
fn every_field_in_every_wrong_type() {
    let values = [
        ("null", "null"),
        ("42", "a number"),
        ("-1.5", "a number"),
        ("true", "a boolean"),
        ("[\"SECRET_CANARY_Xq\"]", "an array"),
        ("{\"SECRET_CANARY_Xq\":1}", "an object"),
        ("\"SECRET_CANARY_Xq\"", "a string"),
    ];
    let fields = event::fields::Field::ALL.iter().map(|field| field.as_str());
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
        check(
            body.as_bytes(),
            &format!("wrong_type: {field} is {found}, expected {expected}{remedy}"),
        );
    }
}

#[test]
fn a_type_we_do_not_know_is_all_that_is_said() {
    let unknown = "unsupported_type: this worker supports session.revoke.v1, session.revoke.verify.v1; upgrade the worker or send v1";
    for name in ["session.revoke.v2", CANARY, ""] {
        check(
            body(json!({"type": name, "targets": [CANARY], "session_id": 1})).as_bytes(),
            unknown,
        );
    }
}

#[test]
fn all_problems_at_once_and_the_id_with_them() {
    let several = json!({"type": "session.revoke.v1", "id": "reset-7", "sesion_id": CANARY, "occurred_at": 4, "note": "a\nb"});
    let rejection = decode(several.to_string().as_bytes()).unwrap_err();
    let codes: Vec<_> = rejection
        .problems
        .iter()
        .map(|problem| problem.code.as_str())
        .collect();
    assert_eq!(
        codes,
        [
            "unknown_field",
            "wrong_type",
            "field_missing",
            "control_character"
        ]
    );
    assert_eq!(rejection.event_id.as_deref(), Some("reset-7"));

    let id_of = |body: &str| decode(body.as_bytes()).unwrap_err().event_id;
    assert_eq!(
        id_of(&body(json!({"type": "session.revoke.v9"}))).as_deref(),
        Some("reset-1")
    );
    assert_eq!(
        id_of(&body(json!({"specversion": "1.0"}))).as_deref(),
        Some("reset-1")
    );
    assert_eq!(id_of(&body(json!({"id": "not an id"}))), None);
    assert_eq!(
        id_of(&body(json!({"type": "v2"})).replacen('{', r#"{"id":"another","#, 1)),
        None
    );
    assert_eq!(id_of("{}"), None);
}
