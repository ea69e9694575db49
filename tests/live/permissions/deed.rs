//! What a user of the broker may try, and whether the broker lets it.
//!
//! Each deed has a connection of its own, and is really done: a right that is only looked up proves nothing.

use lapin::{
    BasicProperties, Channel,
    options::{
        BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable},
};

use crate::harness::broker::Broker;

/// What somebody tries, on `PREFIX.name`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// Publish to an exchange with this key.
    Write(&'static str, &'static str),
    /// Consume a queue.
    Read(&'static str),
    /// Declare a queue of this name.
    Declare(&'static str),
    /// Delete a queue.
    Delete(&'static str),
    /// Purge a queue.
    Purge(&'static str),
    /// Bind the first queue to the exchange, with this key.
    Bind(&'static str, &'static str, &'static str),
}

impl Broker {
    pub(super) async fn connect_once(&self) -> lapin::Result<()> {
        self.try_connect().await.map(drop)
    }

    /// Whether the broker lets this user do it.
    pub(super) async fn lets(&self, deed: Deed) -> bool {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let done = self.attempt(&channel, deed).await;
        if let Err(error) = &done {
            let said = error.to_string();
            let refused = said.contains("ACCESS_REFUSED") || said.contains("ACCESS-REFUSED");
            assert!(refused, "{deed:?}: {said}");
        }
        let _ = connection.close(200, "tried".into()).await;
        done.is_ok()
    }

    pub(super) async fn attempt(&self, channel: &Channel, deed: Deed) -> lapin::Result<()> {
        let none = FieldTable::default;
        match deed {
            Deed::Write(exchange, key) => {
                let confirms = ConfirmSelectOptions::default();
                channel.confirm_select(confirms).await?;
                let publish = channel.basic_publish(
                    self.name(exchange).into(),
                    key.into(),
                    BasicPublishOptions::default(),
                    b"{}",
                    BasicProperties::default(),
                );
                publish.await?.await.map(drop)
            }
            Deed::Read(queue) => {
                let one = BasicQosOptions::default();
                channel.basic_qos(1, one).await?;
                let mut arguments = none();
                if matches!(queue, "audit" | "control") {
                    let first = AMQPValue::LongString("first".into());
                    arguments.insert("x-stream-offset".into(), first);
                }
                let options = BasicConsumeOptions::default();
                let consume =
                    channel.basic_consume(self.name(queue).into(), "".into(), options, arguments);
                consume.await.map(drop)
            }
            Deed::Declare(queue) => {
                let options = QueueDeclareOptions {
                    exclusive: true,
                    ..QueueDeclareOptions::default()
                };
                let declare = channel.queue_declare(self.name(queue).into(), options, none());
                declare.await.map(drop)
            }
            Deed::Delete(queue) => {
                let options = QueueDeleteOptions::default();
                let delete = channel.queue_delete(self.name(queue).into(), options);
                delete.await.map(drop)
            }
            Deed::Purge(queue) => {
                let options = QueuePurgeOptions::default();
                let purge = channel.queue_purge(self.name(queue).into(), options);
                purge.await.map(drop)
            }
            Deed::Bind(queue, exchange, key) => {
                let bind = channel.queue_bind(
                    self.name(queue).into(),
                    self.name(exchange).into(),
                    key.into(),
                    QueueBindOptions::default(),
                    none(),
                );
                bind.await
            }
        }
    }

    /// The deeds of which the broker lets this user do what it must not, or the reverse.
    pub(super) async fn wrong(&self, who: &str, may: &[Deed], may_not: &[Deed]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (deeds, allowed) in [(may_not, false), (may, true)] {
            for deed in deeds {
                if self.lets(*deed).await != allowed {
                    let not = if allowed { " not" } else { "" };
                    wrong.push(format!("{who} may{not} {deed:?}"));
                }
            }
        }
        wrong
    }
}
