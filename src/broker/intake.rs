//! Opening a source of deliveries, changing how much it takes in, and giving everything back.
//!
//! Each has a channel of its own. The prefetch of a consumer cannot be changed: a new one on the same
//! channel takes its place, and what is in hand stays in hand. Cancelling a consumer gives nothing
//! back; closing its channel does, at the head of the queue.

use std::sync::Arc;

use lapin::{
    Channel, Connection, Consumer,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::task::TaskTracker;

use super::{
    Error, Watch, acker,
    consume::{Deliveries, Source},
    declare::{in_time, open},
    link::Link,
    publish::{OnLane, Publisher},
    topology::Names,
};

/// What every source of a session shares.
pub(crate) struct Consuming {
    pub(crate) connection: Arc<Connection>,
    pub(crate) names: Names,
    pub(crate) outbox: Arc<Publisher>,
    pub(crate) link: Arc<Link>,
    pub(crate) watch: Watch,
    /// Those who send acks; they end with their channel closed.
    pub(crate) ackers: TaskTracker,
}

/// An open source.
pub struct Open {
    /// What comes in.
    pub deliveries: Deliveries,
    /// Where what follows goes, for as long as the deliveries are ours.
    pub outbox: Arc<OnLane>,
    /// To change it.
    pub valve: Valve,
}

/// Changes how much a source takes in.
pub struct Valve {
    channel: Channel,
    queue: String,
    tag: ShortString,
    next: UnboundedSender<Consumer>,
    link: Arc<Link>,
}

impl Consuming {
    /// Opens a channel and consumes on it.
    pub(crate) async fn open(&self, source: Source, prefetch: u16) -> Result<Open, Error> {
        let queue = match source {
            Source::Lane(lane) => self.names.lane(lane),
            Source::Unhandled => self.names.unhandled(),
        };
        let channel = open(&self.connection).await?;
        let consumer = consume(&channel, &queue, prefetch).await?;
        let (next, replaced_by) = unbounded_channel();
        let link = Arc::new(self.link.part());
        let valve = Valve {
            channel: channel.clone(),
            queue,
            tag: consumer.tag(),
            next,
            link: Arc::clone(&link),
        };
        let deliveries = Deliveries {
            consumer,
            next: replaced_by,
            source,
            names: self.names.clone(),
            tally: acker::start(channel, Arc::clone(&link), &self.ackers),
            link: Arc::clone(&link),
            watch: Arc::clone(&self.watch),
        };
        let outbox = Arc::new(OnLane::new(Arc::clone(&self.outbox), link));
        Ok(Open {
            deliveries,
            outbox,
            valve,
        })
    }
}

impl Valve {
    /// Takes in so many from now on; what is in hand stays. A failure ends the session.
    pub async fn resize(&mut self, prefetch: u16) {
        if let Err(error) = self.replace(prefetch).await {
            self.link
                .fail(format!("the prefetch could not be changed: {error}"));
        }
    }

    async fn replace(&mut self, prefetch: u16) -> Result<(), Error> {
        let consumer = consume(&self.channel, &self.queue, prefetch).await?;
        let old = std::mem::replace(&mut self.tag, consumer.tag());
        // First the successor, then the end of the old one: an end without a successor is a deleted queue.
        if self.next.send(consumer).is_err() {
            return Ok(()); // nobody reads any more
        }
        let options = BasicCancelOptions { nowait: false };
        in_time(
            "cancel the consumer",
            self.channel.basic_cancel(old, options),
        )
        .await
    }

    /// Gives everything back: what is in hand comes again, here or elsewhere.
    pub fn release(self) {
        self.link.release();
    }
}

async fn consume(channel: &Channel, queue: &str, prefetch: u16) -> Result<Consumer, Error> {
    // Before the consumer: its buffer has no limit but this one.
    let qos = BasicQosOptions { global: false };
    in_time("set the prefetch", channel.basic_qos(prefetch, qos)).await?;
    let options = BasicConsumeOptions {
        no_local: false,  // not implemented by RabbitMQ
        no_ack: false,    // acked when what follows is confirmed
        exclusive: false, // replicas share the queue
        nowait: false,    // the answer is what we want
    };
    let consumed = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
    in_time("consume", consumed).await
}
