//! A message's bytes become an [`Event`] or a [`Rejection`].
//!
//! Not the rules of its fields (`judge`), nor what makes it a CloudEvent (`cloud`). The order is that of cost and of sense: bytes, JSON, the
//! type (another version has other fields, so nothing more is said about it), then every field, so
//! that all problems come out at once.

use jiff::Timestamp;

use super::fields::{self, Field};
use super::form::Form;
use super::slots::{Fields, Slot};
use super::{
    Code, Event, Expectations, HeaderValue, Problem, Properties, Rejection, cloud, envelope, json,
    judge, target, time,
};
use crate::closed_set;

closed_set! {
    /// The events that are taken, by the word in `type`.
    EventType {
        /// Revoke one target.
        RevokeV1 => "session.revoke.v1",
        /// Answer, and do nothing else.
        VerifyV1 => "session.revoke.verify.v1",
    }
}

impl EventType {
    /// Whether events of that type have the field.
    pub fn has(self, field: Field) -> bool {
        self == Self::RevokeV1 || !field.is_for_revoke_only()
    }
}

/// Reads one event that came without headers. `content_type` and `content_encoding` are the message's
/// properties.
///
/// # Errors
///
/// See [`decode_message`].
pub fn decode(
    body: &[u8],
    content_type: Option<&str>,
    content_encoding: Option<&str>,
    expect: &Expectations,
    now: Timestamp,
) -> Result<Event, Rejection> {
    let properties = (content_type, content_encoding);
    read(body, properties, &[], expect, now)
}

/// Reads one event, as the broker gave it: of a CloudEvent in binary mode the attributes are headers.
///
/// # Errors
///
/// A [`Rejection`] with all problems at once, at most [`Rejection::PROBLEMS_MAX`]. Its texts hold no
/// value of the message, but its `event_id` is what the publisher wrote there.
pub fn decode_message(
    body: &[u8],
    properties: &Properties,
    expect: &Expectations,
    now: Timestamp,
) -> Result<Event, Rejection> {
    let content = (
        properties.content_type.as_deref(),
        properties.content_encoding.as_deref(),
    );
    read(body, content, &properties.headers, expect, now)
}

fn read(
    body: &[u8],
    (content_type, content_encoding): (Option<&str>, Option<&str>),
    headers: &[(String, HeaderValue)],
    expect: &Expectations,
    now: Timestamp,
) -> Result<Event, Rejection> {
    let unread = |problems| Rejection {
        problems,
        event_id: None,
    };
    let text = envelope::open(body, content_type, content_encoding).map_err(unread)?;
    let body = json::read(text).map_err(|problem| unread(vec![problem]))?;
    let opened = cloud::open(body, content_type, headers).map_err(|unread| Rejection {
        problems: vec![unread.problem],
        event_id: unread.id.and_then(|id| fields::id(Field::Id, &id).ok()),
    })?;
    let mut fields = opened.fields;
    let repeated = withhold_credentials(&mut fields);
    let event_type = event_type(&fields).map_err(|problem| Rejection {
        problems: vec![problem],
        event_id: fields
            .text(Field::Id)
            .and_then(|id| fields::id(Field::Id, id).ok()),
    })?;
    let mut form = Form::new(fields, opened.dialect, event_type);
    for problem in opened.problems.into_iter().chain(repeated) {
        form.refuse(problem);
    }
    judge::judge(form, event_type, expect, now)
}

/// The text for a time that is ahead of `now`, for a publisher's `lint`: the worker itself takes such
/// an `occurred_at` as now and only counts it. Decoding with [`Timestamp::MAX`] as `now` gives the time as written.
pub fn occurred_ahead(occurred_at: Timestamp, now: Timestamp) -> Option<Problem> {
    let lead = time::lead(occurred_at, now)?;
    let text = format!(
        "occurred_at is {lead} ahead of this clock; the worker takes it as now; check the publisher's clock"
    );
    Some(Problem::new(Code::TimeInFuture, text))
}

/// Fields that are kept in clear must not repeat the event's own credential: what does is taken out.
fn withhold_credentials(fields: &mut Fields<'_>) -> Vec<Problem> {
    const KEPT: [Field; 5] = [
        Field::Id,
        Field::Actor,
        Field::CampaignId,
        Field::Note,
        Field::KeepSessionId,
    ];
    let mut problems = Vec::new();
    for credential in [Field::SessionToken, Field::SessionJwt] {
        // Shorter than any credential: it will be refused for that, and would be found everywhere.
        let Some(secret) = fields
            .text(credential)
            .filter(|text| text.len() >= target::TOKEN_LEN_MIN)
        else {
            continue;
        };
        let repeats = |field: &Field| {
            fields
                .text(*field)
                .is_some_and(|text| text.contains(secret))
        };
        for field in KEPT.into_iter().filter(repeats).collect::<Vec<_>>() {
            let name = credential.as_str();
            problems.push(field.bad_format(&format!(
                "repeats the {name}; this field is kept in clear, leave the credential out"
            )));
            *fields.slot_mut(field) = Slot::Reported;
        }
    }
    problems
}

/// Which event it is. A type that is missing or no string is judged as the usual one, for the sake
/// of the other fields; it is refused all the same.
fn event_type(fields: &Fields<'_>) -> Result<EventType, Problem> {
    let assumed = EventType::RevokeV1;
    let Some(text) = fields.text(Field::Type) else {
        return Ok(assumed);
    };
    EventType::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == text)
        .ok_or_else(|| {
            let known: Vec<_> = EventType::ALL.iter().map(|known| known.as_str()).collect();
            let text = format!(
                "this worker supports {}; upgrade the worker or send v1",
                known.join(", ")
            );
            Problem::new(Code::UnsupportedType, text)
        })
}
