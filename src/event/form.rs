//! The fields of one event on their way to being judged: each is asked for once, with its rule, and
//! what is wrong is noted, so that all problems come out together.
//!
//! A problem is told once: a misspelt field is not also missing, a repeated one not also malformed.

use super::cloud::Dialect;
use super::decode::EventType;
use super::fields::{Field, SHOWN_NAME_BYTES_MAX, is_plain_word};
use super::slots::{Fields, Slot};
use super::value::Value;
use super::{Code, Problem, Rejection};

/// Fields and what was found wrong with them.
pub(super) struct Form<'a> {
    fields: Fields<'a>,
    dialect: Dialect,
    problems: Vec<Problem>,
}

impl<'a> Form<'a> {
    /// Notes what is wrong with the names: unknown, repeated, of another kind of event.
    pub(super) fn new(fields: Fields<'a>, dialect: Dialect, kind: EventType) -> Self {
        let mut form = Self {
            fields,
            dialect,
            problems: Vec::new(),
        };
        for name in std::mem::take(&mut form.fields.unknown).iter() {
            form.note_unknown(name, kind);
        }
        for &field in Field::ALL {
            let problem = match form.fields.slot(field) {
                Slot::Repeated => repeated(dialect.name(field)),
                Slot::Given(_) if !kind.has(field) => not_for(field, kind),
                _ => continue,
            };
            form.refuse(problem);
            *form.fields.slot_mut(field) = Slot::Reported;
        }
        form
    }

    /// Notes a problem; those beyond the limit, and the same again, are dropped.
    pub(super) fn refuse(&mut self, problem: Problem) {
        if self.problems.len() < Rejection::PROBLEMS_MAX && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The field's name in the dialect that the event is written in.
    pub(super) fn name(&self, field: Field) -> &'static str {
        self.dialect.name(field)
    }

    /// Whether the field stands in the body with any value but null, right or wrong.
    pub(super) fn has(&self, field: Field) -> bool {
        !matches!(
            self.fields.slot(field),
            Slot::Absent | Slot::Unread | Slot::Given(Value::Null)
        )
    }

    /// Whether the body says nothing about the field at all.
    pub(super) fn lacks(&self, field: Field) -> bool {
        matches!(self.fields.slot(field), Slot::Absent)
    }

    /// What a required field's rule makes of its text.
    pub(super) fn require<T>(
        &mut self,
        field: Field,
        rule: impl FnOnce(Field, &str) -> Result<T, Problem>,
    ) -> Option<T> {
        if self.lacks(field) {
            let (name, remedy) = (self.name(field), field.required().unwrap_or("give it"));
            self.refuse(Problem::new(
                Code::FieldMissing,
                format!("{name} is required; {remedy}"),
            ));
        }
        self.take(field, rule)
    }

    /// What a field's rule makes of its text, if the field is there.
    pub(super) fn take<T>(
        &mut self,
        field: Field,
        rule: impl FnOnce(Field, &str) -> Result<T, Problem>,
    ) -> Option<T> {
        let Slot::Given(value) = self.fields.slot(field) else {
            return None;
        };
        let judged = match value {
            Value::Text(text) => rule(field, text),
            other => Err(field.wrong_type(self.name(field), other.json_type())),
        };
        judged.map_err(|problem| self.refuse(problem)).ok()
    }

    /// The publisher's own data: an object, not too deep, otherwise ignored.
    pub(super) fn skip_ext(&mut self) {
        let problem = match self.fields.slot(Field::Ext) {
            Slot::Given(Value::Object { too_deep: false }) => return,
            Slot::Given(Value::Object { too_deep: true }) => {
                Problem::new(Code::TooDeep, "ext is nested deeper than 4 levels")
            }
            Slot::Given(other) => Field::Ext.wrong_type(Field::Ext.as_str(), other.json_type()),
            _ => return,
        };
        self.refuse(problem);
    }

    /// All that was found wrong.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    fn note_unknown(&mut self, name: &str, kind: EventType) {
        let meant = self.closest(name, kind);
        if let Some(field) = meant {
            *self.fields.slot_mut(field) = Slot::Reported;
        }
        let event = kind.as_str();
        let shown = match is_plain_word(name, SHOWN_NAME_BYTES_MAX) {
            true => format!("\"{name}\""),
            false => "a name that is not a plain word".to_owned(),
        };
        let hint = meant.map_or_else(String::new, |field| {
            format!(" (did you mean \"{}\"?)", field.as_str())
        });
        let text =
            format!("{shown} is not a field of {event}{hint}; put your own data under \"ext\"");
        self.refuse(Problem::new(Code::UnknownField, text));
    }

    /// The field that a name most likely means: one that is not there under its own name.
    /// Case and separators do not count, so that `sessionId` finds `session_id`.
    fn closest(&self, name: &str, kind: EventType) -> Option<Field> {
        let name = bare(name);
        let distance = |field: Field| strsim::osa_distance(&name, &bare(field.as_str()));
        Field::ALL
            .iter()
            .copied()
            .filter(|field| kind.has(*field) && self.lacks(*field))
            .filter(|field| !self.dialect.is_attribute(*field))
            .map(|field| (distance(field), field))
            .filter(|(distance, _)| *distance <= name.len() / 3)
            .min()
            .map(|(_, field)| field)
    }
}

fn bare(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn repeated(name: &str) -> Problem {
    Problem::new(
        Code::DuplicateField,
        format!("{name} appears twice; a JSON object may name a field once"),
    )
}

fn not_for(field: Field, kind: EventType) -> Problem {
    let (name, event) = (field.as_str(), kind.as_str());
    Problem::new(
        Code::UnknownField,
        format!(
            "{name} is not a field of {event}, which revokes nothing; leave it out, or send session.revoke.v1"
        ),
    )
}
