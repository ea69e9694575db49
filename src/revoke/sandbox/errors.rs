//! The API's errors: every `error_type` the pretend API can answer, with its status, once.
//!
//! Types and statuses are those of Stytch's public documents and OpenAPI description; the messages
//! are ours, and no client may match on them.

use std::borrow::Cow;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status, repeated in the body.
    pub status: u16,
    /// What a client may decide by.
    pub error_type: Cow<'static, str>,
}

/// Type, status and message. The first type of a status is the one a bare status stands for.
const KNOWN: [(&str, u16, &str); 30] = [
    (
        "bad_request",
        400,
        "The request is not what this endpoint takes.",
    ),
    (
        "invalid_authorization_header",
        400,
        "The Authorization header is not HTTP basic authentication.",
    ),
    (
        "invalid_project_id_authentication",
        400,
        "The user of the basic authentication is not a project id.",
    ),
    (
        "invalid_secret_authentication",
        400,
        "The password of the basic authentication is not a secret.",
    ),
    (
        "no_session_revoke_arguments",
        400,
        "Give one of session_id, session_token and session_jwt.",
    ),
    (
        "too_many_session_revoke_arguments",
        400,
        "Give only one of session_id, session_token and session_jwt.",
    ),
    (
        "invalid_session_id",
        400,
        "The session_id is not a session id of this environment.",
    ),
    (
        "invalid_session_token",
        400,
        "The session_token is not a session token.",
    ),
    (
        "unable_to_parse_session_jwt",
        400,
        "The session_jwt could not be parsed.",
    ),
    (
        "invalid_user_id",
        400,
        "The user_id is not a user id of this environment.",
    ),
    (
        "invalid_project_id",
        400,
        "The project id is not a project id.",
    ),
    (
        "invalid_secret_id",
        400,
        "The secret id is not a secret id.",
    ),
    (
        "unauthorized_credentials",
        401,
        "The project id or the secret is wrong.",
    ),
    (
        "unauthorized_project_id_live",
        401,
        "The project id is not authorized for this environment.",
    ),
    (
        "cname_not_verified",
        401,
        "The custom domain is not verified.",
    ),
    ("use_https", 403, "Use HTTPS."),
    (
        "session_not_found",
        404,
        "There is no such session; it may have ended.",
    ),
    ("user_not_found", 404, "There is no such user."),
    ("project_not_found", 404, "There is no such project."),
    (
        "route_not_found",
        404,
        "There is no such route; look at the base URL.",
    ),
    (
        "method_not_allowed",
        405,
        "This route does not take this method.",
    ),
    ("request_timeout", 408, "The request took too long."),
    ("too_many_requests", 429, "Too many requests; slow down."),
    ("captcha_failed", 429, "The captcha failed."),
    ("user_lock_limit_reached", 429, "The user is locked."),
    (
        "too_few_tokens_authenticated",
        429,
        "Too few tokens were authenticated.",
    ),
    ("internal_server_error", 500, "Oops, something went wrong."),
    ("bad_gateway", 502, "Bad gateway."),
    ("server_unavailable", 503, "The server is unavailable."),
    ("gateway_timeout", 504, "The server behind took too long."),
];

/// Longest `error_type` taken from a plan, in bytes.
const ERROR_TYPE_LENGTH_MAX: usize = 64;

impl ApiError {
    /// An error of a type that stands in the table.
    pub(super) fn known(error_type: &'static str) -> Self {
        let row = KNOWN.iter().find(|row| row.0 == error_type);
        let status = row
            .expect("every type named in this folder stands in the table")
            .1;
        Self {
            status,
            error_type: Cow::Borrowed(error_type),
        }
    }

    /// The error a word stands for: a type, or a status for its usual type.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let status = word.parse().unwrap_or(0);
        let row = KNOWN.iter().find(|row| row.0 == word || row.1 == status)?;
        Some(Self {
            status: row.1,
            error_type: Cow::Borrowed(row.0),
        })
    }

    /// Any status from 400 on with any plain word as type, such as one that Stytch adds tomorrow.
    pub(super) fn custom(status: u16, error_type: String) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let fits = (400..600).contains(&status)
            && (1..=ERROR_TYPE_LENGTH_MAX).contains(&error_type.len())
            && error_type.bytes().all(plain);
        fits.then_some(Self {
            status,
            error_type: Cow::Owned(error_type),
        })
    }

    /// The documented body: `status_code`, `request_id`, `error_type`, `error_message`, `error_url`.
    pub(super) fn body(&self, request_id: &str) -> String {
        let Self { status, error_type } = self;
        let row = KNOWN.iter().find(|row| row.0 == error_type);
        let message = row.map_or("An error of a type made up by the plan of faults.", |row| {
            row.2
        });
        format!(
            r#"{{"status_code":{status},"request_id":"{request_id}","error_type":"{error_type}","error_message":"{message}","error_url":"https://stytch.com/docs/api/errors/{status}#{error_type}"}}"#
        )
    }
}
