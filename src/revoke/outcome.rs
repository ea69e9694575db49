//! What an answer means: every way a call can end has a [`Class`].
//!
//! Pure. Classified by `error_type`; the HTTP status is only the fallback, messages and URLs are
//! never looked at. The table itself stands in `rules`.

use std::time::Duration;

use super::{Session, rules::RULES};
use crate::closed_set;

closed_set! {
    /// The `result` label of `revoker_stytch_requests_total`.
    CallResult {
        /// 200 with `status_code` 200.
        Revoked => "revoked",
        /// Stytch knows no such session or user.
        AlreadyGone => "already_gone",
        /// The request itself is wrong.
        Permanent => "permanent",
        /// Our credentials, project or base URL are wrong.
        Credentials => "credentials",
        /// 429.
        RateLimited => "rate_limited",
        /// 5xx and 408.
        ServerError => "server_error",
        /// No answer within the deadline.
        Timeout => "timeout",
        /// Refused, reset, TLS.
        Network => "network",
        /// An answer that is not what the API documents.
        InvalidResponse => "invalid_response",
    }
}

/// What an answer means for the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// Done: the session is revoked, or the list was given.
    Revoked,
    /// Done: Stytch knows no such session (or user).
    AlreadyGone,
    /// This request can never succeed.
    Permanent(ApiCode),
    /// Nothing can succeed until our credentials or settings are mended.
    Credentials(ApiCode),
    /// News about the rate, `too_many_requests` or a 429 of unknown type; no attempt.
    RateLimited,
    /// A 429 about this target only: its own backoff, no cut of the shared rate.
    OwnLimit,
    /// The API or the way to it failed: backoff, and the breaker hears of it.
    Retryable(Failure),
}

/// Whose fault it is that Stytch refuses a request with an error type that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The message's own.
    Message,
    /// Its publisher's: one after another of its events is refused so, and nobody else's was tried since.
    Publisher,
    /// No message's: several publishers' events are refused so, one after another. It stands aside for
    /// so long.
    Nobody(Duration),
}

closed_set! {
    /// How a retryable call failed; the `cause` label of `revoker_retries_total`.
    Failure {
        /// 5xx, 408, 499.
        ServerError => "server_error",
        /// The deadline passed.
        Timeout => "timeout",
        /// Refused, reset, TLS.
        Network => "network",
        /// Not JSON, truncated, over-long, or a 200 that says otherwise.
        InvalidResponse => "invalid_response",
    }
}

closed_set! {
    /// Stytch's error types that decide something, as dead-letter codes and log fields.
    ApiCode {
        /// 400.
        InvalidSessionId => "invalid_session_id",
        /// 400: no target in the request.
        NoSessionRevokeArguments => "no_session_revoke_arguments",
        /// 400: more than one target.
        TooManySessionRevokeArguments => "too_many_session_revoke_arguments",
        /// 400.
        InvalidSessionToken => "invalid_session_token",
        /// 400.
        UnableToParseSessionJwt => "unable_to_parse_session_jwt",
        /// 400, the family `jwt_invalid_*`.
        JwtInvalid => "jwt_invalid",
        /// 400.
        InvalidUserId => "invalid_user_id",
        /// 400.
        BadRequest => "bad_request",
        /// Any other 4xx of a type we do not know.
        ApiOther => "api_other",
        /// 401.
        UnauthorizedCredentials => "unauthorized_credentials",
        /// 400.
        InvalidSecretAuthentication => "invalid_secret_authentication",
        /// 400.
        InvalidProjectIdAuthentication => "invalid_project_id_authentication",
        /// 400.
        InvalidAuthorizationHeader => "invalid_authorization_header",
        /// The family `unauthorized_project_id_*`.
        UnauthorizedProjectId => "unauthorized_project_id",
        /// The project does not exist.
        ProjectNotFound => "project_not_found",
        /// Not a project id.
        InvalidProjectId => "invalid_project_id",
        /// Not a secret id.
        InvalidSecretId => "invalid_secret_id",
        /// 403: plain HTTP.
        UseHttps => "use_https",
        /// 401, the family `cname_*`.
        Cname => "cname",
        /// 404 before authentication: wrong base URL.
        RouteNotFound => "route_not_found",
        /// 405: wrong base URL.
        MethodNotAllowed => "method_not_allowed",
        /// 401 of another type.
        Unauthorized => "unauthorized",
        /// A 3xx: wrong base URL, never followed.
        Redirect => "redirect",
    }
}

