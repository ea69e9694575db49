//! CloudEvents 1.0: which messages are one, and how its attributes and data become the fields of an event.
//!
//! Not the reading of JSON (`json`), nor the rules of fields. Two content modes, after the AMQP binding of
//! CloudEvents and after Knative's for RabbitMQ, which name headers differently; a body with `specversion`
//! is structured, whatever the headers (which may repeat it), and else headers make it binary. The content
//! type does not decide: Knative writes `application/cloudevents+json` for both.
//!
//! Attributes of others (extensions) are let pass, so that tracing and routing can add theirs. What would
//! change the meaning may not stand among them: a `cutoff` beside `data` is refused, not ignored.

use super::attributes;
use super::fields::Field;
use super::slots::{Body, Fields, Slot};
use super::value::Value;
use super::{Code, HeaderValue, Problem, envelope};
use crate::closed_set;

/// What the headers of a binary CloudEvent start with: Knative's binding, and that of AMQP, which had an
/// underscore added for those whose names allow no colon. Matched as they are written.
pub const HEADER_PREFIXES: [&str; 3] = ["ce-", "cloudEvents_", "cloudEvents:"];
/// The version that is read; 1.0.1 and 1.0.2 of the specification write it, too.
pub const SPEC_VERSION: &str = "1.0";

closed_set! {
    /// How an event is written.
    Dialect {
        /// All fields in one JSON object.
        Plain => "plain",
        /// A CloudEvent whose attributes and data are one JSON object.
        Structured => "structured",
        /// A CloudEvent whose attributes are headers and whose data is the body.
        Binary => "binary",
    }
}

closed_set! {
    /// What a CloudEvent has beside `type` and `id`, as far as it is read.
    Attribute {
        /// The version of CloudEvents.
        SpecVersion => "specversion",
        /// Who wrote it, in the publisher's words; the routing key is what counts.
        Source => "source",
        /// When the reason for the revocation arose.
        Time => "time",
        /// The data's media type.
        DataContentType => "datacontenttype",
        /// The other fields of the event.
        Data => "data",
        /// Data that is not JSON.
        DataBase64 => "data_base64",
    }
}

impl Attribute {
    /// The attribute of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|a| a.as_str() == name)
    }

    pub(super) fn required(self, remedy: &str) -> Problem {
        let text = format!("{} is required; {remedy}", self.as_str());
        Problem::new(Code::FieldMissing, text)
    }

    pub(super) fn wrong_type(self, found: &str, expected: &str) -> Problem {
        let text = format!("{} is {found}, expected {expected}", self.as_str());
        Problem::new(Code::WrongType, text)
    }
}

impl Dialect {
    /// The name of a field in this dialect.
    pub fn name(self, field: Field) -> &'static str {
        match (self, field) {
            (Self::Structured | Self::Binary, Field::OccurredAt) => Attribute::Time.as_str(),
            _ => field.as_str(),
        }
    }

    /// Whether a field of a CloudEvent is one of its attributes.
    pub fn is_attribute(self, field: Field) -> bool {
        self != Self::Plain && matches!(field, Field::Type | Field::Id | Field::OccurredAt)
    }
}

/// Whether a header is an attribute of a CloudEvent: those are carried on before all others.
pub fn is_header(name: &str) -> bool {
    attribute_of(name).is_some()
}

/// The prefix and the rest of a header's name.
fn attribute_of(name: &str) -> Option<(&'static str, &str)> {
    HEADER_PREFIXES
        .into_iter()
        .find_map(|prefix| Some((prefix, name.strip_prefix(prefix)?)))
}

/// The fields of an event, however it was written, and what is wrong with what was around them.
pub(super) struct Opened<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) dialect: Dialect,
    pub(super) problems: Vec<Problem>,
}

/// Why nothing more is said: another version has other attributes.
pub(super) struct Unread {
    pub(super) problem: Problem,
    /// The attribute `id`, unjudged.
    pub(super) id: Option<String>,
}

