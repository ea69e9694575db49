//! RabbitMQ: the only folder that names `lapin`.
//!
//! A [`connect::Session`] is one stay with the broker: two connections, a channel a lane, a channel a
//! kind of publish. When any part of it fails the whole session is given up and a new one begins,
//! because half-recovered clients are how messages get lost. Automatic recovery of the library is
//! never used: under load and resets it hung for ever.

mod acker;
pub mod acks;
mod ask;
pub mod browse;
mod confirms;
pub mod connect;
pub mod consume;
mod declare;
mod depth;
mod dial;
pub mod explain;
mod feed;
pub mod headers;
mod intake;
mod last_words;
mod link;
mod listen;
pub mod publish;
mod remove;
pub mod replay;
pub mod route;
pub mod sieve;
pub mod stream;
pub mod survey;
pub mod topology;
mod transport;
pub mod trial;
mod trouble;
pub mod visit;

use std::{path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;

use crate::{
    closed_set,
    event::Lane,
    settle::{PublishError, To},
    tls,
};
pub use ask::{Question, ask};
pub use connect::{Broker, Session, Stay};
pub use dial::{CA_FILE, CLIENT_CERT_FILE, CLIENT_KEY_FILE, URL, login};
pub use feed::Feed;
pub use intake::{Open, Valve};
pub use publish::{PublishOne, publish_once};
pub use remove::{DRILL_PREFIX, remove};
pub use trouble::{Refusal, Trouble};

/// What the broker stage needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `amqp://` or `amqps://` URL, which may hold the password.
    pub url: SecretString,
    /// A file with the password, read again at every connect; takes the place of the URL's.
    pub password_file: Option<PathBuf>,
    /// By what we log in.
    pub login: Login,
    /// Whom we trust (in place of the system's CAs) and who we are, with `amqps://`; read again at every connect.
    pub tls: tls::Files,
    /// All names start with this.
    pub prefix: String,
    /// Whether we declare the topology or only check it.
    pub topology: TopologyMode,
    /// The Stytch project that owns these names.
    pub project_id: String,
    /// The delays of the retry queues, in order, duplicates allowed.
    pub retry_delays: Vec<Duration>,
}

/// By what we log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// User and password.
    Password,
    /// The name in our certificate: SASL's mechanism EXTERNAL.
    Certificate,
}

/// `REVOKER_TOPOLOGY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopologyMode {
    /// Declare what is missing.
    Declare,
    /// Only check that it is there; needs configure rights on the owner lock alone.
    Verify,
}

/// How long any call to the broker may take before the session is given up.
pub(crate) const CALL_MAX: Duration = Duration::from_secs(15);

/// Why the broker cannot be used. No variant holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Our own URL or password file.
    #[error("the broker's URL cannot be used: {0}")]
    BadUrl(String),
    /// Another project's worker owns these names.
    #[error("the queues {prefix}.* belong to {owner}; use another vhost or REVOKER_PREFIX")]
    OtherProject {
        /// Our prefix.
        prefix: String,
        /// Whose they are, in words.
        owner: String,
    },
    /// A queue or exchange exists with other arguments.
    #[error("{0}")]
    Mismatch(String),
    /// The file with the password cannot be read: it may be about to be replaced.
    #[error("the password file cannot be read: {0}")]
    PasswordFile(String),
    /// A file of certificates or with a key cannot be used: it may be about to be replaced.
    #[error("{0}")]
    TlsFile(String),
    /// The TLS handshake failed.
    #[error("{}", .0.text)]
    Tls(tls::Failure),
    /// The broker refuses our user, or a right is missing.
    #[error("the broker refused us: {1}")]
    Refused(Refusal, String),
    /// A queue or exchange that should be there is not.
    #[error(
        "the topology is not complete: {0}; run one worker with REVOKER_TOPOLOGY=declare, or declare it yourself"
    )]
    Missing(String),
    /// No connection, or it broke.
    #[error("the broker cannot be reached: {0}")]
    Unreachable(String),
    /// A call took too long.
    #[error("the broker did not answer in time: {0}")]
    TimedOut(&'static str),
    /// Another connection has a queue for itself.
    #[error("in use by another connection: {0}")]
    InUse(String),
    /// `connection.blocked`: the broker takes no publish.
    #[error("the broker blocks publishing: a memory or disk alarm")]
    Blocked,
    /// A publish was not confirmed.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Error {
    /// Whether trying again is pointless until somebody changes a setting or the broker.
    pub fn is_a_setting(&self) -> bool {
        matches!(
            self,
            Self::BadUrl(_) | Self::OtherProject { .. } | Self::Mismatch(_)
        )
    }
}

closed_set! {
    /// What a connection is for.
    Role {
        /// Takes deliveries and acks them.
        Consumer => "consumer",
        /// Publishes: kept apart, since a broker in need blocks publishing connections whole.
        Publisher => "publisher",
    }
}

closed_set! {
    /// The queues whose depth is told.
    Depth {
        /// The urgent lane.
        Urgent => "urgent",
        /// The bulk lane.
        Bulk => "bulk",
        /// All delay queues together.
        Retry => "retry",
        /// The dead-letter queue.
        Dead => "dead",
    }
}

/// What happened at the broker, for metrics and states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A connection stands or fell.
    Connected(Role, bool),
    /// A session was lost and a new one is being made.
    Reconnecting,
    /// No session could be made; it is tried again after so long.
    NoSession(Trouble, Duration),
    /// A lane's consumer ended under us.
    ConsumerEnded(Lane),
    /// A publish ended.
    Published(To, Result<(), PublishError>),
    /// An ack came too late: the message will come again.
    AckLost(Lane),
    /// The broker blocks or unblocks publishing (`connection.blocked`: memory or disk alarm).
    Blocked(bool),
    /// Ready messages, the maximum of the last readings.
    Depth(Depth, u64),
    /// Consumers of the urgent lane, as one reading gives them: each is a worker.
    Consumers(u32),
}

/// Who hears of it.
pub type Watch = Arc<dyn Fn(Fact) + Send + Sync>;