closed_set! {
    /// What of ours Stytch refuses when it refuses every call.
    Blame {
        /// The API secret.
        Secret => "secret_refused",
        /// The project.
        Project => "project_refused",
        /// The base URL: what answers there is not the API we speak to.
        BaseUrl => "base_url_wrong",
    }
}

impl ApiCode {
    /// What of ours the code blames; `None` if it is about the one request.
    pub const fn blames(self) -> Option<Blame> {
        Some(match self {
            Self::UnauthorizedCredentials
            | Self::InvalidSecretAuthentication
            | Self::InvalidAuthorizationHeader
            | Self::InvalidSecretId
            | Self::Unauthorized => Blame::Secret,
            Self::InvalidProjectIdAuthentication
            | Self::UnauthorizedProjectId
            | Self::ProjectNotFound
            | Self::InvalidProjectId => Blame::Project,
            Self::UseHttps
            | Self::Cname
            | Self::RouteNotFound
            | Self::MethodNotAllowed
            | Self::Redirect => Blame::BaseUrl,
            Self::InvalidSessionId
            | Self::NoSessionRevokeArguments
            | Self::TooManySessionRevokeArguments
            | Self::InvalidSessionToken
            | Self::UnableToParseSessionJwt
            | Self::JwtInvalid
            | Self::InvalidUserId
            | Self::BadRequest
            | Self::ApiOther => return None,
        })
    }
}

/// How a call ended.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What it means.
    pub class: Class,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Stytch's `request_id`: what their support asks for. At most 128 visible ASCII bytes.
    pub request_id: Option<String>,
    /// Stytch's `error_type`, when it is a plain word (`[a-z0-9_]{1,64}`).
    pub error_type: Option<String>,
    /// `Retry-After` (seconds or date), as a wait from now.
    pub retry_after: Option<Duration>,
    /// The sessions of a listing.
    pub sessions: Vec<Session>,
    /// From sending to the last byte of the answer.
    pub elapsed: Duration,
}

/// What an answer other than a 200 means, by the first of [`RULES`] that covers it. `error_type` is
/// `None` if the body was not the documented JSON.
pub fn classify(status: u16, error_type: Option<&str>) -> Class {
    let word = error_type.unwrap_or_default();
    let rule = RULES.iter().find(|rule| rule.covers(status, word));
    rule.expect("the last rule covers every answer")
        .class
        .clone()
}

impl Class {
    /// Its name for people, as the README's table has it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::AlreadyGone => "already gone",
            Self::Permanent(_) => "permanent",
            Self::Credentials(_) => "credentials",
            Self::RateLimited => "rate limited",
            Self::OwnLimit => "own limit",
            Self::Retryable(_) => "retryable",
        }
    }

    /// The metric's word for it.
    pub const fn result(&self) -> CallResult {
        match self {
            Self::Revoked => CallResult::Revoked,
            Self::AlreadyGone => CallResult::AlreadyGone,
            Self::Permanent(_) => CallResult::Permanent,
            Self::Credentials(_) => CallResult::Credentials,
            Self::RateLimited | Self::OwnLimit => CallResult::RateLimited,
            Self::Retryable(Failure::ServerError) => CallResult::ServerError,
            Self::Retryable(Failure::Timeout) => CallResult::Timeout,
            Self::Retryable(Failure::Network) => CallResult::Network,
            Self::Retryable(Failure::InvalidResponse) => CallResult::InvalidResponse,
        }
    }
}
