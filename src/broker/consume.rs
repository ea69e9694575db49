//! One source of deliveries: a channel, a prefetch, a stream of messages and their receipts.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use lapin::{
    Channel, Connection, Consumer,
    message::Delivery,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::task::JoinHandle;

use super::{
    Error, Fact, Watch,
    acker::{self, Tally},
    declare::{in_time, open},
    headers,
    link::Link,
    topology::Names,
};
use crate::{
    event::{Lane, Message},
    settle::Receipt,
};

/// Where deliveries come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A lane's queue.
    Lane(Lane),
    /// What the broker itself dead-lettered.
    Unhandled,
}

/// A stream of deliveries. It ends when the session does.
pub struct Deliveries {
    consumer: Consumer,
    source: Source,
    back: String,
    tally: Tally,
    link: Arc<Link>,
    watch: Watch,
}

/// What must outlive a stream of deliveries.
pub(crate) struct Kept {
    /// The library closes a channel with its last handle, and acks written after that are lost
    /// without a word.
    pub(crate) channel: Channel,
    /// Ends when the last ack is written.
    pub(crate) acker: JoinHandle<()>,
}

impl Deliveries {
    /// Opens a channel and consumes on it.
    pub(crate) async fn open(
        connection: &Connection,
        names: &Names,
        source: Source,
        prefetch: u16,
        link: &Arc<Link>,
        watch: &Watch,
    ) -> Result<(Self, Kept), Error> {
        let (queue, back) = match source {
            Source::Lane(lane) => (names.lane(lane), names.back(lane)),
            Source::Unhandled => (names.unhandled(), String::new()),
        };
        let channel = open(connection).await?;
        // Before the consumer: its buffer has no limit but this one.
        let qos = BasicQosOptions { global: false };
        in_time("set the prefetch", channel.basic_qos(prefetch, qos)).await?;
        let options = BasicConsumeOptions {
            no_local: false,  // not implemented by RabbitMQ
            no_ack: false,    // acked when what follows is confirmed
            exclusive: false, // replicas share the queue
            nowait: false,    // the answer is what we want
        };
        let consumed = channel.basic_consume(
            queue.as_str().into(),
            "".into(),
            options,
            FieldTable::default(),
        );
        let consumer = in_time("consume", consumed).await?;
        let (tally, acker) = acker::start(channel.clone(), Arc::clone(link));
        let deliveries = Self {
            consumer,
            source,
            back,
            tally,
            link: Arc::clone(link),
            watch: Arc::clone(watch),
        };
        Ok((deliveries, Kept { channel, acker }))
    }

    fn ended(&self, why: String) {
        if let (true, Source::Lane(lane)) = (self.link.is_up(), self.source) {
            (self.watch)(Fact::ConsumerEnded(lane));
        }
        self.link.fail(why);
    }

    fn take(&self, delivery: Delivery) -> (Message, Ack) {
        let trusted = !self.back.is_empty() && delivery.exchange.as_str() == self.back;
        let read = headers::read(&delivery.properties, trusted);
        let lane = match self.source {
            Source::Lane(lane) => lane,
            Source::Unhandled => match &read.first_death_queue {
                Some(queue) if queue.ends_with(Lane::Urgent.as_str()) => Lane::Urgent,
                _ => Lane::Bulk,
            },
        };
        let message = Message {
            lane,
            publisher: delivery.routing_key.as_str().to_owned(),
            // A republish cannot carry the user_id on: our header stands for it.
            publisher_verified: match trusted {
                true => read.publisher_verified,
                false => delivery.properties.user_id().is_some(),
            },
            body: Bytes::from(delivery.data),
            properties: read.properties,
            history: read.history,
            from_newer_worker: read.newer,
            redelivered: delivery.redelivered,
            delivery_count: read.delivery_count,
        };
        self.tally.deliver(delivery.delivery_tag);
        let ack = Ack {
            tag: delivery.delivery_tag,
            tally: self.tally.clone(),
            lane,
            link: Arc::clone(&self.link),
            watch: Arc::clone(&self.watch),
        };
        (message, ack)
    }
}

impl Stream for Deliveries {
    type Item = (Message, Ack);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match Pin::new(&mut self.consumer).poll_next(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(delivery))) => Poll::Ready(Some(self.take(delivery))),
            Poll::Ready(Some(Err(error))) => {
                self.ended(format!("consuming failed: {error}"));
                Poll::Ready(None)
            }
            // A deleted queue ends the stream so, while connection and channel look well.
            Poll::Ready(None) => {
                self.ended("the broker cancelled the consumer: was the queue deleted?".into());
                Poll::Ready(None)
            }
        }
    }
}

/// The receipt of one delivery. Dropping it leaves the message unacked: it comes again when the
/// channel closes.
pub struct Ack {
    tag: u64,
    tally: Tally,
    lane: Lane,
    link: Arc<Link>,
    watch: Watch,
}

impl Receipt for Ack {
    /// True once the ack is on its way with others; one that does not arrive brings the message again.
    async fn ack(self) -> bool {
        let taken = self.link.is_up() && self.tally.finish(self.tag);
        if !taken {
            (self.watch)(Fact::AckLost(self.lane));
        }
        taken
    }
}
