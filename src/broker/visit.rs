//! A visit to a broker that others use: is all there as it should be, and may we do what a worker does?
//!
//! Everything here is safe beside live workers, and leaves nothing behind:
//!
//! - Exchanges and queues are asked for passively first. Only what is there is then declared with the
//!   arguments that we want: the broker compares them and changes nothing.
//! - The right to write is tried by a publish in a transaction that is rolled back: the broker checks
//!   the right and the exchange at the publish, and routes nothing.
//! - The right to read is tried by a consume that the broker must refuse for an argument of its own
//!   (a priority that is no number): it looks at the right first, and no message is given out.
//! - The way into the dead-letter queue is proved by one real message, the canary. It is sent only while
//!   that queue is empty and nobody consumes it, and expires after a millisecond, at the head of the
//!   queue as it is: nobody has to take it back, so no dead letter is ever touched for it.
//!
//! Not here: what each answer means for people; `cli::check` says that.

use std::time::Duration;

use lapin::{
    BasicProperties, Channel, Confirmation, Connection,
    options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Error, Settings,
    connect::dial_as,
    declare::{self, in_time, open},
    depth::READINGS,
    explain,
    survey::{FAREWELL_MAX, Standing, exchange_exists, queue_exists, standing},
    topology::{Names, Queue, Topology, topology},
};
use crate::settle::PublishError;

/// The routing key of the canary.
const ROUTING_KEY: &str = "revoker-check";
/// What the canary says, should anybody see it.
const CANARY_BODY: &[u8] = b"a canary of revoker check: it expires at once, and means nothing";
/// The canary's life, milliseconds.
const CANARY_EXPIRES_MS: &str = "1";
/// How long the broker may take to end it.
const CANARY_GONE_MAX: Duration = Duration::from_secs(3);
/// How often is looked whether it has.
const CANARY_LOOK: Duration = Duration::from_millis(50);

/// What a comparison of arguments came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// They are those that we want.
    Same,
    /// It is there, but our user may not declare it, so that the broker does not compare: what it said.
    NotAllowed(String),
}

/// What became of the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// It arrived in the dead-letter queue, and is gone again.
    Arrived,
    /// It was not sent: so many dead letters stand before it.
    NotEmpty(u32),
    /// It was not sent: somebody consumes the dead-letter queue, and would get it.
    Consumed,
    /// It arrived, and the queue has not been empty again since.
    NotSeenToGo,
}

/// Connections for one visit.
pub struct Visit {
    /// For questions.
    asking: Connection,
    /// For publishes: a broker in need blocks the connections that publish.
    publishing: Connection,
    names: Names,
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

    /// Whether our user may publish to an exchange with this key. Nothing arrives anywhere.
    ///
    /// # Errors
    /// [`Error::Refused`] if it may not, [`Error::Missing`], and the broker's own.
    pub async fn may_write(&self, exchange: &str, key: &str) -> Result<(), Error> {
        let channel = open(&self.publishing).await?;
        in_time("begin a transaction", channel.tx_select()).await?;
        let options = BasicPublishOptions::default();
        let publish = channel.basic_publish(
            exchange.into(),
            key.into(),
            options,
            CANARY_BODY,
            BasicProperties::default(),
        );
        self.unless_blocked(in_time("publish", publish).await)?;
        let rolled_back = in_time("roll a transaction back", channel.tx_rollback()).await;
        farewell(channel).await;
        self.unless_blocked(rolled_back)
    }

    /// Whether our user may consume a queue. No message is given out.
    ///
    /// # Errors
    /// [`Error::Refused`] if it may not, [`Error::Missing`], and the broker's own.
    pub async fn may_read(&self, queue: &str) -> Result<(), Error> {
        let channel = open(&self.asking).await?;
        let one = channel.basic_qos(1, BasicQosOptions { global: false });
        in_time("set the prefetch", one).await?;
        let mut wrong = FieldTable::default();
        wrong.insert("x-priority".into(), AMQPValue::LongString("none".into()));
        let options = BasicConsumeOptions::default();
        let consume = channel.basic_consume(queue.into(), "".into(), options, wrong);
        let consumed = in_time("consume", consume).await;
        farewell(channel).await;
        match consumed {
            // Taken all the same, it was a consumer until the channel was closed.
            Ok(_) | Err(Error::Mismatch(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends the canary into the dead-letter queue, if that is safe.
    ///
    /// # Errors
    /// [`Error::Publish`] if no queue took it, [`Error::Missing`], and the broker's own.
    pub async fn canary(&self) -> Result<Canary, Error> {
        let dead = self.names.dead();
        let missing = || Error::Missing(format!("no queue '{dead}'"));
        // A queue with a slow leader can answer 0: one such answer is not believed.
        for _ in 0..READINGS {
            let standing = self.standing(&dead).await?.ok_or_else(missing)?;
            match standing {
                Standing { messages: 1.., .. } => return Ok(Canary::NotEmpty(standing.messages)),
                Standing { consumers: 1.., .. } => return Ok(Canary::Consumed),
                Standing { .. } => sleep(CANARY_LOOK).await,
            }
        }
        self.unless_blocked(self.send_canary(&dead).await)?;
        let began = Instant::now();
        while began.elapsed() < CANARY_GONE_MAX {
            sleep(CANARY_LOOK).await;
            let standing = self.standing(&dead).await?.ok_or_else(missing)?;
            if standing.messages == 0 {
                return Ok(Canary::Arrived);
            }
        }
        Ok(Canary::NotSeenToGo)
    }

    async fn send_canary(&self, exchange: &str) -> Result<(), Error> {
        let channel = open(&self.publishing).await?;
        let confirms = channel.confirm_select(ConfirmSelectOptions { nowait: false });
        in_time("ask for confirms", confirms).await?;
        let options = BasicPublishOptions {
            mandatory: true,  // what no queue takes comes back
            immediate: false, // not implemented by RabbitMQ
        };
        let properties = BasicProperties::default()
            .with_expiration(CANARY_EXPIRES_MS.into())
            .with_content_type("text/plain".into())
            .with_delivery_mode(2); // persistent, as dead letters are
        let publish = channel.basic_publish(
            exchange.into(),
            ROUTING_KEY.into(),
            options,
            CANARY_BODY,
            properties,
        );
        let confirm = in_time("publish", publish).await?;
        let confirmed = in_time("confirm", confirm).await;
        farewell(channel).await;
        match confirmed? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err(PublishError::Returned.into()),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(PublishError::Nacked.into()),
        }
    }

    /// A publish that took too long, while the broker blocks us, has that reason.
    fn unless_blocked<T>(&self, published: Result<T, Error>) -> Result<T, Error> {
        match published {
            Err(Error::TimedOut(_)) if self.publishing.status().blocked() => Err(Error::Blocked),
            published => published,
        }
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
async fn farewell(channel: Channel) {
    let _ = timeout(FAREWELL_MAX, channel.close(200, "seen".into())).await;
}
