//! A lane that is full: it refuses whatever is published to it, and shows what that was.

use lapin::{
    Channel, Connection, ExchangeKind,
    message::Delivery,
    options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;

use crate::harness::{World, checks::text};

/// Gone with its connection.
pub(super) struct Full {
    /// The name of its exchange.
    pub(super) name: String,
    refused: String,
    channel: Channel,
    _connection: Connection,
}

impl Full {
    pub(super) async fn new(world: &World) -> Self {
        let connection = world.broker.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let full = Self {
            name: world.broker.name("full"),
            refused: world.broker.name("refused"),
            channel,
            _connection: connection,
        };
        full.queue(&full.refused, &[]).await;
        let arguments = [
            ("x-max-length", AMQPValue::LongInt(0)),
            ("x-overflow", text("reject-publish-dlx")),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&full.refused)),
        ];
        full.queue(&full.name, &arguments).await;
        let name = full.name.as_str();
        let options = ExchangeDeclareOptions {
            auto_delete: true,
            ..ExchangeDeclareOptions::default()
        };
        let none = FieldTable::default;
        let (channel, kind) = (&full.channel, ExchangeKind::Topic);
        let declared = channel.exchange_declare(name.into(), kind, options, none());
        declared.await.unwrap();
        let options = QueueBindOptions::default();
        let bound = channel.queue_bind(name.into(), name.into(), "#".into(), options, none());
        bound.await.unwrap();
        full
    }

    async fn queue(&self, name: &str, arguments: &[(&'static str, AMQPValue)]) {
        let exclusive = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let mut table = FieldTable::default();
        for (name, value) in arguments {
            table.insert((*name).into(), value.clone());
        }
        let declared = self.channel.queue_declare(name.into(), exclusive, table);
        declared.await.unwrap();
    }

    /// What it has refused since it was last asked, with the events.
    pub(super) async fn refused(&self) -> Vec<(Delivery, Value)> {
        let mut refused = Vec::new();
        let options = BasicGetOptions { no_ack: true };
        while let Some(got) = self
            .channel
            .basic_get(self.refused.as_str().into(), options)
            .await
            .unwrap()
        {
            let event = serde_json::from_slice(&got.delivery.data).unwrap();
            refused.push((got.delivery, event));
        }
        refused
    }
}
