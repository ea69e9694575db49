//! Tests of the pretend API, from outside: over a socket, as any client sees it.

mod answers;
mod client;
mod control;
mod faults;
mod flags;
mod limited;
mod limits;
mod scopes;
mod search;
mod seconds;
mod windows;

use revoker::revoke::sandbox::{Sandbox, Seed, Settings};

/// A sandbox on a free port.
async fn start(settings: Settings) -> Sandbox {
    Sandbox::start(settings)
        .await
        .expect("loopback has a free port")
}

/// `session-test-…` of a readable number.
fn session(n: u32) -> String {
    format!("session-test-00000000-0000-4000-8000-{n:012}")
}

/// `user-test-…` of a readable number.
fn user(n: u32) -> String {
    format!("user-test-00000000-0000-4000-8000-{n:012}")
}

/// User 1 without sessions, and sessions 1 to `sessions` of another; session 1 has a token.
fn world(sessions: u32) -> Seed {
    Seed {
        user_ids: vec![user(1)],
        sessions_per_user: Some(0),
        session_ids: (1..=sessions).map(session).collect(),
        tokens: [("a-token_0".to_owned(), session(1))].into(),
        ..Seed::default()
    }
}
