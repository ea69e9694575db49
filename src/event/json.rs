//! The strict reader: a body's text becomes the fields that stand in it, or one problem.
//!
//! A visitor by hand, because serde's derive takes an array for a struct and null for an option,
//! `serde_json::Value` keeps the last of two fields of one name, and the messages of both quote
//! what was in the field. What the fields mean is not judged here.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cloud::Attribute;
use super::fields::Field;
use super::slots::{Body, Fields, is_extension};
use super::value::{Item, Value};
use super::{Code, Problem};

/// How deep `ext` may be nested, its own braces included.
pub const EXT_LEVELS_MAX: usize = 4;

/// Reads one JSON object and nothing after it.
pub(super) fn read(text: &str) -> Result<Body<'_>, Problem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    if text.trim_start().starts_with('{') {
        let mut body = Body::default();
        let object = Object {
            body: &mut body,
            is_data: false,
        };
        reader
            .deserialize_map(object)
            .map_err(|error| malformed(&error))?;
        reader.end().map_err(|error| more_text(&error))?;
        return Ok(body);
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

/// An object, once it is known to start as one: the body, or a CloudEvent's data.
struct Object<'b, 'a> {
    body: &'b mut Body<'a>,
    is_data: bool,
}

/// What a name in an object stands for.
enum Key {
    Field(Field),
    Attribute(Attribute),
    Unknown,
}

impl<'a> Object<'_, 'a> {
    fn fields(&mut self) -> &mut Fields<'a> {
        match self.is_data {
            true => &mut self.body.data,
            false => &mut self.body.fields,
        }
    }

    fn key(&mut self, name: Cow<'a, str>) -> Key {
        if let Some(field) = Field::named(&name) {
            return Key::Field(field);
        }
        let attribute = Attribute::named(&name).filter(|_| !self.is_data);
        if attribute.is_none() && !self.is_data && !is_extension(&name) {
            self.body.no_attributes.note(name.clone());
        }
        // In a plain event these are no fields either.
        self.fields().unknown.note(name);
        attribute.map_or(Key::Unknown, Key::Attribute)
    }
}

impl<'a> Visitor<'a> for Object<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        let item = || Item {
            levels_left: EXT_LEVELS_MAX,
        };
        while let Some(key) = map.next_key_seed(Name(&mut self))? {
            match key {
                Key::Field(field) => {
                    let value = map.next_value_seed(item())?;
                    self.fields().slot_mut(field).put(value);
                }
                Key::Attribute(Attribute::Data) => {
                    let value = map.next_value_seed(Data(self.body))?;
                    self.body.put_attribute(Attribute::Data, value);
                }
                Key::Attribute(attribute) => {
                    let value = map.next_value_seed(item())?;
                    self.body.put_attribute(attribute, value);
                }
                Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A name in an object; one that is no field is noted in passing.
struct Name<'o, 'b, 'a>(&'o mut Object<'b, 'a>);

impl<'a> DeserializeSeed<'a> for Name<'_, '_, 'a> {
    type Value = Key;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<Key, D::Error> {
        reader.deserialize_str(self)
    }
}

// Escapes are resolved by now: "session\u005fid" is session_id.
impl<'a> Visitor<'a> for Name<'_, '_, 'a> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Key, E> {
        Ok(self.0.key(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(self.0.key(Cow::Owned(name.to_owned())))
    }
}

/// The value of `data`. Whether it is a CloudEvent's shows only at the end of the body, and reading it
/// twice would cost twice, so that the fields of an object are always taken out.
struct Data<'b, 'a>(&'b mut Body<'a>);

impl Data<'_, '_> {
    /// Anything but an object is judged by its type alone.
    const OTHER: Item = Item { levels_left: 0 };
}

impl<'a> DeserializeSeed<'a> for Data<'_, 'a> {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<Value<'a>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Data<'_, 'a> {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::OTHER.expecting(f)
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'a>, E> {
        Self::OTHER.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'a>, E> {
        Self::OTHER.visit_bool(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'a>, E> {
        Self::OTHER.visit_u64(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value<'a>, E> {
        Self::OTHER.visit_i64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'a>, E> {
        Self::OTHER.visit_f64(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'a>, E> {
        Self::OTHER.visit_str(text)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, seq: A) -> Result<Value<'a>, A::Error> {
        Self::OTHER.visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'a>>(self, map: A) -> Result<Value<'a>, A::Error> {
        let data = Object {
            body: self.0,
            is_data: true,
        };
        data.visit_map(map)?;
        Ok(Value::Object { too_deep: false })
    }
}
