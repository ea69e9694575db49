//! Publishing one event and waiting for what is told of it, as a publisher does that tries its way.
//!
//! Not `stream`, which reads what all outcomes came to: a publisher has no right to that. Here it has a queue
//! of its own, which is bound before anything is published, so that no outcome is missed, and is gone
//! with the connection.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::{
    Channel, Connection, Consumer,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Error, Role, Settings,
    declare::{in_time, open},
    dial::dial,
    publish::{PublishOne, publish_over, short},
    survey::FAREWELL_MAX,
    topology::Names,
};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The event.
    pub message: PublishOne,
    /// The name of the queue to listen on: nobody else's.
    pub queue: String,
    /// How long to wait for an answer once the broker has confirmed the event.
    pub longest: Duration,
}

/// Publishes the event, and gives out what the outcome exchange has of its publisher until `is_it` takes
/// something, with the time from the publish to then. `None`: nothing was taken in time.
///
/// # Errors
/// Those of [`publish_once`](super::publish_once), and when our user may not listen.
pub async fn ask<T>(
    settings: &Settings,
    question: &Question,
    mut is_it: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Option<(T, Duration)>, Error> {
    let connection = dial(settings, Role::Publisher).await?;
    let mut heard = listen(&connection, settings, question).await?;
    let began = Instant::now();
    publish_over(&connection, &question.message).await?;
    let until = Instant::now() + question.longest;
    let answer = loop {
        match timeout_at(until, heard.next()).await {
            Ok(Some(Ok(delivery))) => {
                if let Some(answer) = is_it(&delivery.data) {
                    break Some((answer, began.elapsed()));
                }
            }
            Ok(Some(Err(error))) => return Err(super::explain::error(&error)),
            Ok(None) => return Err(Error::Unreachable("nobody may listen any more".into())),
            Err(_) => break None,
        }
    };
    let _ = timeout(FAREWELL_MAX, connection.close(200, "done".into())).await;
    Ok(answer)
}

async fn listen(
    connection: &Connection,
    settings: &Settings,
    question: &Question,
) -> Result<Consumer, Error> {
    let channel: Channel = open(connection).await?;
    let queue = short(&question.queue);
    let options = QueueDeclareOptions {
        passive: false,
        durable: false,    // for a moment
        exclusive: true,   // gone with the connection
        auto_delete: true, // and with its only consumer
        nowait: false,     // the answer is what we want
    };
    let declared = channel.queue_declare(queue.clone(), options, FieldTable::default());
    in_time("declare a queue", declared).await?;
    let bound = channel.queue_bind(
        queue.clone(),
        short(&Names::new(&settings.prefix).outcomes()),
        short(&format!("*.*.{}", question.message.routing_key)),
        QueueBindOptions { nowait: false },
        FieldTable::default(),
    );
    in_time("bind a queue", bound).await?;
    let options = BasicConsumeOptions {
        no_local: false, // not implemented by RabbitMQ
        no_ack: true,    // nobody else wants them
        exclusive: true, // nobody else may
        nowait: false,   // the answer is what we want
    };
    let consumed = channel.basic_consume(queue, "".into(), options, FieldTable::default());
    in_time("consume", consumed).await
}
