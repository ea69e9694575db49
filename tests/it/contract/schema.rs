//! The schemas and the corpus: where a schema and the decoder differ, and why.

use std::collections::BTreeSet;

use boon::{Compiler, SchemaIndex, Schemas};
use revoker::event::{
    cloud::{Dialect, HEADER_PREFIXES},
    decode::EventType,
};

use super::{
    schemas::{NAMES, file},
    *,
};

/// All schemas, compiled.
pub(super) struct Judge {
    schemas: Schemas,
    by_name: Vec<(&'static str, SchemaIndex)>,
}

impl Judge {
    pub(super) fn new() -> Self {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        let by_name = NAMES
            .map(|name| {
                let schema: Value = serde_json::from_str(&text_of(&file(name))).unwrap();
                let id = schema["$id"].as_str().unwrap().to_owned();
                compiler.add_resource(&id, schema).unwrap();
                (name, compiler.compile(&id, &mut schemas).unwrap())
            })
            .into();
        Self { schemas, by_name }
    }

    pub(super) fn takes(&self, name: &str, instance: &Value) -> bool {
        let found = self.by_name.iter().find(|(known, _)| *known == name);
        self.schemas.validate(instance, found.unwrap().1).is_ok()
    }

    /// Judges a plain event by the schema of its type.
    pub(super) fn takes_event(&self, event: &Value) -> bool {
        let verify = EventType::VerifyV1.as_str();
        let name = match event["type"] == verify {
            true => verify,
            false => EventType::RevokeV1.as_str(),
        };
        self.takes(name, event)
    }
}

/// What a schema cannot see: it is shown JSON that was read already, without properties.
const UNSEEN: [&str; 8] = [
    "empty_body",
    "malformed_json",
    "not_utf8",
    "unsupported_encoding",
    "unsupported_content_type",
    "too_large",
    "duplicate_field",
    "cloudevent_mixed_prefixes",
];

/// Cases that a schema takes and the decoder does not, and why; there are none the other way round.
const TAKEN_BY_SCHEMA: &[(&str, &str)] = &[
    ("an id of a test project", "a schema serves every project"),
    ("another project", "a schema serves every project"),
    ("a date that does not exist", "no calendar in a pattern"),
    (
        "a leap second that jiff does not know",
        "no calendar in a pattern",
    ),
    ("a note that holds the token", "no comparison of two fields"),
    ("a JWT of another project", "a JWT's content is encoded"),
    ("a JWT without a session", "a JWT's content is encoded"),
];

/// The JSON that a schema judges: of a binary CloudEvent the structured one that says the same.
fn instance(case: &Case) -> Option<(Dialect, Value)> {
    let mut body: Value = serde_json::from_slice(&case.body).ok()?;
    let is = |dialect: Dialect| case.name.starts_with(&format!("{}: ", dialect.as_str()));
    if is(Dialect::Binary) {
        let mut around = json!({ "data": body });
        for (name, value) in case.line["headers"].as_object()? {
            let attribute = HEADER_PREFIXES
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix));
            if let Some(attribute) = attribute {
                around[attribute] = value.clone();
            }
        }
        if let Some(seconds) = around["time"]["timestamp"].as_i64() {
            around["time"] = Timestamp::from_second(seconds).unwrap().to_string().into();
        }
        return Some((Dialect::Binary, around));
    }
    if is(Dialect::Structured) {
        return Some((Dialect::Structured, body.take()));
    }
    Some((Dialect::Plain, body))
}

#[test]
fn schemas_and_decoder_differ_where_it_is_said() {
    let judge = Judge::new();
    let mut differ = BTreeSet::new();
    for case in all() {
        let rejected = case.line["rejected"].as_str();
        let code = rejected.and_then(|text| text.split(": ").next());
        if code.is_some_and(|code| UNSEEN.contains(&code)) {
            continue;
        }
        let (dialect, instance) = instance(&case).unwrap();
        let taken = match dialect {
            Dialect::Plain => judge.takes_event(&instance),
            Dialect::Structured | Dialect::Binary => {
                judge.takes("session.revoke.cloudevent", &instance)
            }
        };
        assert!(
            taken || rejected.is_some(),
            "no schema takes: {}",
            case.name
        );
        if taken && rejected.is_some() {
            differ.insert(case.name);
        }
    }
    let said: BTreeSet<String> = TAKEN_BY_SCHEMA
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(differ, said);
}

#[test]
fn every_outcome_that_is_kept_for_ever_is_taken() {
    let judge = Judge::new();
    let fixtures: Value = serde_json::from_str(include_str!("../compat/outcome-v1.json")).unwrap();
    let outcomes = fixtures.as_object().unwrap().values();
    let outcomes: Vec<_> = outcomes.filter(|outcome| outcome.is_object()).collect();
    assert!(outcomes.len() >= 4);
    let schema: Value = serde_json::from_str(&text_of(&file("session.revoke.outcome.v1"))).unwrap();
    let mut unused: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
    for outcome in outcomes {
        assert!(
            judge.takes("session.revoke.outcome.v1", outcome),
            "{outcome}"
        );
        for name in outcome.as_object().unwrap().keys() {
            assert!(!schema["properties"][name].is_null(), "{name}");
            unused.remove(name);
        }
        let mut wrong = outcome.clone();
        wrong["outcome"] = "logged_out".into();
        assert!(!judge.takes("session.revoke.outcome.v1", &wrong));
    }
    assert!(unused.is_empty(), "no fixture has {unused:?}");
}
