//! The rules of what is around a CloudEvent's data, and what of it becomes a field of the event.
//!
//! Not which messages are CloudEvents (`cloud`). Whatever is wrong is told beside what is wrong with the
//! fields, so that all problems come out at once.

use super::cloud::{Attribute, Dialect};
use super::fields::{Field, SHOWN_NAME_BYTES_MAX, is_plain_word};
use super::slots::{Body, Fields, Slot};
use super::value::Value;
use super::{Code, Problem, envelope};

/// What is wrong with the data as a whole.
pub(super) fn data(body: &Body<'_>) -> Option<Problem> {
    let base64 = match body.attribute(Attribute::DataBase64) {
        Slot::Absent | Slot::Given(Value::Null) => None,
        _ => Some(Problem::new(
            Code::CloudeventDataBase64,
            "data_base64 is not read; send the event's fields as a JSON object under \"data\"",
        )),
    };
    match body.attribute(Attribute::Data) {
        Slot::Given(Value::Object { .. }) | Slot::Repeated | Slot::Reported | Slot::Unread => {
            base64
        }
        _ if base64.is_some() => base64,
        Slot::Absent => Some(Attribute::Data.required("put the reason and the target there")),
        Slot::Given(other) => Some(Attribute::Data.wrong_type(other.json_type(), "an object")),
    }
}

/// Judges what is around the data, and moves into its fields what belongs to the event.
pub(super) fn judge<'a>(
    around: &mut Body<'a>,
    dialect: Dialect,
    fields: &mut Fields<'a>,
    problems: &mut Vec<Problem>,
) {
    for &attribute in Attribute::ALL {
        // A time that is there twice is told with the other fields.
        if attribute != Attribute::Time && matches!(around.attribute(attribute), Slot::Repeated) {
            let name = attribute.as_str();
            problems.push(Problem::new(
                Code::DuplicateField,
                format!("{name} appears twice; a JSON object may name a field once"),
            ));
        }
    }
    problems.extend(source_problem(around.attribute(Attribute::Source)));
    problems.extend(media_type_problem(
        around.attribute(Attribute::DataContentType),
    ));
    misplaced(around, dialect, fields, problems);
    *fields.slot_mut(Field::Type) = around.fields.take(Field::Type);
    *fields.slot_mut(Field::Id) = match around.fields.has_credential() {
        // The id is kept in clear, and is compared only with a credential in its place.
        true => Slot::Reported,
        false => around.fields.take(Field::Id),
    };
    let told = !matches!(around.fields.slot(Field::OccurredAt), Slot::Absent);
    *fields.slot_mut(Field::OccurredAt) = match around.take_attribute(Attribute::Time) {
        Slot::Absent if told => Slot::Reported,
        time => time,
    };
}

/// Every CloudEvent has one. It is not compared with anything: nobody checks what a publisher writes there.
fn source_problem(source: &Slot<'_>) -> Option<Problem> {
    const REMEDY: &str = "name what publishes it, such as /password-reset";
    match source {
        Slot::Absent => Some(Attribute::Source.required(REMEDY)),
        Slot::Given(Value::Text(text)) if text.is_empty() => Some(Problem::new(
            Code::BadFormat,
            format!("source is empty; {REMEDY}"),
        )),
        Slot::Given(Value::Text(_)) | Slot::Repeated | Slot::Reported | Slot::Unread => None,
        Slot::Given(other) => Some(Attribute::Source.wrong_type(other.json_type(), "a string")),
    }
}

fn media_type_problem(data_type: &Slot<'_>) -> Option<Problem> {
    match data_type {
        Slot::Given(Value::Text(text)) if !envelope::is_json(text) => Some(Problem::new(
            Code::UnsupportedContentType,
            "expected application/json as datacontenttype",
        )),
        Slot::Given(Value::Text(_) | Value::Null) => None,
        Slot::Given(other) => {
            Some(Attribute::DataContentType.wrong_type(other.json_type(), "a string"))
        }
        Slot::Absent | Slot::Repeated | Slot::Reported | Slot::Unread => None,
    }
}

/// Fields of the data among the attributes, attributes among the data, and names that no attribute has.
fn misplaced<'a>(
    around: &Body<'a>,
    dialect: Dialect,
    fields: &mut Fields<'a>,
    problems: &mut Vec<Problem>,
) {
    let place = match dialect {
        Dialect::Binary => "into the body",
        Dialect::Structured | Dialect::Plain => "under \"data\"",
    };
    let mut refuse = |text: String| problems.push(Problem::new(Code::UnknownField, text));
    for &field in Field::ALL {
        let name = field.as_str();
        if dialect.is_attribute(field) {
            if !matches!(fields.slot(field), Slot::Absent | Slot::Unread) {
                let ours = dialect.name(field);
                refuse(format!(
                    "{name} is no field of the data; a CloudEvent has it as its attribute \"{ours}\", leave it out of the data"
                ));
            }
            if field != Field::OccurredAt {
                continue;
            }
        }
        if !matches!(around.fields.slot(field), Slot::Absent) {
            let remedy = match field {
                Field::OccurredAt => "write it as \"time\"".to_owned(),
                _ => format!("put it {place}"),
            };
            refuse(format!("{name} is no attribute of a CloudEvent; {remedy}"));
            *fields.slot_mut(field) = Slot::Reported;
        }
    }
    for name in around.no_attributes.iter() {
        let shown = match is_plain_word(name, SHOWN_NAME_BYTES_MAX) {
            true => format!("\"{name}\""),
            false => "a name with other characters than a to z and 0 to 9".to_owned(),
        };
        refuse(format!(
            "{shown} is no attribute of a CloudEvent; put fields of the event {place}"
        ));
    }
}
