//! The table of answers: which error type, under which HTTP status, is which [`Class`].
//!
//! Pure data: `classify` takes the first rule that covers an answer, `revoker policy` and `revoker
//! explain` print them, so that what is told is what is done. Source: Stytch's public API documents and
//! the official SDKs. Not here: what a 200 means, which is no error and has no error type.

use super::outcome::{
    ApiCode::{self, *},
    Class,
    Failure::{InvalidResponse, ServerError},
};

/// One row: answers, and what they mean.
#[derive(Debug)]
pub struct Rule {
    /// The first and the last HTTP status it is about.
    pub statuses: (u16, u16),
    /// The error types it is about.
    pub types: Types,
    /// What such an answer means.
    pub class: Class,
}

/// Error types of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Types {
    /// This one.
    One(&'static str),
    /// All that start so.
    Family(&'static str),
    /// Any, but there must be one: whoever answers speaks Stytch's language.
    Some,
    /// Any or none.
    Any,
}

/// Every status.
const ALL: (u16, u16) = (0, u16::MAX);
/// Only a 4xx is a judgement of the request: what a failing server says of it is not believed.
const REQUEST: (u16, u16) = (400, 499);

/// The rules, of which the first that covers an answer holds; the last covers all.
pub const RULES: &[Rule] = &[
    ours((300, 399), Types::Any, Redirect),
    ours(
        ALL,
        Types::One("unauthorized_credentials"),
        UnauthorizedCredentials,
    ),
    ours(
        ALL,
        Types::One("invalid_secret_authentication"),
        InvalidSecretAuthentication,
    ),
    ours(
        ALL,
        Types::One("invalid_project_id_authentication"),
        InvalidProjectIdAuthentication,
    ),
    ours(
        ALL,
        Types::One("invalid_authorization_header"),
        InvalidAuthorizationHeader,
    ),
    ours(ALL, Types::One("project_not_found"), ProjectNotFound),
    ours(ALL, Types::One("invalid_project_id"), InvalidProjectId),
    ours(ALL, Types::One("invalid_secret_id"), InvalidSecretId),
    ours(ALL, Types::One("use_https"), UseHttps),
    ours(ALL, Types::One("route_not_found"), RouteNotFound),
    ours(ALL, Types::One("method_not_allowed"), MethodNotAllowed),
    ours((405, 405), Types::Any, MethodNotAllowed),
    ours(
        ALL,
        Types::Family("unauthorized_credentials"),
        UnauthorizedCredentials,
    ),
    ours(
        ALL,
        Types::Family("unauthorized_project_id_"),
        UnauthorizedProjectId,
    ),
    ours(ALL, Types::Family("cname_"), Cname),
    ours((401, 401), Types::Any, Unauthorized),
    rule(ALL, Types::One("session_not_found"), Class::AlreadyGone),
    rule(ALL, Types::One("user_not_found"), Class::AlreadyGone),
    request("invalid_session_id", InvalidSessionId),
    request("no_session_revoke_arguments", NoSessionRevokeArguments),
    request(
        "too_many_session_revoke_arguments",
        TooManySessionRevokeArguments,
    ),
    request("invalid_session_token", InvalidSessionToken),
    request("unable_to_parse_session_jwt", UnableToParseSessionJwt),
    request("invalid_user_id", InvalidUserId),
    request("bad_request", BadRequest),
    rule(
        REQUEST,
        Types::Family("jwt_invalid_"),
        Class::Permanent(JwtInvalid),
    ),
    rule(ALL, Types::One("captcha_failed"), Class::OwnLimit),
    rule(ALL, Types::One("user_lock_limit_reached"), Class::OwnLimit),
    rule(
        ALL,
        Types::One("too_few_tokens_authenticated"),
        Class::OwnLimit,
    ),
    rule(ALL, Types::One("too_many_requests"), Class::RateLimited),
    rule((429, 429), Types::Any, Class::RateLimited),
    rule(
        ALL,
        Types::One("internal_server_error"),
        Class::Retryable(ServerError),
    ),
    rule(
        ALL,
        Types::One("server_unavailable"),
        Class::Retryable(ServerError),
    ),
    rule((500, 599), Types::Any, Class::Retryable(ServerError)),
    rule((408, 408), Types::Any, Class::Retryable(ServerError)),
    rule((499, 499), Types::Any, Class::Retryable(ServerError)),
    rule(REQUEST, Types::Some, Class::Permanent(ApiOther)),
    // Not the API's own words (a proxy's page, a cut body): nothing is known about the message.
    rule(ALL, Types::Any, Class::Retryable(InvalidResponse)),
];

impl Rule {
    /// Whether it is about such an answer; `word` is empty without an error type.
    pub fn covers(&self, status: u16, word: &str) -> bool {
        (self.statuses.0..=self.statuses.1).contains(&status) && self.types.cover(word)
    }
}

impl Types {
    fn cover(self, word: &str) -> bool {
        self.name(word) || self == Self::Any || (self == Self::Some && !word.is_empty())
    }

    /// Whether they are about this error type and not about others as well.
    pub fn name(self, word: &str) -> bool {
        match self {
            Self::One(own) => word == own,
            Self::Family(start) => word.starts_with(start),
            Self::Some | Self::Any => false,
        }
    }
}

/// Whether a rule names this error type.
pub fn is_known(error_type: &str) -> bool {
    RULES.iter().any(|rule| rule.types.name(error_type))
}

const fn rule(statuses: (u16, u16), types: Types, class: Class) -> Rule {
    Rule {
        statuses,
        types,
        class,
    }
}

/// Our credentials, project or base URL are wrong.
const fn ours(statuses: (u16, u16), types: Types, code: ApiCode) -> Rule {
    rule(statuses, types, Class::Credentials(code))
}

/// The request is wrong.
const fn request(word: &'static str, code: ApiCode) -> Rule {
    rule(REQUEST, Types::One(word), Class::Permanent(code))
}
