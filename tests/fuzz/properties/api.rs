//! An answer of the API: its status in the first line, the rest is the body.

use revoker::revoke::{
    Call, Class,
    outcome::classify,
    wire::{answer, body},
};
use secrecy::SecretString;
use serde_json::Value;

pub(super) fn check(input: &[u8]) {
    let (status, rest) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let status = std::str::from_utf8(status)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let status: u16 = status.unwrap_or(200);
    let text = String::from_utf8_lossy(rest).into_owned();
    for call in [
        Call::RevokeSession(text.clone()),
        Call::RevokeToken(SecretString::from(text.as_str())),
        Call::ListSessions(text.clone()),
    ] {
        asked(&call, &text);
        answered(&call, status, rest);
    }
}

/// A request names one target, whatever it is.
fn asked(call: &Call, text: &str) {
    let sent = body(call).map(|sent| serde_json::from_slice::<Value>(&sent).expect("it is JSON"));
    let field = match call {
        Call::RevokeSession(_) | Call::Canary(_) => "session_id",
        Call::RevokeToken(_) => "session_token",
        Call::ListSessions(_) => return assert_eq!(sent, None),
    };
    assert_eq!(sent, Some(serde_json::json!({ field: text })));
}

fn answered(call: &Call, status: u16, body: &[u8]) {
    let is_list = matches!(call, Call::ListSessions(_));
    let read = answer(call, status, body);
    // Of what is skipped there, bytes that are not UTF-8 are not looked at. Of two members of one name the
    // last is kept here; there the second is refused.
    let value: Value = serde_json::from_str(&String::from_utf8_lossy(body)).unwrap_or_default();
    let says = |member: &str| value.as_object().and_then(|value| value.get(member));
    let error_type = says("error_type").and_then(Value::as_str);
    if read.class == Class::Revoked {
        assert_eq!(status, 200, "nothing but a 200 is a success");
        assert_eq!(
            says("status_code"),
            Some(&Value::from(200)),
            "that says so itself"
        );
        assert!(!is_list || says("sessions").is_some_and(Value::is_array));
    }
    if read.class == Class::AlreadyGone {
        let gone = ["session_not_found", "user_not_found"];
        assert!(
            error_type.is_some_and(|word| gone.contains(&word)),
            "gone is a word, no status"
        );
    }
    assert!(read.class != Class::Revoked || status == 200);
    assert!(matches!(read.class, Class::Revoked | Class::Retryable(_)) || status != 200);
    if let Some(id) = &read.request_id {
        assert!((1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()));
        assert_eq!(
            says("request_id").and_then(Value::as_str),
            Some(id.as_str())
        );
    }
    if let Some(word) = &read.error_type {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!((1..=64).contains(&word.len()) && word.bytes().all(plain));
        assert_eq!(error_type, Some(word.as_str()));
        assert!(status == 200 || read.class == classify(status, Some(word)));
    }
    let listed = says("sessions")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    assert!(
        read.sessions.len() <= listed,
        "more sessions than were listed"
    );
}
