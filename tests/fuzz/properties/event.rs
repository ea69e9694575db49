//! The body of an event, as any publisher may send it.

use revoker::event::{
    BODY_BYTES_MAX, Environment, Event, Expectations, Rejection, Request, Target, decode,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{now, withheld};

const PROJECT: &str = "project-live-3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f";
/// Longest text of one problem, bytes.
const TEXT_BYTES_MAX: usize = 300;

/// Two workers: a usual one of a live project, and a strict one of a test project.
pub(super) fn workers() -> [Expectations; 2] {
    let worker = |environment, strict_ids| Expectations {
        project_id: PROJECT.into(),
        environment,
        strict_ids,
    };
    [
        worker(Environment::Live, false),
        worker(Environment::Test, true),
    ]
}

pub(super) fn check(body: &[u8]) {
    for expect in workers() {
        judge(body, body, &expect);
    }
}

/// Decodes a body. No text may give anything of `input` away.
pub(super) fn judge(body: &[u8], input: &[u8], expect: &Expectations) -> Option<Event> {
    match decode(body, None, None, expect, now()) {
        Ok(event) => {
            taken(&event, body, expect);
            Some(event)
        }
        Err(rejection) => {
            refused(&rejection);
            withheld::check(&rejection.to_string(), input);
            None
        }
    }
}

pub(super) fn worker() -> Expectations {
    workers()[0].clone()
}

pub(super) fn refused(rejection: &Rejection) {
    let problems = &rejection.problems;
    assert!(!problems.is_empty() && problems.len() <= Rejection::PROBLEMS_MAX);
    for problem in problems {
        assert!(!problem.text.is_empty() && problem.text.len() <= TEXT_BYTES_MAX);
        assert!(!problem.text.contains(char::is_control), "{}", problem.text);
    }
    if let Some(id) = &rejection.event_id {
        assert!(is_made_of(id, 128, "._:-"), "an id that was wrong is kept");
    }
}

pub(super) fn taken(event: &Event, body: &[u8], expect: &Expectations) {
    assert!(body.len() <= BODY_BYTES_MAX);
    assert!(is_made_of(&event.id, 128, "._:-"));
    assert!(is_made_of(&event.reason, 64, "_"));
    assert!(event.occurred_at <= now());
    let graphic = |text: &str, max| {
        (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    };
    assert!(
        event
            .actor
            .as_deref()
            .is_none_or(|actor| graphic(actor, 128))
    );
    assert!(
        event
            .campaign_id
            .as_deref()
            .is_none_or(|id| is_made_of(id, 64, "._-"))
    );
    let note = event.note.as_deref().unwrap_or_default();
    assert!(note.chars().count() <= 256 && !note.contains(char::is_control));
    let ours = expect.environment.as_str();
    let is_ours = |id: &str| {
        let known = ["session-test-", "session-live-", "user-test-", "user-live-"];
        graphic(id, 256)
            && known
                .iter()
                .all(|known| !id.starts_with(known) || known.contains(ours))
    };
    match &event.request {
        Request::Verify => assert!(!event.holds_credential),
        Request::Revoke(Target::Session(id)) => assert!(is_ours(id)),
        Request::Revoke(Target::User {
            user_id,
            keep_session_id,
            ..
        }) => {
            assert!(is_ours(user_id) && !event.holds_credential);
            assert!(keep_session_id.as_deref().is_none_or(is_ours));
        }
        Request::Revoke(Target::Token(token)) => {
            let token = token.expose_secret();
            assert!(event.holds_credential && is_made_of(token, 512, "_=-"));
            let shown = format!("{event:?}");
            assert!(!shown.contains(token), "the token is kept in clear");
        }
    }
    let again = decode(
        encode(event).to_string().as_bytes(),
        None,
        None,
        expect,
        now(),
    );
    let again = again.unwrap_or_else(|rejection| panic!("taken, and then not: {rejection}"));
    assert_eq!(
        encode(&again),
        encode(event),
        "it is another event the second time"
    );
}

fn is_made_of(text: &str, len_max: usize, others: &str) -> bool {
    (1..=len_max).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// The event as its publisher could have written it: a session by JWT as that session.
pub(super) fn encode(event: &Event) -> Value {
    let mut body = json!({
        "type": "session.revoke.v1",
        "id": event.id,
        "occurred_at": event.occurred_at,
        "reason": event.reason,
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    match &event.request {
        Request::Verify => put("type", Some(json!("session.revoke.verify.v1"))),
        Request::Revoke(Target::Session(id)) => put("session_id", Some(json!(id))),
        Request::Revoke(Target::Token(token)) => {
            put("session_token", Some(json!(token.expose_secret())));
        }
        Request::Revoke(Target::User {
            user_id,
            cutoff,
            keep_session_id,
        }) => {
            put("user_id", Some(json!(user_id)));
            put("cutoff", Some(json!(cutoff)));
            put(
                "keep_session_id",
                keep_session_id.as_ref().map(|id| json!(id)),
            );
        }
    }
    put(
        "initiated_by",
        event.initiated_by.map(|by| json!(by.as_str())),
    );
    put("actor", event.actor.as_ref().map(|actor| json!(actor)));
    put(
        "campaign_id",
        event.campaign_id.as_ref().map(|id| json!(id)),
    );
    put("not_after", event.not_after.map(|at| json!(at)));
    put("note", event.note.as_ref().map(|note| json!(note)));
    body
}
