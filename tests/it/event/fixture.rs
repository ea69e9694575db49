//! Events to be changed, and what must never come out of them. Data only: the live tests include
//! this file, too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Stands wherever a value can stand; no eight characters of it may come out.
pub(super) const CANARY: &str = "SECRET_CANARY_Xq7bV0pLdE3sN-h9Tz-kWc5RyUf2gM";
/// Stytch's published example of a session token.
pub(super) const TOKEN: &str = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q";
pub(super) const SESSION: &str = "session-live-8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d";
pub(super) const USER: &str = "user-live-16d9ba61-97a1-4ba4-9720-b03761dc50c6";
pub(super) const PROJECT: &str = "project-live-3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f";

/// A valid event with these fields in place of its own: `Value::Null` takes a field out.
pub(super) fn body(changes: Value) -> String {
    let mut body = json!({
        "type": "session.revoke.v1", "id": "reset-1", "occurred_at": "2026-11-22T06:29:58Z",
        "reason": "password_reset", "session_id": SESSION,
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body.to_string()
}

pub(crate) fn jwt(claims: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = part(r#"{"alg":"RS256","kid":"jwk-live-1"}"#);
    format!(
        "{header}.{}.{}",
        part(&claims.to_string()),
        part("no signature is checked")
    )
}

pub(super) fn jwt_of(session: &str) -> String {
    jwt(&json!({"aud": [PROJECT], "exp": 1, "https://stytch.com/session": {"id": session}}))
}
