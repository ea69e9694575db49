//! The JSON Schemas of `deploy/contract/schemas`, made from the code's own names and lengths.
//!
//! The characters of each field stand here; `drift` holds them to the decoder, character by character.

use std::fs;

use revoker::{
    event::{
        EXT_LEVELS_MAX, Initiator, Lane, TOKEN_LEN_TYPICAL, cloud::SPEC_VERSION, decode::EventType,
        fields::Field,
    },
    settle::outcome::Outcome,
};
use serde_json::{Map, Value, json};

use super::*;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
const UUID: &str = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";
const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

/// The names of the schemas, which are those of their files.
pub(super) const NAMES: [&str; 4] = [
    "session.revoke.v1",
    "session.revoke.verify.v1",
    "session.revoke.cloudevent",
    "session.revoke.outcome.v1",
];

/// The file of a schema.
pub(super) fn file(name: &str) -> String {
    format!("schemas/{name}.schema.json")
}

pub(super) fn schema(name: &str) -> Value {
    match name {
        "session.revoke.v1" => event(EventType::RevokeV1),
        "session.revoke.verify.v1" => event(EventType::VerifyV1),
        "session.revoke.cloudevent" => cloud_event(),
        "session.revoke.outcome.v1" => outcome(),
        _ => panic!("no schema {name}"),
    }
}

fn headed(name: &str, title: &str, mut schema: Value) -> Value {
    schema["$schema"] = DRAFT.into();
    schema["$id"] = format!("urn:revoker:{name}").into();
    schema["title"] = title.into();
    schema
}

fn event(kind: EventType) -> Value {
    let title = match kind {
        EventType::RevokeV1 => "Revoke one session, or the sessions of one user",
        EventType::VerifyV1 => "Revoke nothing, and answer: the end-to-end probe",
    };
    headed(kind.as_str(), title, object(kind, |_| true))
}

/// An object with those fields of the event that are wanted.
fn object(kind: EventType, wanted: impl Fn(Field) -> bool) -> Value {
    let fields: Vec<Field> = Field::ALL
        .iter()
        .copied()
        .filter(|field| kind.has(*field) && wanted(*field))
        .collect();
    let properties: Map<_, _> = fields
        .iter()
        .map(|field| (field.as_str().to_owned(), property(*field, kind)))
        .collect();
    let required: Vec<_> = fields.iter().filter(|field| field.is_required()).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": required.iter().map(|field| field.as_str()).collect::<Vec<_>>(),
        "additionalProperties": false,
    });
    if kind == EventType::RevokeV1 {
        schema["oneOf"] = Field::TARGETS
            .map(|field| json!({"required": [field.as_str()]}))
            .into_iter()
            .collect();
        let user = [Field::UserId.as_str()];
        schema["dependentRequired"] = json!({"keep_session_id": user, "cutoff": user});
    }
    schema
}

fn property(field: Field, kind: EventType) -> Value {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let mut schema = match field {
        Field::Type => json!({"const": kind.as_str()}),
        Field::Id => text("^[A-Za-z0-9._:-]+$"),
        Field::Reason => text("^[a-z][a-z0-9_]*$"),
        Field::SessionId | Field::KeepSessionId => id("user", 20),
        Field::UserId => id("session", TOKEN_LEN_TYPICAL),
        Field::SessionToken => json!({"type": "string", "pattern": "^[A-Za-z0-9_=-]+$",
            "not": {"pattern": "^(session|user)-(test|live)-"}}),
        Field::SessionJwt => text("^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$"),
        Field::OccurredAt | Field::Cutoff | Field::NotAfter => text(TIME),
        Field::InitiatedBy => json!({"enum": Initiator::ALL.map(Initiator::as_str)}),
        Field::Actor => text("^[!-~]+$"),
        Field::CampaignId => text("^[A-Za-z0-9._-]+$"),
        Field::ProjectId => text("^project-(test|live)-[A-Za-z0-9-]+$"),
        Field::Note => text("^[^\\u0000-\\u001F\\u007F-\\u009F]*$"),
        Field::Ext => ext(EXT_LEVELS_MAX),
    };
    if let Some((from, to)) = field.length() {
        schema["minLength"] = from.into();
        schema["maxLength"] = to.into();
    }
    schema
}

