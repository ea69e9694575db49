//! Breaking the broker's topology under a worker, and putting it right as an operator would.

use lapin::{
    ExchangeKind,
    options::{
        ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use revoker::broker::topology::Argument;

use super::{PATIENCE, World, broker::Broker, wait, worker::Worker};

impl Broker {
    /// Deletes a queue, whatever is in it.
    pub(crate) async fn delete_queue(&self, queue: &str) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let name = self.name(queue).into();
        let deleted = channel.queue_delete(name, QueueDeleteOptions::default());
        deleted.await.unwrap();
    }

    /// Deletes an exchange, with what was bound to it.
    pub(crate) async fn delete_exchange(&self, exchange: &str) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let name = self.name(exchange).into();
        let deleted = channel.exchange_delete(name, ExchangeDeleteOptions::default());
        deleted.await.unwrap();
    }

    /// Declares one of our queues again, with the exchanges it is bound to. What is there stays.
    pub(crate) async fn restore_queue(&self, queue: &str) {
        let name = self.name(queue);
        let topology = self.topology();
        let queue = topology.queues.iter().find(|queue| queue.name == name);
        let queue = queue.expect("it is one of ours");
        let mut arguments = FieldTable::default();
        for (name, value) in &queue.arguments {
            let value = match value {
                Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
                Argument::Int(number) => AMQPValue::LongLongInt(*number),
            };
            arguments.insert((*name).into(), value);
        }
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let durable = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let declared = channel.queue_declare(name.as_str().into(), durable, arguments);
        declared.await.unwrap();
        for exchange in &queue.bound_to {
            let durable = ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            };
            let (name_of, kind) = (exchange.as_str().into(), ExchangeKind::Topic);
            let declared = channel.exchange_declare(name_of, kind, durable, FieldTable::default());
            declared.await.unwrap();
            let (queue, exchange) = (name.as_str().into(), exchange.as_str().into());
            let options = QueueBindOptions::default();
            let bound =
                channel.queue_bind(queue, exchange, "#".into(), options, FieldTable::default());
            bound.await.unwrap();
        }
    }
}

impl World {
    /// The worker is not ready, and says that the topology lacks this queue or exchange.
    pub(crate) async fn check_misses(&self, worker: &mut Worker, name: &str) {
        let name = format!("'{}'", self.broker.name(name));
        wait::until("the worker misses it", PATIENCE, async || {
            let log = worker.log();
            let mut messages = log.iter().filter_map(|line| line["message"].as_str());
            messages.any(|m| m.starts_with("no session with the broker: ") && m.contains(&name))
        })
        .await;
        assert!(worker.process.ended().is_none());
        assert!(!worker.is_ready().await);
        assert_eq!(worker.metrics().await.state(), "broker");
    }
}
