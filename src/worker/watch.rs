//! What happens at the broker, as numbers.

use jiff::Timestamp;

use crate::{
    broker::Fact,
    settle::{PublishError, To},
    telemetry::{
        Metrics,
        sets::{self, PublishResult},
    },
};

/// Turns what happens at the broker into numbers.
pub fn watch(metrics: &Metrics, fact: Fact, now: Timestamp) {
    match fact {
        Fact::Connected(role, up) => metrics.amqp_connected(role, up),
        Fact::Reconnecting => metrics.amqp_reconnect(),
        Fact::ConsumerEnded(lane) => metrics.consumer_cancel(lane),
        Fact::Published(to, result) => {
            let to = match to {
                To::Retry(..) => sets::To::Retry,
                To::Dead => sets::To::Dead,
                To::Outcome => sets::To::Outcome,
            };
            let result = match result {
                Ok(()) => PublishResult::Ack,
                Err(PublishError::Nacked | PublishError::Forbidden) => PublishResult::Nack,
                Err(PublishError::Returned) => PublishResult::Returned,
                Err(PublishError::TimedOut) => PublishResult::Timeout,
                // Nothing went wrong with the publish: the message comes again.
                Err(PublishError::LinkDown) => return,
            };
            metrics.publish(to, result);
        }
        Fact::Depth(depth, messages) => metrics.queue_depth(depth, messages, now),
        // Counted where the message is returned; shown as a state.
        Fact::AckLost(_) | Fact::Blocked(_) => {}
    }
}
