//! One source of deliveries, as a stream of messages and their receipts.
//!
//! Not how it is opened, resized and released: that is `intake`.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use lapin::{Consumer, message::Delivery};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    Fact, Watch,
    acker::Tally,
    headers,
    link::Link,
    route::{route, route_unhandled},
    topology::Names,
};
use crate::{
    event::{Lane, Message, Route, UNKNOWN_PUBLISHER},
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

/// A stream of deliveries. It ends when the session does, or when its lane is released.
pub struct Deliveries {
    pub(super) consumer: Consumer,
    /// Takes the place of the consumer when that has been cancelled and has given out all it had.
    pub(super) next: UnboundedReceiver<Consumer>,
    pub(super) source: Source,
    /// The names of the exchanges that lead here.
    pub(super) names: Names,
    pub(super) tally: Tally,
    pub(super) link: Arc<Link>,
    pub(super) watch: Watch,
}

impl Deliveries {
    fn ended(&self, why: String) {
        if let (true, Source::Lane(lane)) = (self.link.is_up(), self.source) {
            (self.watch)(Fact::ConsumerEnded(lane));
        }
        self.link.fail(why);
    }

    fn take(&self, delivery: Delivery) -> (Message, Ack) {
        let (exchange, key) = (delivery.exchange.as_str(), delivery.routing_key.as_str());
        let trusted =
            matches!(self.source, Source::Lane(lane) if exchange == self.names.back(lane));
        let read = headers::read(&delivery.properties, trusted);
        let (lane, route) = match self.source {
            Source::Lane(lane) => (lane, route(&self.names, lane, exchange, key)),
            Source::Unhandled => {
                let lane = match &read.first_death_queue {
                    Some(queue) if queue.ends_with(Lane::Urgent.as_str()) => Lane::Urgent,
                    _ => Lane::Bulk,
                };
                (lane, route_unhandled(read.first_death_exchange.as_deref()))
            }
        };
        let publisher = match route {
            Route::Lane => key,
            Route::Past | Route::Astray => UNKNOWN_PUBLISHER,
        };
        let message = Message {
            lane,
            publisher: publisher.to_owned(),
            route,
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
        loop {
            match ready!(Pin::new(&mut self.consumer).poll_next(cx)) {
                Some(Ok(delivery)) => return Poll::Ready(Some(self.take(delivery))),
                Some(Err(error)) => self.ended(format!("consuming failed: {error}")),
                None => match self.next.try_recv() {
                    Ok(next) => {
                        self.consumer = next;
                        continue;
                    }
                    // A deleted queue ends the stream so, while connection and channel look well.
                    Err(_) => self
                        .ended("the broker cancelled the consumer: was the queue deleted?".into()),
                },
            }
            return Poll::Ready(None);
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