/// An id of Stytch's, or of an unknown form: but not of the other kind, nor what looks like a JWT or a token.
fn id(other: &str, token_len_min: usize) -> Value {
    json!({
        "type": "string",
        "pattern": "^[!-~]+$",
        "not": {"anyOf": [
            {"pattern": format!("^{other}-(test|live)-")},
            {"pattern": "^eyJ[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$"},
            {
                "allOf": [
                    {"pattern": format!("^[A-Za-z0-9_=-]{{{token_len_min},}}$")},
                    {"pattern": "[A-Z]"},
                    {"pattern": "[a-z]"},
                ],
                "not": {"anyOf": [
                    {"pattern": format!("{UUID}$")},
                    {"pattern": "^(session|user)-(test|live)-"},
                ]},
            },
        ]},
    })
}

/// An object of so many levels, itself included.
fn ext(levels: usize) -> Value {
    json!({"type": "object", "additionalProperties": nested(levels - 1)})
}

fn nested(levels: usize) -> Value {
    if levels == 0 {
        return json!({"not": {"type": ["object", "array"]}});
    }
    json!({"items": nested(levels - 1), "additionalProperties": nested(levels - 1)})
}

/// Both events as structured CloudEvents; a binary one is the same with headers for attributes.
fn cloud_event() -> Value {
    let is_attribute = |field: Field| matches!(field, Field::Type | Field::Id | Field::OccurredAt);
    let mut properties = json!({
        "specversion": {"const": SPEC_VERSION},
        "type": {"enum": EventType::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>()},
        "id": property(Field::Id, EventType::RevokeV1),
        "source": {"type": "string", "minLength": 1},
        "time": property(Field::OccurredAt, EventType::RevokeV1),
        "datacontenttype": {"type": ["string", "null"],
            "pattern": "^\\s*[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/[Jj][Ss][Oo][Nn]\\s*(;.*)?$"},
        "data": {"type": "object"},
        "data_base64": {"type": "null"},
    });
    // A field of the data that stands beside it would be taken for an extension, and ignored.
    for field in Field::ALL.iter().filter(|field| !is_attribute(**field)) {
        properties[field.as_str()] = false.into();
    }
    let kinds = EventType::ALL.iter().map(|kind| {
        json!({
            "if": {"properties": {"type": {"const": kind.as_str()}}},
            "then": {"properties": {"data": object(*kind, |field| !is_attribute(field))}},
        })
    });
    let schema = json!({
        "type": "object",
        "properties": properties,
        "patternProperties": {"^[a-z0-9]+$": true},
        "additionalProperties": false,
        "required": ["specversion", "type", "id", "source", "time", "data"],
        "allOf": kinds.collect::<Vec<_>>(),
    });
    headed(
        "session.revoke.cloudevent",
        "An event as a structured CloudEvent 1.0",
        schema,
    )
}

/// What becomes of an event. Fields may be added, so that others are let pass.
fn outcome() -> Value {
    let words = |words: Vec<&str>| json!({ "enum": words });
    let (text, count) = (
        json!({"type": "string"}),
        json!({"type": "integer", "minimum": 0}),
    );
    let time = json!({"type": "string", "pattern": TIME});
    let fields = json!({
        "type": {"const": "session.revoke.outcome.v1"},
        "event_id": text, "campaign_id": text, "publisher": text,
        "publisher_verified": {"type": "boolean"},
        "lane": words(Lane::ALL.iter().map(|lane| lane.as_str()).collect()),
        "outcome": words(Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect()),
        "code": text,
        "target_kind": words(vec!["session", "token", "user"]),
        "target": text, "sessions": count, "sessions_newer": count,
        "newest_started_at": time, "cutoff": time, "attempts": count, "request_id": text, "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "occurred_at": time, "completed_at": time,
        "exposure_seconds": {"type": "number", "minimum": 0},
        "safe_at": time,
    });
    let schema = json!({
        "type": "object",
        "properties": fields,
        "required": ["type", "publisher", "publisher_verified", "lane", "outcome", "attempts", "completed_at"],
    });
    headed(
        "session.revoke.outcome.v1",
        "What became of an event",
        schema,
    )
}

#[test]
fn the_schemas_are_those_of_the_code() {
    for name in NAMES {
        let text = format!("{:#}\n", schema(name));
        if updates() {
            fs::create_dir_all(path("schemas")).unwrap();
            fs::write(path(&file(name)), &text).unwrap();
        }
        assert_eq!(
            text_of(&file(name)),
            text,
            "{name} is old: UPDATE_CONTRACT=1 cargo test --test it contract"
        );
    }
    let files = fs::read_dir(path("schemas")).unwrap().count();
    assert_eq!(files, NAMES.len());
}
