//! What a worker does with messages, tried on a visit: may it write, may it read, does a dead letter arrive?
//!
//! - The right to write is tried by a publish in a transaction that is rolled back: the broker checks
//!   the right and the exchange at the publish, and routes nothing.
//! - The right to read is tried by a consume that the broker must refuse for an argument of its own
//!   (a priority that is no number): it looks at the right first, and no message is given out.
//! - The way into the dead-letter queue is proved by one real message, the canary. It is sent only while
//!   that queue is empty and nobody consumes it, and expires after a millisecond, at the head of the
//!   queue as it is: nobody has to take it back, so no dead letter is ever touched for it.

use std::{future::ready, pin::pin, time::Duration};

use futures_util::{Stream, StreamExt};
use lapin::{
    BasicProperties, Confirmation, Event,
    options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Error,
    declare::{in_time, open},
    depth::READINGS,
    explain,
    survey::Standing,
    visit::{Visit, farewell},
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
/// How long the reason may take that a channel was closed for.
const CLOSED_MAX: Duration = Duration::from_secs(2);
/// How often is looked whether it has.
const CANARY_LOOK: Duration = Duration::from_millis(50);

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

impl Visit {
    /// Whether our user may publish to an exchange with this key. Nothing arrives anywhere.
    ///
    /// # Errors
    /// [`Error::Refused`] if it may not, [`Error::Missing`], and the broker's own.
    pub async fn may_write(&self, exchange: &str, key: &str) -> Result<(), Error> {
        let events = self.publishing.events_listener();
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
        match self.unless_blocked(rolled_back) {
            // The broker may have closed the channel before we asked: an event says why.
            Err(error @ Error::Unreachable(_)) => {
                Err(why_closed(events, exchange).await.unwrap_or(error))
            }
            rolled_back => rolled_back,
        }
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
}

/// Why the broker closed the channel that published to this exchange, which its words name.
async fn why_closed(events: impl Stream<Item = Event>, exchange: &str) -> Option<Error> {
    let named = format!("'{exchange}'");
    let errors = events.filter_map(async |event| match event {
        Event::Error(error) => Some(explain::error(&error)),
        _ => None,
    });
    let of_exchange = errors.filter(|error| ready(error.to_string().contains(&named)));
    let mut of_exchange = pin!(of_exchange);
    timeout(CLOSED_MAX, of_exchange.next()).await.ok()?
}
