//! Every way to be refused, character by character: publishers read these texts in dead letters.

use revoker::event::{HeaderValue, Properties};
use serde_json::json;

use super::{refused::Refused, *};

/// Each is refused with its text, which gives nothing away.
pub(super) fn check(rows: Vec<Refused>) {
    assert!(!rows.is_empty());
    for row in rows {
        let headers = row.headers.iter().map(|(name, value)| {
            let value = HeaderValue::Text((*value).to_owned());
            ((*name).to_owned(), value)
        });
        let properties = Properties {
            content_type: row.content_type.map(str::to_owned),
            content_encoding: row.content_encoding.map(str::to_owned),
            headers: headers.collect(),
            ..Properties::default()
        };
        let shown = String::from_utf8_lossy(&row.body);
        let rejection =
            event::decode_message(&row.body, &properties, &live(), now()).expect_err(&shown);
        let text = rejection.to_string();
        assert_eq!(text, row.wanted, "{shown}");
        assert_withheld(&text, CANARY);
        assert_eq!(text.split(": ").next(), Some(rejection.code().as_str()));
    }
}

#[test]
fn a_body_that_is_not_one_object() {
    check(refused::no_object());
}

/// What serde_json says of these quotes nothing today; tomorrow it may, so our words stand for its.
#[test]
fn json_that_is_broken() {
    check(refused::broken_json());
}

#[test]
fn properties_of_the_message() {
    check(refused::properties());
}

#[test]
fn names_of_fields() {
    check(refused::names());
}

#[test]
fn cloud_events_that_are_none() {
    check(refused::cloud_events());
}

#[test]
fn hints_that_would_mislead_are_not_given() {
    check(refused::misleading_hints());
}

#[test]
fn every_field_in_every_wrong_type() {
    check(refused::wrong_types());
}

#[test]
fn a_type_we_do_not_know_is_all_that_is_said() {
    check(refused::unknown_types());
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
