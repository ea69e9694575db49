//! The JSON of Stytch's sessions API: request bodies, and answers read with a tolerance for what is new.
//!
//! Pure. Field names are Stytch's own. Unknown fields are skipped without being kept, so that a list
//! of a user's sessions costs only what we need of it.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{
    Call, Session,
    outcome::{Class, Failure, classify},
};

/// Longest answer to a revoke, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest list of sessions, in bytes: the API has no pagination.
pub const LIST_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest `request_id` that is kept.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// Longest id or name of a project that is shown.
const PROJECT_CHARS_MAX: usize = 128;
/// Longest `error_type` that is kept.
const ERROR_TYPE_BYTES_MAX: usize = 64;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum RevokeBody<'a> {
    SessionId(&'a str),
    SessionToken(&'a str),
}

/// The body of a revoke; `None` for a list, which has none.
pub fn body(call: &Call) -> Option<Vec<u8>> {
    let body = match call {
        Call::RevokeSession(id) | Call::Canary(id) => RevokeBody::SessionId(id),
        Call::RevokeToken(token) => RevokeBody::SessionToken(token.expose_secret()),
        Call::ListSessions(_) => return None,
    };
    Some(serde_json::to_vec(&body).expect("a map of two strings is always JSON"))
}

/// What could be read of an answer.
#[derive(Debug)]
pub struct Answer {
    /// What it means.
    pub class: Class,
    /// Stytch's `request_id`.
    pub request_id: Option<String>,
    /// Stytch's `error_type`, when it is a plain word.
    pub error_type: Option<String>,
    /// The sessions of a list.
    pub sessions: Vec<Session>,
}

/// A project, in Stytch's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whoami {
    /// Its id.
    pub project_id: String,
    /// Its name.
    pub name: String,
}

/// Reads the answer of `GET /v1/debug/whoami`; only plain words are believed.
pub fn whoami(status: u16, body: &[u8]) -> Option<Whoami> {
    #[derive(Deserialize)]
    struct Raw {
        project_id: String,
        #[serde(default)]
        name: String,
    }
    let raw: Raw = serde_json::from_slice(body).ok()?;
    let plain = |text: &String| {
        text.chars().count() <= PROJECT_CHARS_MAX && !text.chars().any(char::is_control)
    };
    (status == 200 && plain(&raw.project_id) && plain(&raw.name)).then_some(Whoami {
        project_id: raw.project_id,
        name: raw.name,
    })
}

/// Reads an answer that came whole and within its limit.
pub fn answer(call: &Call, status: u16, body: &[u8]) -> Answer {
    #[derive(Deserialize)]
    struct Raw {
        status_code: Option<u16>,
        request_id: Option<String>,
        error_type: Option<String>,
        sessions: Option<Vec<RawSession>>,
    }
    #[derive(Deserialize)]
    struct RawSession {
        session_id: String,
        started_at: Timestamp,
    }
    let invalid = || Class::Retryable(Failure::InvalidResponse);
    let raw = serde_json::from_slice::<Raw>(body).ok();
    let Some(raw) = raw.filter(|_| is_object(body)) else {
        let class = if status == 200 {
            invalid()
        } else {
            classify(status, None)
        };
        return Answer::of(class, None, None);
    };
    let is_list = matches!(call, Call::ListSessions(_));
    let class = match (status, raw.status_code, &raw.sessions) {
        (200, Some(200), Some(_)) => Class::Revoked,
        (200, Some(200), None) if !is_list => Class::Revoked,
        (200, ..) => invalid(),
        _ => classify(status, raw.error_type.as_deref()),
    };
    let sessions = raw.sessions.unwrap_or_default().into_iter();
    Answer {
        sessions: sessions
            .map(|s| Session {
                session_id: s.session_id,
                started_at: s.started_at,
            })
            .collect(),
        ..Answer::of(class, raw.request_id, raw.error_type)
    }
}

impl Answer {
    /// One without sessions; of its words only what is plain is kept.
    pub(super) fn of(class: Class, request_id: Option<String>, error_type: Option<String>) -> Self {
        let is_word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        Self {
            class,
            request_id: self::request_id(request_id),
            error_type: error_type.filter(|word| is_plain(word, ERROR_TYPE_BYTES_MAX, is_word)),
            sessions: Vec::new(),
        }
    }
}

/// Stytch's `request_id`, if it is plain.
pub(super) fn request_id(given: Option<String>) -> Option<String> {
    given.filter(|id| is_plain(id, REQUEST_ID_BYTES_MAX, |byte| byte.is_ascii_graphic()))
}

/// Asked beside the parser, since the derive also takes an array of the fields in their order.
pub(super) fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// What comes from outside is kept for logs and headers only if it cannot hold anything else.
pub(super) fn is_plain(text: &str, bytes_max: usize, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= bytes_max && text.bytes().all(allowed)
}
