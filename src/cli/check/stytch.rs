//! Our credentials at Stytch: one canary, a revoke of a random session id, as the worker sends it.

use super::report::{Check, Line};
use crate::{
    event::Environment,
    revoke::{Api, Call, Class, Reply, Settings, client::Client, wire::Whoami},
    telemetry::Why,
};

/// Asks Stytch.
pub(super) async fn credentials(settings: Settings, environment: Environment) -> Line {
    let project_id = settings.project_id.clone();
    let client = match Client::new(settings) {
        Ok(client) => client,
        Err(error) => {
            let todo = "mend what it names";
            return Line::failed(Check::Credentials, error.to_string(), todo);
        }
    };
    let id = format!("session-{}-{}", environment.as_str(), uuid::Uuid::new_v4());
    let reply = client.call(&Call::Canary(id)).await;
    if let Some(trouble) = client.tls_trouble() {
        let (said, todo) = trouble
            .split_once("; ")
            .unwrap_or((&trouble, "see its log"));
        return Line::failed(Check::Credentials, said, todo);
    }
    let whoami = match taken(&reply) {
        true => client.whoami().await,
        false => None,
    };
    judge(&reply, whoami.as_ref(), &project_id)
}

/// Whether the answer shows that our credentials are good.
fn taken(reply: &Reply) -> bool {
    matches!(
        reply.class,
        Class::Revoked | Class::AlreadyGone | Class::RateLimited | Class::OwnLimit
    )
}

/// What the canary's answer, and the project that Stytch names, mean. Pure.
pub fn judge(reply: &Reply, whoami: Option<&Whoami>, project_id: &str) -> Line {
    let check = Check::Credentials;
    let because = |why: Why| {
        let (said, todo) = why
            .sentence()
            .split_once("; ")
            .unwrap_or((why.sentence(), ""));
        Line::failed(check, format!("{said}{}", answered(reply)), todo)
    };
    match (&reply.class, whoami) {
        (Class::Credentials(code), _) => match code.blames() {
            Some(blame) => because(Why::Credentials(blame)),
            None => Line::failed(check, answered(reply), "ask Stytch's support"),
        },
        (Class::Retryable(failure), _) => Line {
            unavailable: true,
            ..because(Why::Outage(*failure))
        },
        (Class::Permanent(_), _) => {
            let said = format!(
                "Stytch refuses a revoke of a random session id{}",
                answered(reply)
            );
            Line::failed(
                check,
                said,
                "look its word up in Stytch's documents, and give the request id to its support",
            )
        }
        (_, Some(whoami)) if whoami.project_id != project_id => {
            let said = format!(
                "they belong to the project {}, not to {project_id}",
                whoami.project_id
            );
            Line::failed(
                check,
                said,
                "check REVOKER_STYTCH_PROJECT_ID and the secret",
            )
        }
        (_, whoami) => {
            let name = whoami
                .map(|whoami| format!("\"{}\", ", whoami.name))
                .unwrap_or_default();
            let limited = match reply.class {
                Class::RateLimited => "; it limits our rate just now",
                _ => "",
            };
            Line::ok(
                check,
                format!("Stytch takes them: project {name}{project_id}{limited}"),
            )
        }
    }
}

/// ` (HTTP 401 unauthorized_credentials, request-id-…)`; empty without an answer.
fn answered(reply: &Reply) -> String {
    let Some(status) = reply.status else {
        return String::new();
    };
    let error_type = reply.error_type.as_ref().map(|word| format!(" {word}"));
    let request_id = reply.request_id.as_ref().map(|id| format!(", {id}"));
    format!(
        " (HTTP {status}{}{})",
        error_type.unwrap_or_default(),
        request_id.unwrap_or_default()
    )
}
