//! What stands in a body, before it is judged: a slot for each field and each attribute of a CloudEvent.
//!
//! Nothing is allocated but what JSON's escapes make necessary: most events are right, and then names that
//! nobody knows, and their texts, are not needed.

use std::borrow::Cow;

use super::Rejection;
use super::cloud::Attribute;
use super::fields::Field;
use super::value::Value;

/// A name longer than this is no misspelt field, so it is not kept.
const NAME_BYTES_MAX: usize = 64;

/// One JSON object, which may turn out to be a CloudEvent.
#[derive(Default)]
pub(super) struct Body<'a> {
    /// Fields that stand in the object itself.
    pub(super) fields: Fields<'a>,
    /// Fields that stand in its `data`, if that is an object.
    pub(super) data: Fields<'a>,
    /// Names that neither are attributes nor could be those of an extension.
    pub(super) no_attributes: Names<'a>,
    attributes: [Slot<'a>; Attribute::ALL.len()],
}

/// The fields of an object.
#[derive(Default)]
pub(super) struct Fields<'a> {
    slots: [Slot<'a>; Field::ALL.len()],
    /// Names that are no field.
    pub(super) unknown: Names<'a>,
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
    /// Perhaps in the body: where it would stand could not be read.
    Unread,
    /// In the body once.
    Given(Value<'a>),
}

/// Different names, no more than a rejection can name. Never shown as they are: a name may be anything.
#[derive(Default)]
pub(super) struct Names<'a> {
    names: [Cow<'a, str>; Rejection::PROBLEMS_MAX],
    count: usize,
}

impl<'a> Body<'a> {
    pub(super) fn attribute(&self, attribute: Attribute) -> &Slot<'a> {
        &self.attributes[attribute as usize]
    }

    pub(super) fn put_attribute(&mut self, attribute: Attribute, value: Value<'a>) {
        self.attributes[attribute as usize].put(value);
    }

    pub(super) fn take_attribute(&mut self, attribute: Attribute) -> Slot<'a> {
        std::mem::take(&mut self.attributes[attribute as usize])
    }

    /// Takes in an attribute that was not written in JSON; the data never is one then.
    pub(super) fn put(&mut self, name: &'a str, value: Value<'a>) {
        let attribute = Attribute::named(name)
            .filter(|a| !matches!(a, Attribute::Data | Attribute::DataBase64));
        match (Field::named(name), attribute) {
            (Some(field), _) => self.fields.slot_mut(field).put(value),
            (None, Some(attribute)) => self.put_attribute(attribute, value),
            (None, None) if is_extension(name) => {}
            (None, None) => self.no_attributes.note(Cow::Borrowed(name)),
        }
    }
}

impl<'a> Fields<'a> {
    /// The fields of data that could not be read.
    pub(super) fn unread() -> Self {
        Self {
            slots: std::array::from_fn(|_| Slot::Unread),
            unknown: Names::default(),
        }
    }

    pub(super) fn slot(&self, field: Field) -> &Slot<'a> {
        &self.slots[field as usize]
    }

    pub(super) fn slot_mut(&mut self, field: Field) -> &mut Slot<'a> {
        &mut self.slots[field as usize]
    }

    pub(super) fn take(&mut self, field: Field) -> Slot<'a> {
        std::mem::take(self.slot_mut(field))
    }

    /// Whether a field that holds a credential is there, whatever it holds.
    pub(super) fn has_credential(&self) -> bool {
        let there = |field| !matches!(self.slot(field), Slot::Absent);
        there(Field::SessionToken) || there(Field::SessionJwt)
    }

    /// The text of a field that is given once and as a string.
    pub(super) fn text(&self, field: Field) -> Option<&str> {
        match self.slot(field) {
            Slot::Given(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Slot<'a> {
    /// Takes in a value; a second one makes it repeated.
    pub(super) fn put(&mut self, value: Value<'a>) {
        *self = match self {
            Self::Absent => Self::Given(value),
            _ => Self::Repeated,
        };
    }
}

impl<'a> Names<'a> {
    pub(super) fn note(&mut self, name: Cow<'a, str>) {
        let kept = match name.len() <= NAME_BYTES_MAX {
            true => name,
            false => Cow::Borrowed(""),
        };
        if self.iter().any(|known| known == kept) {
            return;
        }
        if let Some(free) = self.names.get_mut(self.count) {
            *free = kept;
            self.count += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names[..self.count].iter().map(|name| &**name)
    }
}

/// Whether an extension of CloudEvents may have the name: lower-case letters and digits.
pub(super) fn is_extension(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}
