//! What happens at the broker, as numbers and states.

use jiff::Timestamp;

use super::Backlog;
use crate::{
    broker::{Depth, Fact, Trouble},
    event::Lane,
    settle::{PublishError, To},
    telemetry::{
        Metrics, State, StateBoard, Why,
        sets::{self, PublishResult},
    },
};

/// Turns what happens at the broker into numbers and states.
pub fn watch(metrics: &Metrics, board: &StateBoard, backlog: &Backlog, fact: Fact, now: Timestamp) {
    match fact {
        Fact::Connected(role, up) => metrics.amqp_connected(role, up),
        Fact::Reconnecting => metrics.amqp_reconnect(),
        Fact::NoSession(trouble, again_in) => {
            board.hold(Why::Broker(trouble), now.checked_add(again_in).ok(), now);
        }
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
        Fact::Depth(depth, messages) => {
            metrics.queue_depth(depth, messages, now);
            match depth {
                Depth::Urgent if messages == 0 => backlog.saw_empty(Lane::Urgent, now),
                Depth::Bulk if messages == 0 => backlog.saw_empty(Lane::Bulk, now),
                _ => {}
            }
        }
        Fact::Blocked(true) => board.hold(Why::Broker(Trouble::PublishingBlocked), None, now),
        Fact::Blocked(false) => board.clear(State::Broker, now),
        // Counted where the message is returned; heard by the gate.
        Fact::AckLost(_) | Fact::Consumers(_) => {}
    }
}