/// Takes a CloudEvent out of its envelope; a plain event passes as it is.
pub(super) fn open<'a>(
    body: Body<'a>,
    content_type: Option<&str>,
    headers: &'a [(String, HeaderValue)],
) -> Result<Opened<'a>, Unread> {
    let mark = !matches!(body.attribute(Attribute::SpecVersion), Slot::Absent);
    let said = envelope::is_cloud_event(content_type)
        && [Attribute::Data, Attribute::DataBase64]
            .into_iter()
            .any(|attribute| !matches!(body.attribute(attribute), Slot::Absent));
    let in_headers = headers.iter().any(|(name, _)| is_core(name));
    match (mark, in_headers) {
        (true, _) => structured(body),
        (false, true) => binary(body, headers),
        (false, false) if said => structured(body),
        (false, false) => Ok(Opened {
            fields: body.fields,
            dialect: Dialect::Plain,
            problems: Vec::new(),
        }),
    }
}

/// Whether a header is one of the four attributes that every CloudEvent has: a tracing header alone makes none.
fn is_core(name: &str) -> bool {
    const CORE: [&str; 4] = ["specversion", "id", "source", "type"];
    attribute_of(name).is_some_and(|(_, rest)| CORE.contains(&rest))
}

fn structured(mut body: Body<'_>) -> Result<Opened<'_>, Unread> {
    let has_credential = body.fields.has_credential() || body.data.has_credential();
    check_version(&body, has_credential)?;
    let mut problems = Vec::new();
    let mut fields = match attributes::data(&body) {
        None => std::mem::take(&mut body.data),
        Some(problem) => {
            problems.push(problem);
            Fields::unread()
        }
    };
    attributes::judge(&mut body, Dialect::Structured, &mut fields, &mut problems);
    Ok(Opened {
        fields,
        dialect: Dialect::Structured,
        problems,
    })
}

fn binary<'a>(body: Body<'a>, headers: &'a [(String, HeaderValue)]) -> Result<Opened<'a>, Unread> {
    let mut around = Body::default();
    let mut prefixes = headers.iter().filter_map(|(name, _)| attribute_of(name));
    let first = prefixes.next().map(|(prefix, _)| prefix);
    if prefixes.any(|(prefix, _)| Some(prefix) != first) {
        let known = HEADER_PREFIXES.join(", ");
        let text =
            format!("its headers start with more than one of {known}; use one of them for all");
        return Err(Unread {
            problem: Problem::new(Code::CloudeventMixedPrefixes, text),
            id: None,
        });
    }
    for (name, value) in headers {
        if let Some((_, rest)) = attribute_of(name) {
            around.put(rest, header(rest, value));
        }
    }
    let has_credential = body.fields.has_credential() || around.fields.has_credential();
    check_version(&around, has_credential)?;
    let (mut fields, mut problems) = (body.fields, Vec::new());
    attributes::judge(&mut around, Dialect::Binary, &mut fields, &mut problems);
    Ok(Opened {
        fields,
        dialect: Dialect::Binary,
        problems,
    })
}

/// AMQP may carry an attribute as what it is in place of its text: a time as a timestamp, of whole seconds.
fn header<'a>(attribute: &str, value: &'a HeaderValue) -> Value<'a> {
    match value {
        HeaderValue::Text(text) => Value::Text(text.as_str().into()),
        HeaderValue::Bool(_) => Value::Boolean,
        HeaderValue::Bytes(_) => Value::Bytes,
        HeaderValue::Timestamp(seconds) if attribute == Attribute::Time.as_str() => {
            let seconds = i64::try_from(*seconds).ok();
            let time = seconds.and_then(|s| jiff::Timestamp::from_second(s).ok());
            time.map_or(Value::Number, |time| Value::Text(time.to_string().into()))
        }
        HeaderValue::Int(_) | HeaderValue::Float(_) | HeaderValue::Timestamp(_) => Value::Number,
    }
}

fn check_version(body: &Body<'_>, has_credential: bool) -> Result<(), Unread> {
    let found = match body.attribute(Attribute::SpecVersion) {
        Slot::Given(Value::Text(version)) if version == SPEC_VERSION => return Ok(()),
        // Which one counts is not known: told with all else.
        Slot::Repeated => return Ok(()),
        Slot::Absent | Slot::Given(Value::Null) => "is missing",
        Slot::Given(Value::Text(_)) => "is another text",
        Slot::Given(_) | Slot::Reported | Slot::Unread => "is no string",
    };
    let text = format!(
        "specversion {found}, expected \"{SPEC_VERSION}\"; send CloudEvents {SPEC_VERSION}"
    );
    // Beside a credential it is not known to be none.
    let id = body.fields.text(Field::Id).filter(|_| !has_credential);
    Err(Unread {
        problem: Problem::new(Code::CloudeventVersion, text),
        id: id.map(str::to_owned),
    })
}
