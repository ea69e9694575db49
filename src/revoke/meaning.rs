//! What each of Stytch's error types says, for people: `revoker explain` prints it.
//!
//! Fixed text: no value of an answer. What the worker does about it is the [`rules`](super::rules)' word.

use super::outcome::ApiCode;

impl ApiCode {
    /// What is wrong.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::InvalidSessionId => "the session id is not of Stytch's form",
            Self::NoSessionRevokeArguments => "the request names no session",
            Self::TooManySessionRevokeArguments => {
                "the request names a session in more than one way"
            }
            Self::InvalidSessionToken => "the session token is not of Stytch's form",
            Self::UnableToParseSessionJwt => "the session JWT cannot be read",
            Self::JwtInvalid => {
                "the session JWT is not valid: its audience, issuer, key or another part is wrong"
            }
            Self::InvalidUserId => "the user id is not of Stytch's form",
            Self::BadRequest => "the request is malformed",
            Self::ApiOther => {
                "a 4xx with an error type that this version does not know; revoker-error-type has Stytch's word"
            }
            Self::UnauthorizedCredentials => "the project and the secret do not belong together",
            Self::InvalidSecretAuthentication => "the secret is not of Stytch's form",
            Self::InvalidProjectIdAuthentication => "the project id is not of Stytch's form",
            Self::InvalidAuthorizationHeader => "the credentials of the request cannot be read",
            Self::UnauthorizedProjectId => {
                "the project may not be used so, or not in this environment"
            }
            Self::ProjectNotFound => "there is no such project",
            Self::InvalidProjectId => "the project id is not of Stytch's form",
            Self::InvalidSecretId => "the secret's id is not of Stytch's form",
            Self::UseHttps => "the request came without TLS",
            Self::Cname => "the project has no such custom domain, or not yet",
            Self::RouteNotFound => "there is no such endpoint at this base URL",
            Self::MethodNotAllowed => "the endpoint at this base URL takes another method",
            Self::Unauthorized => "a 401 without an error type that this version knows",
            Self::Redirect => "the base URL redirects, which is never followed",
        }
    }
}
