//! What a request asks for: routing, authentication and the revoke body, in the API's order of complaints.
//!
//! Pure. Each function says what is wrong as the API's own error.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use hyper::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap},
    http::request::Parts,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    errors::ApiError,
    ids::{self, Kind},
    limit::Endpoint,
};
use crate::event::Environment;

/// Which endpoint this is. Answered before authentication is looked at.
pub(super) fn route(parts: &Parts) -> Result<Endpoint, ApiError> {
    let (method, endpoint) = match parts.uri.path() {
        "/v1/sessions/revoke" => (Method::POST, Endpoint::Revoke),
        "/v1/sessions" => (Method::GET, Endpoint::List),
        "/v1/debug/whoami" => (Method::GET, Endpoint::Whoami),
        "/v1/users/search" => (Method::POST, Endpoint::Search),
        _ => return Err(ApiError::known("route_not_found")),
    };
    if parts.method != method {
        return Err(ApiError::known("method_not_allowed"));
    }
    Ok(endpoint)
}

/// Whether the project's own credentials came along.
pub(super) fn authorize(
    headers: &HeaderMap,
    project_id: &str,
    secret: &str,
) -> Result<(), ApiError> {
    let (user, password) =
        basic(headers).ok_or_else(|| ApiError::known("invalid_authorization_header"))?;
    if user != project_id && !ids::is_project_id(&user) {
        return Err(ApiError::known("invalid_project_id_authentication"));
    }
    if user != project_id || password != secret {
        return Err(ApiError::known("unauthorized_credentials"));
    }
    Ok(())
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (user, password) = decoded.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (user.to_owned(), password.to_owned()))
}

/// A body's type is exactly `application/json`: the API refuses a charset, too.
pub(super) fn content_type(parts: &Parts) -> Result<(), ApiError> {
    let is_json = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value == "application/json");
    if parts.method == Method::POST && !is_json {
        return Err(ApiError::known("bad_request"));
    }
    Ok(())
}

/// What a revoke call names.
#[derive(Debug)]
pub(super) enum Target {
    /// By id, or by a JWT that holds the id.
    Id(Uuid),
    Token(String),
}

impl Target {
    /// The target of a revoke call.
    pub(super) fn parse(body: &[u8], environment: Environment) -> Result<Self, ApiError> {
        let body: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| ApiError::known("bad_request"))?;
        let fields = ["session_id", "session_token", "session_jwt"];
        // An official SDK sends all three, the unused ones as null.
        let mut given = fields
            .iter()
            .filter_map(|name| Some((*name, body.get(*name)?)))
            .filter(|(_, v)| !v.is_null());
        let (name, value) = given
            .next()
            .ok_or_else(|| ApiError::known("no_session_revoke_arguments"))?;
        if given.next().is_some() {
            return Err(ApiError::known("too_many_session_revoke_arguments"));
        }
        let text = value
            .as_str()
            .ok_or_else(|| ApiError::known("bad_request"))?;
        let (target, complaint) = match name {
            "session_id" => (
                ids::parse(Kind::Session, environment, text).map(Self::Id),
                "invalid_session_id",
            ),
            "session_token" => (
                is_token(text).then(|| Self::Token(text.to_owned())),
                "invalid_session_token",
            ),
            _ => (
                session_of_jwt(text, environment).map(Self::Id),
                "unable_to_parse_session_jwt",
            ),
        };
        target.ok_or_else(|| ApiError::known(complaint))
    }

    /// The target's name in a plan of faults.
    pub(super) fn name(&self, environment: Environment) -> String {
        match self {
            Self::Id(id) => ids::format(Kind::Session, environment, *id),
            Self::Token(token) => token.clone(),
        }
    }
}

/// Tokens are base64url in every published example; their length is not documented.
fn is_token(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=');
    !text.is_empty() && text.bytes().all(fits)
}

/// The session a JWT speaks of. Its signature and its times are not looked at.
fn session_of_jwt(jwt: &str, environment: Environment) -> Option<Uuid> {
    let mut parts = jwt.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    ids::parse(
        Kind::Session,
        environment,
        claims["https://stytch.com/session"]["id"].as_str()?,
    )
}

/// The value of a query parameter, as it stands: no id needs an escape.
pub(super) fn query<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let pairs = parts
        .uri
        .query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}
