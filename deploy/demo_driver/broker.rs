//! The demo's own way to the broker, beside the worker's: publish, look at the dead letters, count
//! what is queued, and delete everything afterwards.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    message::Delivery,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::{task::JoinHandle, time::sleep};

use crate::load::Event;

/// Publishes whose confirm is awaited at the same time.
const CONFIRMS_IN_FLIGHT_MAX: usize = 200;
/// Every delay the demo gives the worker.
const RETRY_DELAYS: [&str; 3] = ["1s", "2s", "4s"];
/// Readings that must agree that a queue is empty: one alone can come from a slow leader.
const EMPTY_READINGS: u32 = 3;

/// A connection to the broker.
pub(crate) struct Broker {
    connection: Connection,
    prefix: String,
}

/// A dead letter, as far as the demo looks at it.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// Why.
    pub code: String,
    /// Attempts that were counted.
    pub attempts: Option<i64>,
}

/// The dead letters so far, by event id and by publisher (a malformed event may have no id).
/// They stay in the queue: they are consumed without an ack.
pub(crate) struct DeadLetters {
    channel: Channel,
    found: Arc<Mutex<Found>>,
    reader: JoinHandle<()>,
}

/// What the reader has found.
#[derive(Debug, Default, Clone)]
pub(crate) struct Found {
    by_event_id: HashMap<String, DeadLetter>,
    by_publisher: HashMap<String, DeadLetter>,
    /// How many letters there are, duplicates included.
    pub count: usize,
}

impl Found {
    /// The dead letter of an event.
    pub(crate) fn of(&self, event: &Event) -> Option<&DeadLetter> {
        let by_id = self.by_event_id.get(&event.id);
        by_id.or_else(|| self.by_publisher.get(&event.publisher))
    }
}

impl Broker {
    /// Connects.
    pub(crate) async fn connect(url: &str, prefix: &str) -> anyhow::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let prefix = prefix.to_owned();
        Ok(Self { connection, prefix })
    }

    /// Publishes events: persistent, mandatory and confirmed, as a publisher should.
    pub(crate) async fn publish(&self, events: &[Event]) -> anyhow::Result<()> {
        let channel = self.connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into());
        let mut confirms = FuturesUnordered::new();
        for event in events {
            let exchange = format!("{}.{}", self.prefix, event.lane);
            let confirm = channel
                .basic_publish(
                    exchange.into(),
                    event.publisher.as_str().into(),
                    options,
                    event.body.as_bytes(),
                    properties.clone(),
                )
                .await?;
            confirms.push(confirm);
            if confirms.len() >= CONFIRMS_IN_FLIGHT_MAX {
                check(confirms.next().await)?;
            }
        }
        while let Some(confirm) = confirms.next().await {
            check(Some(confirm))?;
        }
        channel.close(200, "published".into()).await?;
        Ok(())
    }

    /// Begins to look at the dead letters.
    pub(crate) async fn watch_dead_letters(&self) -> anyhow::Result<DeadLetters> {
        let channel = self.connection.create_channel().await?;
        let mut letters = channel
            .basic_consume(
                format!("{}.dead", self.prefix).into(),
                "demo".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        let found = Arc::new(Mutex::new(Found::default()));
        let writer = found.clone();
        let reader = tokio::spawn(async move {
            while let Some(Ok(letter)) = letters.next().await {
                note(
                    &mut writer.lock().unwrap_or_else(PoisonError::into_inner),
                    &letter,
                );
            }
        });
        Ok(DeadLetters {
            channel,
            found,
            reader,
        })
    }

    /// Ready messages in the lanes and their delays.
    pub(crate) async fn still_queued(&self) -> anyhow::Result<u32> {
        let mut sum = 0;
        for queue in self.lane_queues() {
            // On a channel of its own: asking for a queue that does not exist closes it.
            let channel = self.connection.create_channel().await?;
            let passive = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            let declared = channel
                .queue_declare(queue.into(), passive, FieldTable::default())
                .await;
            if let Ok(queue) = declared {
                sum += queue.message_count();
                channel.close(200, "counted".into()).await?;
            }
        }
        Ok(sum)
    }

    /// Waits until the lanes and their delays look empty, or the time is up.
    pub(crate) async fn wait_until_empty(&self, longest: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut empty = 0;
        while empty < EMPTY_READINGS && began.elapsed() < longest {
            empty = if self.still_queued().await? == 0 {
                empty + 1
            } else {
                0
            };
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Deletes every queue and exchange of the prefix.
    pub(crate) async fn delete_all(&self) -> anyhow::Result<()> {
        let channel = self.connection.create_channel().await?;
        let fixed = ["unhandled", "dead", "audit", "control", "outcomes", "owner"];
        let fixed = fixed.iter().map(|name| format!("{}.{name}", self.prefix));
        let back = ["urgent", "bulk"].map(|lane| format!("{}.{lane}.return", self.prefix));
        // Deleting what does not exist is no error.
        for name in self.lane_queues().into_iter().chain(fixed).chain(back) {
            let name = name.as_str();
            channel
                .queue_delete(name.into(), QueueDeleteOptions::default())
                .await?;
            channel
                .exchange_delete(name.into(), ExchangeDeleteOptions::default())
                .await?;
        }
        channel.close(200, "deleted".into()).await?;
        Ok(())
    }

    /// The queues through which events go until they are settled.
    fn lane_queues(&self) -> Vec<String> {
        let mut names = vec![format!("{}.unhandled", self.prefix)];
        for lane in ["urgent", "bulk"] {
            let lane = format!("{}.{lane}", self.prefix);
            names.extend(RETRY_DELAYS.map(|delay| format!("{lane}.retry.{delay}")));
            names.push(lane);
        }
        names
    }
}

impl DeadLetters {
    /// What there is so far.
    pub(crate) fn found(&self) -> Found {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    /// Ends the look at them; all are back in the queue then.
    pub(crate) async fn give_back(&self) -> anyhow::Result<()> {
        self.reader.abort();
        let closed = self.channel.close(200, "seen".into()).await;
        closed.context("the dead letters could not be given back")
    }
}

fn check(confirm: Option<lapin::Result<Confirmation>>) -> anyhow::Result<()> {
    match confirm {
        Some(Ok(Confirmation::Ack(None))) => Ok(()),
        Some(Ok(Confirmation::Ack(Some(_)))) => bail!("an event was routed to no queue"),
        other => bail!("an event was not confirmed: {other:?}"),
    }
}

fn note(found: &mut Found, letter: &Delivery) {
    let headers = letter.properties.headers().clone().unwrap_or_default();
    let text = |name: &str| match headers.inner().get(name) {
        Some(AMQPValue::LongString(text)) => Some(text.to_string()),
        Some(AMQPValue::ShortString(text)) => Some(text.to_string()),
        _ => None,
    };
    let dead_letter = DeadLetter {
        code: text("revoker-code").unwrap_or_else(|| "no code".to_owned()),
        attempts: headers
            .inner()
            .get("revoker-attempts")
            .and_then(AMQPValue::as_long_long_int),
    };
    found.count += 1;
    let publisher = text("revoker-publisher").unwrap_or_else(|| letter.routing_key.to_string());
    if let Some(id) = text("revoker-event-id") {
        found.by_event_id.insert(id, dead_letter.clone());
    }
    // Only a malformed event has a publisher of its own.
    if publisher.starts_with("malformed-") {
        found.by_publisher.insert(publisher, dead_letter);
    }
}
