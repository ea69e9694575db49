//! The strict reader: a body's text becomes the fields that stand in it, or one problem.
//!
//! A visitor by hand, because serde's derive takes an array for a struct and null for an option,
//! `serde_json::Value` keeps the last of two fields of one name, and the messages of both quote
//! what was in the field. What the fields mean is not judged here.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fields::Field;
use super::value::{Item, Value};
use super::{Code, Problem, Rejection};

/// How deep `ext` may be nested, its own braces included.
const EXT_LEVELS_MAX: usize = 4;
/// A name longer than this is no misspelt field, so it is not kept.
const NAME_BYTES_MAX: usize = 64;
/// The one attribute that every CloudEvent has and no event of ours.
const CLOUD_EVENT_MARK: &str = "specversion";

/// What stands in a body.
#[derive(Default)]
pub(super) struct Fields<'a> {
    slots: [Slot<'a>; Field::ALL.len()],
    /// Names that are no field: different ones, no more than a rejection can name. Never shown as
    /// they are: a name may be anything.
    pub(super) unknown: Vec<String>,
    /// Whether the body is a CloudEvent.
    pub(super) is_cloud_event: bool,
}

/// What is known of one field.
#[derive(Default)]
pub(super) enum Slot<'a> {
    /// Not in the body.
    #[default]
    Absent,
    /// In the body more than once.
    Repeated,
    /// In the body in a way that was already found wrong.
    Reported,
    /// In the body once.
    Given(Value<'a>),
}

impl<'a> Fields<'a> {
    pub(super) fn slot(&self, field: Field) -> &Slot<'a> {
        &self.slots[field as usize]
    }

    pub(super) fn slot_mut(&mut self, field: Field) -> &mut Slot<'a> {
        &mut self.slots[field as usize]
    }

    /// The text of a field that is given once and as a string.
    pub(super) fn text(&self, field: Field) -> Option<&str> {
        match self.slot(field) {
            Slot::Given(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn note_unknown(&mut self, name: &str) {
        self.is_cloud_event |= name == CLOUD_EVENT_MARK;
        let kept = if name.len() <= NAME_BYTES_MAX {
            name
        } else {
            ""
        };
        if self.unknown.len() < Rejection::PROBLEMS_MAX && !self.unknown.iter().any(|n| n == kept) {
            self.unknown.push(kept.to_owned());
        }
    }
}

/// Reads one JSON object and nothing after it.
pub(super) fn read(text: &str) -> Result<Fields<'_>, Problem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    if text.trim_start().starts_with('{') {
        let fields = reader
            .deserialize_map(Body)
            .map_err(|error| malformed(&error))?;
        reader.end().map_err(|error| more_text(&error))?;
        return Ok(fields);
    }
    let item = Item { levels_left: 0 }
        .deserialize(&mut reader)
        .map_err(|error| malformed(&error))?;
    reader.end().map_err(|error| more_text(&error))?;
    Err(not_an_object(&item))
}

fn not_an_object(found: &Value<'_>) -> Problem {
    let remedy = match found {
        Value::Array { .. } => "send one event per message",
        _ => "send one JSON object",
    };
    let found = found.json_type();
    Problem::new(Code::NotAnObject, format!("the body is {found}; {remedy}"))
}

fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column, what) = (error.line(), error.column(), in_our_words(error));
    let text = format!(
        "the body is not valid JSON (line {line}, column {column}: {what}); send one JSON object"
    );
    Problem::new(Code::MalformedJson, text)
}

fn more_text(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let text = format!(
        "there is more text after the first JSON value (line {line}, column {column}); send one event per message"
    );
    Problem::new(Code::MalformedJson, text)
}

/// A fixed vocabulary: what `serde_json` says is compared, never passed on.
fn in_our_words(error: &serde_json::Error) -> &'static str {
    const WORDS: [(&str, &str); 10] = [
        (
            "control character",
            "a control character in a string, escape it",
        ),
        ("invalid escape", "a wrong escape in a string"),
        (
            "lone leading surrogate",
            "half a surrogate pair in a string",
        ),
        (
            "unexpected end of hex escape",
            "half a surrogate pair in a string",
        ),
        (
            "invalid unicode code point",
            "half a surrogate pair in a string",
        ),
        ("number out of range", "a number is out of range"),
        ("invalid number", "a wrong number"),
        ("trailing comma", "a comma too many"),
        ("key must be a string", "a field name must be a string"),
        ("expected", "something else is expected here"),
    ];
    if error.is_eof() {
        return "it ends too early";
    }
    let said = error.to_string();
    WORDS
        .iter()
        .find(|(start, _)| said.starts_with(start))
        .map_or("the syntax is wrong here", |(_, ours)| ours)
}

/// The body, once it is known to start as an object.
struct Body;

impl<'a> Visitor<'a> for Body {
    type Value = Fields<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Fields<'a>, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_key_seed(Name(&mut fields))? {
            let Some(field) = field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value_seed(Item {
                levels_left: EXT_LEVELS_MAX,
            })?;
            let slot = fields.slot_mut(field);
            *slot = match slot {
                Slot::Absent => Slot::Given(value),
                _ => Slot::Repeated,
            };
        }
        Ok(fields)
    }
}

/// A name in the body; one that is no field is noted in passing.
struct Name<'f, 'a>(&'f mut Fields<'a>);

impl<'a> DeserializeSeed<'a> for Name<'_, 'a> {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    // Escapes are resolved by now: "session\u005fid" is session_id.
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let field = Field::named(name);
        if field.is_none() {
            self.0.note_unknown(name);
        }
        Ok(field)
    }
}
