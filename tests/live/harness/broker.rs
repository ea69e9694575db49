//! The tests' own way to the broker, beside the worker's: names, depths, and the end of all of them.
//!
//! Each deed has a connection of its own, so that none suffers from a broker that was killed before.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use lapin::{
    Connection, ConnectionProperties,
    options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use revoker::broker::topology::{Topology, topology};
use tokio::time::timeout;

use super::{PATIENCE, sandbox::PROJECT_ID, wait};

/// A broker, and the names under one prefix in it.
pub(crate) struct Broker {
    /// Its URL.
    pub(crate) url: String,
    /// What all names start with.
    pub(crate) prefix: String,
    /// Every retry delay a worker was given: the names of queues follow from them.
    delays: Mutex<BTreeSet<Duration>>,
}

impl Broker {
    pub(crate) fn new(url: String, prefix: String) -> Self {
        Self {
            url,
            prefix,
            delays: Mutex::default(),
        }
    }

    /// `PREFIX.name`.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// A connection. A node that is too busy for a handshake is asked again.
    pub(crate) async fn connect(&self) -> Connection {
        let connect = async || self.try_connect().await.ok();
        wait::value("the broker accepts a connection", PATIENCE, connect).await
    }

    pub(crate) async fn try_connect(&self) -> lapin::Result<Connection> {
        Connection::connect(&self.url, ConnectionProperties::default()).await
    }

    /// Ready messages in `PREFIX.queue`; `None` if there is no such queue.
    pub(crate) async fn depth(&self, queue: &str) -> Option<u32> {
        let connection = self.connect().await;
        self.depth_over(&connection, self.name(queue)).await
    }

    /// Ready messages wherever an event waits: lanes, delays, and what the broker itself
    /// dead-lettered. What a worker holds is not counted: end it first.
    pub(crate) async fn queued(&self) -> u32 {
        let connection = self.connect().await;
        let mut sum = 0;
        for queue in self.topology().queues {
            let kept = ["dead", "audit", "control"].map(|name| self.name(name));
            if !kept.contains(&queue.name) {
                sum += self.depth_over(&connection, queue.name).await.unwrap_or(0);
            }
        }
        sum
    }

    async fn depth_over(&self, connection: &Connection, queue: String) -> Option<u32> {
        // On a channel of its own: asking for a queue that does not exist closes it.
        let channel = connection.create_channel().await.unwrap();
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = channel
            .queue_declare(queue.into(), passive, FieldTable::default())
            .await;
        let depth = declared.ok()?.message_count();
        channel.close(200, "counted".into()).await.unwrap();
        Some(depth)
    }

    pub(super) fn delays_used(&self, delays: &str) {
        let delays = delays
            .split(',')
            .filter_map(|d| humantime::parse_duration(d).ok());
        self.delays.lock().unwrap().extend(delays);
    }

    pub(super) fn topology(&self) -> Topology {
        let delays: Vec<_> = self.delays.lock().unwrap().iter().copied().collect();
        topology(&self.prefix, PROJECT_ID, &delays)
    }

    /// Deletes every queue and exchange of the prefix. From a thread of its own, so that it can be
    /// called where nothing can be awaited.
    pub(crate) fn delete_all(&self) {
        std::thread::scope(|scope| {
            let deleted = scope.spawn(|| {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                runtime.block_on(async { timeout(PATIENCE, self.delete()).await })
            });
            if !matches!(deleted.join(), Ok(Ok(Ok(())))) {
                eprintln!("the queues of {} were not deleted", self.prefix);
            }
        });
    }

    async fn delete(&self) -> lapin::Result<()> {
        let connection = self.try_connect().await?;
        let channel = connection.create_channel().await?;
        let topology = self.topology();
        // Deleting what does not exist is no error.
        for queue in topology.queues {
            let options = QueueDeleteOptions::default();
            channel.queue_delete(queue.name.into(), options).await?;
        }
        for name in topology.exchanges.into_iter().chain([topology.owner.0]) {
            let options = ExchangeDeleteOptions::default();
            channel.exchange_delete(name.into(), options).await?;
        }
        channel.close(200, "deleted".into()).await
    }
}
