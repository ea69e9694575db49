//! An event as the corpus tells it: the plain event that says the same.

use revoker::event::{Event, Request, Target};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

/// The event's fields, those that are not set left out.
pub(super) fn event(event: &Event) -> Value {
    let (kind, target) = match &event.request {
        Request::Verify => ("session.revoke.verify.v1", None),
        Request::Revoke(target) => ("session.revoke.v1", Some(target)),
    };
    let session = |name: &str| match target {
        Some(Target::Session(id)) if name == "session_id" => Some(id.clone()),
        Some(Target::Token(token)) if name == "session_token" => {
            Some(token.expose_secret().to_owned())
        }
        Some(Target::User { user_id, .. }) if name == "user_id" => Some(user_id.clone()),
        Some(Target::User { cutoff, .. }) if name == "cutoff" => Some(cutoff.to_string()),
        Some(Target::User {
            keep_session_id, ..
        }) if name == "keep_session_id" => keep_session_id.clone(),
        _ => None,
    };
    let fields = [
        ("type", Some(kind.to_owned())),
        ("id", Some(event.id.clone())),
        ("occurred_at", Some(event.occurred_at.to_string())),
        ("reason", Some(event.reason.clone())),
        ("session_id", session("session_id")),
        ("session_token", session("session_token")),
        ("user_id", session("user_id")),
        ("cutoff", session("cutoff")),
        ("keep_session_id", session("keep_session_id")),
        (
            "initiated_by",
            event.initiated_by.map(|by| by.as_str().to_owned()),
        ),
        ("actor", event.actor.clone()),
        ("campaign_id", event.campaign_id.clone()),
        ("not_after", event.not_after.map(|at| at.to_string())),
        ("note", event.note.clone()),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| {
        let value = value?;
        Some((name.to_owned(), Value::String(value)))
    });
    Value::Object(given.collect::<Map<_, _>>())
}
