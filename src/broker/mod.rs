//! RabbitMQ: the only folder that names `lapin`.

use std::path::PathBuf;

use secrecy::SecretString;

/// What the broker stage needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `amqp://` or `amqps://` URL, which may hold the password.
    pub url: SecretString,
    /// A file with the password, read again at every connect; takes the place of the URL's.
    pub password_file: Option<PathBuf>,
    /// All names start with this.
    pub prefix: String,
    /// Whether we declare the topology or only check it.
    pub topology: TopologyMode,
    /// The Stytch project that owns these names.
    pub project_id: String,
    /// The delays of the retry queues, in order, duplicates allowed.
    pub retry_delays: Vec<std::time::Duration>,
}

/// `REVOKER_TOPOLOGY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopologyMode {
    /// Declare what is missing.
    Declare,
    /// Only check that it is there; needs configure rights on the owner lock alone.
    Verify,
}

/// One message to publish outside of the worker.
#[derive(Debug, Clone)]
pub struct PublishOne {
    /// Where to.
    pub exchange: String,
    /// The publisher's name.
    pub routing_key: String,
    /// The event.
    pub body: bytes::Bytes,
    /// MIME type of the body.
    pub content_type: String,
    /// The event's id.
    pub message_id: String,
}

/// Why a message was not published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or no answer in time.
    #[error("cannot reach RabbitMQ: {0}")]
    Unreachable(String),
    /// No queue takes it.
    #[error("no queue takes it")]
    Unroutable,
    /// The broker did not take it.
    #[error("RabbitMQ refused it: {0}")]
    Refused(String),
}

/// Publishes one message, persistent, mandatory and confirmed.
///
/// # Errors
/// See [`Error`].
pub async fn publish_once(_settings: &Settings, _message: PublishOne) -> Result<(), Error> {
    Err(Error::Unreachable("not connected".to_owned()))
}
