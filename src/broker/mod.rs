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
