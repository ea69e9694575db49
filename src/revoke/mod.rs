//! The Stytch call: what we send, what the answer means. [`Api`] is one of the crate's three seams.

pub mod client;
pub mod fanout;
mod meaning;
pub mod outcome;
pub mod rules;
pub mod sandbox;
pub mod users;
pub mod wire;

use std::{future::Future, time::Duration};

use secrecy::SecretString;

use crate::{closed_set, tls};
pub use outcome::{Class, Reply};

/// The setting with a file of CAs that are trusted beside the system's.
pub const CA_FILE: &str = "REVOKER_STYTCH_CA_FILE";

/// One call to Stytch, ready to be sent.
#[derive(Debug, Clone)]
pub enum Call {
    /// `POST /v1/sessions/revoke` with `session_id`.
    RevokeSession(String),
    /// `POST /v1/sessions/revoke` with `session_token`.
    RevokeToken(SecretString),
    /// `GET /v1/sessions?user_id=…`.
    ListSessions(String),
    /// A revoke of a random well-formed session id: does the API live? No message pays for it.
    Canary(String),
}

closed_set! {
    /// Kinds of call, as Stytch limits them and as metrics name them.
    CallKind {
        /// `POST /v1/sessions/revoke`.
        Revoke => "revoke",
        /// `GET /v1/sessions`.
        List => "list",
        /// A canary.
        Probe => "probe",
    }
}

impl Call {
    /// Which limit and which metric the call belongs to.
    pub const fn kind(&self) -> CallKind {
        match self {
            Self::RevokeSession(_) | Self::RevokeToken(_) => CallKind::Revoke,
            Self::ListSessions(_) => CallKind::List,
            Self::Canary(_) => CallKind::Probe,
        }
    }
}

/// One session of a listing: all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Stytch's `session_id`.
    pub session_id: String,
    /// Stytch's `started_at`.
    pub started_at: jiff::Timestamp,
}

/// The seam to Stytch: the HTTP client in production, a fake in tests on a paused clock.
pub trait Api: Send + Sync + 'static {
    /// Sends the call and waits for its answer, at most the call's deadline. Never fails: every way
    /// a call can end is a [`Class`].
    fn call(&self, call: &Call) -> impl Future<Output = Reply> + Send;

    /// Reads the API secret again; true if it changed since the last call.
    fn reload_secret(&self) -> bool;
}

/// What the client needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Stytch's project id, the user of the basic authentication.
    pub project_id: String,
    /// Where the secret comes from.
    pub secret: SecretSource,
    /// Base URL without a trailing slash, such as `https://test.stytch.com`.
    pub base_url: String,
    /// CAs that are trusted beside the system's.
    pub tls: tls::Files,
    /// Total deadline of one call, connection included.
    pub call_timeout: Duration,
}

/// Where the API secret comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// Given as a setting.
    Fixed(SecretString),
    /// In a file that is read again when it changes; white space around it is ignored.
    File(std::path::PathBuf),
}
