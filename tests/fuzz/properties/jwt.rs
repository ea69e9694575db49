//! A session JWT in an event: the claims (an input that begins as JSON), or the whole token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revoker::event::{Request, Target};
use serde_json::{Value, json};

use super::event;

const SESSION_CLAIM: &str = "https://stytch.com/session";

pub(super) fn check(input: &[u8]) {
    let token = match input.first() {
        Some(b'{' | b'[' | b' ') => format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(input)),
        _ => String::from_utf8_lossy(input).into_owned(),
    };
    let body = json!({
        "type": "session.revoke.v1", "id": "e1", "occurred_at": "2026-11-22T06:29:58Z",
        "reason": "policy", "session_jwt": token,
    });
    let expect = event::worker();
    let Some(taken) = event::judge(body.to_string().as_bytes(), token.as_bytes(), &expect) else {
        // Nor does the text say anything of the claims.
        let _ = event::judge(body.to_string().as_bytes(), input, &expect);
        return;
    };
    assert!(taken.holds_credential);
    assert!(!format!("{taken:?}").contains(&token));
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("it was decoded");
    // Bytes that are not UTF-8 are not looked at in what is skipped.
    let claims = String::from_utf8_lossy(&payload);
    let claims: Value = serde_json::from_str(&claims).expect("it was read");
    let audience = &claims["aud"];
    let is_ours = |aud: &Value| aud.as_str() == Some(expect.project_id.as_str());
    assert!(
        is_ours(audience)
            || audience
                .as_array()
                .is_some_and(|all| all.iter().any(is_ours))
    );
    let Request::Revoke(Target::Session(id)) = taken.request else {
        panic!("a JWT names a session");
    };
    assert_eq!(
        claims[SESSION_CLAIM]["id"],
        json!(id),
        "another session than the claims name"
    );
}
