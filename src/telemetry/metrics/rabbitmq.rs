//! The recorder's methods for RabbitMQ.

use jiff::Timestamp;

use super::{Metrics, one_if, seconds};
use crate::{
    event::Lane,
    telemetry::sets::{PublishResult, Queue, Role, To},
};

/// RabbitMQ.
impl Metrics {
    /// A connection was made or lost.
    pub fn amqp_connected(&self, role: Role, connected: bool) {
        self.all
            .amqp_connected
            .at(role as usize)
            .set(one_if(connected));
    }

    /// A connection was made again.
    pub fn amqp_reconnect(&self) {
        self.all.amqp_reconnects.only().inc();
    }

    /// RabbitMQ cancelled a lane's consumer.
    pub fn consumer_cancel(&self, lane: Lane) {
        self.all.amqp_cancels.at(lane as usize).inc();
    }

    /// A publish ended.
    pub fn publish(&self, to: To, result: PublishResult) {
        self.all.publishes.at2(to as usize, result as usize).inc();
    }

    /// Ready messages of a queue (the maximum of the last three readings), read at `at`.
    pub fn queue_depth(&self, queue: Queue, messages: u64, at: Timestamp) {
        self.all
            .queue_messages
            .at(queue as usize)
            .set(messages as f64);
        self.all.queue_polled.only().set(seconds(at));
    }
}
