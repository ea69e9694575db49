//! A session JWT, read for the session it names.
//!
//! The signature is not checked, on purpose: whoever may publish may name any session anyway, by its
//! id, so a forged JWT gains nothing, and a key set to fetch would be one more thing that can stop
//! revocations. The expiry is not looked at either: the JWT lives five minutes, the session longer,
//! and a queue may be late. For both reasons nothing else may ever be concluded from a JWT here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::fields::{Field, made_of};
use super::target::{self, Id, Kind};
use super::{Code, Expectations, Problem};

/// Longest JWT that is read, in bytes: with custom claims Stytch's stay well below 4 KiB.
pub(super) const JWT_BYTES_MAX: usize = 8 * 1024;

/// The claims we need. Serde refuses one that is named twice and skips the others.
#[derive(Deserialize)]
struct Claims {
    aud: Option<Audience>,
    #[serde(rename = "https://stytch.com/session")]
    session: Option<Session>,
}

/// RFC 7519, section 4.1.3: one string or an array of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Session {
    id: Option<String>,
}

/// Whether a text found in another field is a JWT: three parts, the first a JSON object in base64url.
pub(super) fn looks_like_one(text: &str) -> bool {
    text.starts_with("eyJ") && parts(text).is_some()
}

/// The id of the session that the JWT names.
pub(super) fn session(field: Field, text: &str, expect: &Expectations) -> Result<Id, Problem> {
    let claims = claims(text)?;
    let is_ours = match &claims.aud {
        None => false,
        Some(Audience::One(project)) => *project == expect.project_id,
        Some(Audience::Many(projects)) => projects.contains(&expect.project_id),
    };
    if !is_ours {
        let text = "session_jwt was issued for another project than the one this worker serves; publish to that project's worker";
        return Err(Problem::new(Code::JwtWrongProject, text));
    }
    let Some(id) = claims.session.and_then(|session| session.id) else {
        return Err(no_session("names no session"));
    };
    // The problem of an id that is no id speaks of fields and remedies that a publisher of a JWT
    // does not have.
    target::id(field, Kind::Session, &id, expect).map_err(|problem| match problem.code {
        Code::WrongEnvironment => problem,
        _ => no_session("names a session by something that is no session id"),
    })
}

fn claims(text: &str) -> Result<Claims, Problem> {
    let bytes = text.len();
    if bytes > JWT_BYTES_MAX {
        return Err(malformed(&format!(
            "has {bytes} bytes, the limit is {JWT_BYTES_MAX}; send the session_id instead"
        )));
    }
    let Some([_, payload, _]) = parts(text) else {
        let chars = text.chars().count();
        return Err(malformed(&format!(
            "is not three base64url parts ({chars} characters, value withheld); a session token goes in \"session_token\", an id in \"session_id\""
        )));
    };
    // Serde's derive would take an array for a struct; a payload is an object.
    URL_SAFE_NO_PAD
        .decode(payload)
        .ok()
        .filter(|json| json.starts_with(b"{"))
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| malformed("has a payload that is not an object of session claims; send the session_id instead"))
}

fn parts(text: &str) -> Option<[&str; 3]> {
    let mut parts = text.split('.');
    let parts = [
        parts.next()?,
        parts.next()?,
        parts.next().filter(|_| parts.next().is_none())?,
    ];
    let is_base64url = |part: &str| {
        made_of(part, usize::MAX, |b| {
            b.is_ascii_alphanumeric() || b"_-".contains(&b)
        })
    };
    parts.iter().all(|part| is_base64url(part)).then_some(parts)
}

fn malformed(what: &str) -> Problem {
    Problem::new(Code::JwtMalformed, format!("session_jwt {what}"))
}

fn no_session(what: &str) -> Problem {
    Problem::new(
        Code::JwtNoSession,
        format!("session_jwt {what}; send the session_id instead"),
    )
}
