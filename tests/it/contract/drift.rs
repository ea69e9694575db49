//! Each field's rule, by the schema and by the decoder, character by character and length by length.

use revoker::event::{Code, decode, fields::Field};

use super::{schema::Judge, *};

const SESSION: &str = "session-live-8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d";
const USER: &str = "user-live-16d9ba61-97a1-4ba4-9720-b03761dc50c6";

/// A valid event with room for the field.
fn around(field: Field) -> Value {
    let mut event = json!({"type": "session.revoke.v1", "id": "a", "occurred_at": "2026-11-22T06:29:58Z",
        "reason": "policy"});
    let (name, id) = match field {
        Field::SessionId | Field::SessionToken | Field::SessionJwt => return event,
        Field::KeepSessionId | Field::Cutoff => ("user_id", USER),
        _ => ("session_id", SESSION),
    };
    if field != Field::UserId {
        event[name] = id.into();
    }
    event
}

/// Texts that are right, to be changed.
fn right(field: Field) -> Vec<&'static str> {
    match field {
        Field::Type => vec!["session.revoke.v1"],
        Field::Id | Field::CampaignId | Field::Actor => vec!["a", "Z.9_-"],
        Field::Reason => vec!["a", "z9_"],
        Field::SessionId | Field::KeepSessionId => {
            vec![SESSION, "s", "aB3456789-123456789", "eyJ.a.b", "user-live"]
        }
        Field::UserId => vec![
            USER,
            "u",
            "aB3456789-123456789-123456789_123456789=123",
            "session-live",
        ],
        Field::SessionToken => vec!["mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q"],
        Field::OccurredAt | Field::Cutoff | Field::NotAfter => vec![
            "2026-11-22T06:29:58Z",
            "2026-11-22T06:29:58",
            "2026-11-22T06:29:58.12345678",
            "2026-11-22T06:29:58+23:5",
            "2026-11-22T06:29:58-2",
        ],
        Field::InitiatedBy => vec!["admin"],
        Field::ProjectId => vec![PROJECT],
        Field::Note => vec!["", "ab"],
        Field::SessionJwt => vec!["a.b.c"],
        Field::Ext => vec![],
    }
}

/// Every character of Latin-1 and some beyond, at each end of the text; the text; and every length that
/// is a limit.
fn texts(field: Field) -> Vec<String> {
    let beyond = ['Ā', '\u{2028}', '\u{FEFF}', '👋'];
    let all = || (0..=0xFF_u8).map(char::from).chain(beyond);
    let mut texts = Vec::new();
    for text in right(field) {
        texts.push(text.to_owned());
        for c in all() {
            texts.extend([format!("{c}"), format!("{text}{c}"), format!("{c}{text}")]);
        }
    }
    if let Some((from, to)) = field.length() {
        for limit in [from, to] {
            let lengths = limit.saturating_sub(1)..=limit + 1;
            texts.extend(lengths.flat_map(|n| [text_of_length("a", n), text_of_length("ä", n)]));
        }
    }
    texts
}

fn text_of_length(c: &str, chars: usize) -> String {
    c.repeat(chars)
}

/// What only a worker knows: its project, and what is encoded in a JWT.
fn is_a_workers(code: Code) -> bool {
    matches!(
        code,
        Code::WrongProject
            | Code::WrongEnvironment
            | Code::JwtMalformed
            | Code::JwtWrongProject
            | Code::JwtNoSession
    )
}

#[test]
fn schema_and_decoder_have_the_same_rule_for_every_field() {
    let judge = Judge::new();
    let mut judged = 0;
    for &field in Field::ALL {
        let mut event = around(field);
        for text in texts(field) {
            event[field.as_str()] = text.as_str().into();
            let body = event.to_string();
            let ended = decode(body.as_bytes(), None, None, &live(), now());
            let code = ended.as_ref().err().map(revoker::event::Rejection::code);
            let taken = judge.takes_event(&event);
            let same = taken == ended.is_ok() || (taken && code.is_some_and(is_a_workers));
            assert!(
                same,
                "{}: {text:?}: the schema takes it: {taken}, the decoder says {ended:?}",
                field.as_str()
            );
            judged += 1;
        }
    }
    assert!(judged > 20_000, "only {judged} texts were judged");
}
