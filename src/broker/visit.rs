//! A visit to a broker that others use: is all there as it should be, and may we do what a worker does?
//!
//! Everything here is safe beside live workers, and leaves nothing behind:
//!
//! - Exchanges and queues are asked for passively first. Only what is there is then declared with the
//!   arguments that we want: the broker compares them and changes nothing.
//! - What a worker does with messages is tried without one, and with one canary: see `trial`.
//!
//! Not here: what each answer means for people; `cli::check` says that.

use lapin::{Channel, Connection};
use tokio::time::timeout;

use super::{
    Error, Settings,
    declare::{self, open},
    dial::dial_as,
    explain,
    survey::{FAREWELL_MAX, Standing, exchange_exists, queue_exists, standing},
    topology::{Names, Queue, Topology, topology},
};

/// What a comparison of arguments came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// They are those that we want.
    Same,
    /// It is there, but our user may not declare it, so that the broker does not compare: what it said.
    NotAllowed(String),
}

/// Connections for one visit.
pub struct Visit {
    /// For questions.
    pub(super) asking: Connection,
    /// For publishes: a broker in need blocks the connections that publish.
    pub(super) publishing: Connection,
    pub(super) names: Names,
    topology: Topology,
}

impl Visit {
    /// Connects.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses us.
    pub async fn begin(settings: &Settings) -> Result<Self, Error> {
        let topology = topology(
            &settings.prefix,
            &settings.project_id,
            &settings.retry_delays,
        );
        Ok(Self {
            asking: dial_as("check", settings, None).await?,
            publishing: dial_as("check, publishing", settings, None).await?,
            names: Names::new(&settings.prefix),
            topology,
        })
    }

    /// What should be there.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The user that we are to the broker.
    pub fn user(&self) -> String {
        self.asking.status().username()
    }

    /// The vhost that we are in.
    pub fn vhost(&self) -> String {
        self.asking.status().vhost().to_string()
    }

    /// Whether the lock of these names is ours.
    ///
    /// # Errors
    /// [`Error::OtherProject`], [`Error::Missing`] before the first worker, and the broker's own.
    pub async fn lock(&self) -> Result<(), Error> {
        let (lock, arguments) = &self.topology.owner;
        let channel = open(&self.asking).await?;
        exchange_exists(&channel, lock).await?;
        let declared = declare::exchange(&channel, lock, arguments, false).await;
        farewell(channel).await;
        declared.map_err(|error| match error {
            Error::Mismatch(said) => explain::lock_refused(self.names.prefix(), lock, said),
            other => other,
        })
    }

    /// Whether an exchange is there, and as it should be.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Mismatch`], and the broker's own.
    pub async fn exchange(&self, exchange: &str) -> Result<Compared, Error> {
        let channel = open(&self.asking).await?;
        exchange_exists(&channel, exchange).await?;
        let declared = declare::exchange(&channel, exchange, &[], false).await;
        farewell(channel).await;
        compared(declared)
    }

    /// Whether a queue is there, and as it should be.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Mismatch`], and the broker's own.
    pub async fn queue(&self, queue: &Queue) -> Result<Compared, Error> {
        let channel = open(&self.asking).await?;
        queue_exists(&channel, &queue.name).await?;
        let declared = declare::declare_queue(&channel, queue, false).await;
        farewell(channel).await;
        compared(declared)
    }

    /// What stands in a queue; `None` if there is none of that name.
    ///
    /// # Errors
    /// When the broker cannot be used.
    pub async fn standing(&self, queue: &str) -> Result<Option<Standing>, Error> {
        standing(&self.asking, queue).await
    }

    /// Leaves.
    pub async fn end(self) {
        for connection in [self.asking, self.publishing] {
            let _ = timeout(FAREWELL_MAX, connection.close(200, "seen".into())).await;
        }
    }
}

/// Compared by a declare that our user may not be allowed.
fn compared(declared: Result<(), Error>) -> Result<Compared, Error> {
    match declared {
        Ok(()) => Ok(Compared::Same),
        Err(Error::Refused(_, said)) => Ok(Compared::NotAllowed(said)),
        Err(error) => Err(error),
    }
}

/// Closes a channel; one that the broker has closed cannot be closed better.
pub(super) async fn farewell(channel: Channel) {
    let _ = timeout(FAREWELL_MAX, channel.close(200, "seen".into())).await;
}
