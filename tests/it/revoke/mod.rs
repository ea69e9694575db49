//! Tests of the Stytch call: what is sent, what an answer means, what a user target needs.

mod classify;
mod client;
mod fanout;
pub(crate) mod server;
mod tls;
mod trouble;
mod users;
mod wire;

use std::time::Duration;

use revoker::revoke::{
    Call, SecretSource, Settings,
    client::Client,
    outcome::{Class, Failure},
};
use secrecy::SecretString;

const PROJECT: &str = "project-test-11111111-1111-4111-8111-111111111111";
const SECRET: &str = "secret-test-Zq81xVbD0mNc3=";
const SESSION: &str = "session-test-00000000-0000-4000-8000-000000000001";
/// What the API answers to a revoke that did its work.
const REVOKED: &str = r#"{"status_code":200,"request_id":"request-id-test-1"}"#;
/// A deadline that no call reaches, however slow the machine.
const LONG: Duration = Duration::from_secs(60);

const INVALID: Class = Class::Retryable(Failure::InvalidResponse);

fn settings(base_url: &str, call_timeout: Duration) -> Settings {
    Settings {
        project_id: PROJECT.into(),
        secret: SecretSource::Fixed(SecretString::from(SECRET)),
        base_url: base_url.into(),
        tls: revoker::tls::Files::default(),
        call_timeout,
    }
}

fn client(base_url: &str) -> Client {
    Client::new(settings(base_url, LONG)).unwrap()
}

fn revoke() -> Call {
    Call::RevokeSession(SESSION.into())
}

fn token() -> Call {
    Call::RevokeToken(SecretString::from("a-token_0"))
}

fn list() -> Call {
    Call::ListSessions("user-test-1".into())
}

fn canary() -> Call {
    Call::Canary(SESSION.into())
}
