//! Whom Stytch does not know, and who has no old session: one outcome, two codes.

use revoker::{
    event::Lane,
    revoke::outcome::ApiCode,
    settle::{
        code::Code,
        outcome::Outcome,
        report::{Facts, outcome},
    },
};
use serde_json::Value;

use super::{
    report::{COMPLETED, FIXTURE, FROZEN, OCCURRED, message, token},
    time,
};

/// A user without sessions, and Stytch's last word on it.
fn user(error_type: Option<&str>) -> Facts {
    Facts {
        event_id: Some("reset-3".into()),
        target_kind: Some("user"),
        target: Some("user-test-2".into()),
        occurred_at: Some(time(OCCURRED)),
        cutoff: Some(time(OCCURRED)),
        sessions: Some(0),
        sessions_newer: Some(0),
        request_id: Some("request-id-test-3".into()),
        error_type: error_type.map(str::to_owned),
        ..Facts::default()
    }
}

#[test]
fn they_are_told_as_publishers_were_promised() {
    let (urgent, bulk) = (message(Lane::Urgent, true), message(Lane::Bulk, false));
    let no_session = Facts {
        error_type: Some("session_not_found".into()),
        ..token()
    };
    let rows = [
        ("user_unknown", &urgent, user(Some("user_not_found"))),
        ("user_without_old_sessions", &urgent, user(None)),
        ("session_unknown", &bulk, no_session),
    ];
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    for (name, message, facts) in rows {
        let sent = outcome(message, &facts, Outcome::AlreadyGone, None, time(COMPLETED));
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(body, fixture[name], "{name}: {FROZEN}");
    }
}

/// The last word alone is no code: it must be about the target, and the end of the event.
#[test]
fn a_code_is_of_this_kind_of_target_and_of_nothing_but_already_gone() {
    let words = ["user_not_found", "session_not_found", "bad_request"];
    let kinds = [None, Some("session"), Some("token"), Some("user")];
    for how in Outcome::ALL {
        for (kind, word) in kinds
            .iter()
            .flat_map(|kind| words.map(|word| (*kind, word)))
        {
            let facts = Facts {
                target_kind: kind,
                ..user(Some(word))
            };
            let told = |code| {
                let sent = outcome(
                    &message(Lane::Bulk, true),
                    &facts,
                    *how,
                    code,
                    time(COMPLETED),
                );
                let body: Value = serde_json::from_slice(&sent.body).unwrap();
                body["code"].as_str().map(str::to_owned)
            };
            let wanted = match (how, kind, word) {
                (Outcome::AlreadyGone, Some("user"), "user_not_found") => Some(word),
                (Outcome::AlreadyGone, Some("session" | "token"), "session_not_found") => {
                    Some(word)
                }
                _ => None,
            };
            assert_eq!(told(None).as_deref(), wanted, "{how:?} {kind:?} {word}");
            let dead = Code::Api(ApiCode::BadRequest);
            assert_eq!(told(Some(dead)).as_deref(), Some("bad_request"), "{how:?}");
        }
    }
}
