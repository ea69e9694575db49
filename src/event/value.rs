//! One JSON value of a body: its type, its text if it is a string, and whether it is nested too deep.
//!
//! Not a tree: nothing inside of an array or an object is kept. Nesting below the limit is skipped
//! by serde_json without recursion, so a body of brackets only costs no stack.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value, as far as any field needs it.
pub(super) enum Value<'a> {
    Null,
    Boolean,
    Number,
    Text(Cow<'a, str>),
    /// No JSON: the value of a header.
    Bytes,
    Array {
        too_deep: bool,
    },
    Object {
        too_deep: bool,
    },
}

impl Value<'_> {
    /// Its JSON type, with the article.
    pub(super) const fn json_type(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text(_) => "a string",
            Self::Bytes => "bytes",
            Self::Array { .. } => "an array",
            Self::Object { .. } => "an object",
        }
    }

    const fn is_too_deep(&self) -> bool {
        matches!(
            self,
            Self::Array { too_deep: true } | Self::Object { too_deep: true }
        )
    }
}

/// Reads any value, which may hold so many levels of arrays and objects, itself included.
pub(super) struct Item {
    pub(super) levels_left: usize,
}

impl Item {
    /// The seed for what stands inside, `None` when nothing more may.
    fn inside(&self) -> Option<Self> {
        self.levels_left
            .checked_sub(1)
            .map(|levels_left| Self { levels_left })
    }
}

impl<'a> DeserializeSeed<'a> for Item {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<Value<'a>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Item {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'a>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'a>, E> {
        Ok(Value::Boolean)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value<'a>, E> {
        Ok(Value::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'a>, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'a>, E> {
        Ok(Value::Number)
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Value<'a>, A::Error> {
        let mut too_deep = self.levels_left == 0;
        loop {
            let more = match self.inside() {
                Some(item) if !too_deep => seq
                    .next_element_seed(item)?
                    .map(|v| too_deep = v.is_too_deep()),
                _ => seq.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if more.is_none() {
                return Ok(Value::Array { too_deep });
            }
        }
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Value<'a>, A::Error> {
        let mut too_deep = self.levels_left == 0;
        while map.next_key::<IgnoredAny>()?.is_some() {
            match self.inside() {
                Some(item) if !too_deep => too_deep = map.next_value_seed(item)?.is_too_deep(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object { too_deep })
    }
}
