//! Reading what the worker wrote: dead letters and outcomes. Both stay where they are.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt;
use lapin::{
    BasicProperties, Confirmation,
    message::Delivery,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions,
        BasicQosOptions, ConfirmSelectOptions,
    },
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{PATIENCE, broker::Broker};

/// Messages that may be sent ahead of our acks.
const AHEAD: u16 = 1000;
/// Messages acked with one frame.
const ACKED_AT_ONCE: usize = 100;
/// What the last of them may take.
const ACKS_TAKE: Duration = Duration::from_secs(1);

/// A dead letter.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// Its headers, all as text.
    pub(crate) headers: BTreeMap<String, String>,
    /// Its properties, headers included.
    pub(crate) properties: BasicProperties,
    /// The body: the publisher's own, or sealed.
    pub(crate) body: Vec<u8>,
    /// The routing key.
    pub(crate) routing_key: String,
}

/// An outcome.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// `<lane>.<outcome>.<publisher>`.
    pub(crate) routing_key: String,
    /// `session.revoke.outcome.v1`.
    pub(crate) body: Value,
}

impl DeadLetter {
    /// A header of ours, such as `code` for `revoker-code`; empty if it is not there.
    pub(crate) fn ours(&self, name: &str) -> &str {
        let value = self.headers.get(&format!("revoker-{name}"));
        value.map_or("", String::as_str)
    }
}

impl Outcome {
    /// The event's id.
    pub(crate) fn event_id(&self) -> &str {
        self.body["event_id"].as_str().unwrap_or_default()
    }

    /// How it ended.
    pub(crate) fn outcome(&self) -> &str {
        self.body["outcome"].as_str().unwrap_or_default()
    }
}

impl Broker {
    /// The dead letters there are now; all are back in their queue afterwards.
    pub(crate) async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.lying_in("dead").await
    }

    /// What lies in that queue now, read as dead letters are; all is back in it afterwards.
    pub(crate) async fn lying_in(&self, queue: &str) -> Vec<DeadLetter> {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let mut letters = Vec::new();
        let options = BasicGetOptions { no_ack: false };
        while let Some(got) = channel
            .basic_get(self.name(queue).into(), options)
            .await
            .expect("the queue must be there")
        {
            letters.push(letter(got.delivery));
        }
        channel.close(200, "seen".into()).await.unwrap();
        letters
    }

    /// Takes so many dead letters out of their queue, as they come.
    pub(crate) async fn take_dead_letters(&self, count: usize, mut each: impl FnMut(DeadLetter)) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let qos = BasicQosOptions { global: false };
        channel.basic_qos(AHEAD, qos).await.unwrap();
        let options = BasicConsumeOptions::default();
        let consumed = channel.basic_consume(
            self.name("dead").into(),
            "".into(),
            options,
            FieldTable::default(),
        );
        let mut letters = consumed.await.unwrap();
        for taken in 1..=count {
            let next = timeout(PATIENCE, letters.next()).await;
            let next =
                next.unwrap_or_else(|_| panic!("{taken} of {count} dead letters did not come"));
            let delivery = next.expect("the queue is not deleted").unwrap();
            if taken.is_multiple_of(ACKED_AT_ONCE) || taken == count {
                let options = BasicAckOptions { multiple: true };
                delivery.acker.ack(options).await.unwrap();
            }
            each(letter(delivery));
        }
        // The broker takes acks to the queue's log one by one, and forgets those of a closed channel.
        sleep(ACKS_TAKE).await;
        channel.close(200, "taken".into()).await.unwrap();
    }

    /// Every outcome there is now.
    pub(crate) async fn outcomes(&self) -> Vec<Outcome> {
        let mut told = self.told().await;
        told.retain(|told| !told.routing_key.starts_with("worker."));
        told
    }

    /// What workers told of themselves, as outcomes are read.
    pub(crate) async fn worker_states(&self) -> Vec<Outcome> {
        let mut told = self.told().await;
        told.retain(|told| told.routing_key.starts_with("worker."));
        told
    }

    /// All that the stream of outcomes has. Nothing marks the end of a stream, so a mark of our own is written
    /// behind the last one and read up to; it is not returned, nor are those of earlier readings.
    async fn told(&self) -> Vec<Outcome> {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let options = ConfirmSelectOptions::default();
        channel.confirm_select(options).await.unwrap();
        let mark = format!("mark.{}", Uuid::new_v4());
        let confirm = channel
            .basic_publish(
                self.name("outcomes").into(),
                mark.as_str().into(),
                BasicPublishOptions {
                    mandatory: true,
                    ..BasicPublishOptions::default()
                },
                b"{}",
                BasicProperties::default(),
            )
            .await
            .unwrap();
        assert_eq!(confirm.await.unwrap(), Confirmation::Ack(None));

        let qos = BasicQosOptions { global: false };
        channel.basic_qos(AHEAD, qos).await.unwrap();
        let mut from = FieldTable::default();
        let first = AMQPValue::LongString("first".into());
        from.insert("x-stream-offset".into(), first);
        let options = BasicConsumeOptions::default();
        let consumed = channel.basic_consume(self.name("audit").into(), "".into(), options, from);
        let mut stream = consumed.await.unwrap();
        let mut outcomes = Vec::new();
        loop {
            let next = timeout(PATIENCE, stream.next()).await;
            let delivery = next
                .expect("our own mark must come")
                .expect("the stream does not end")
                .unwrap();
            let options = BasicAckOptions::default();
            delivery.acker.ack(options).await.unwrap();
            let routing_key = delivery.routing_key.to_string();
            if routing_key == mark {
                break;
            }
            if !routing_key.starts_with("mark.") {
                let body = serde_json::from_slice(&delivery.data).unwrap();
                outcomes.push(Outcome { routing_key, body });
            }
        }
        outcomes
    }
}

fn letter(delivery: Delivery) -> DeadLetter {
    DeadLetter {
        headers: texts(delivery.properties.headers().as_ref()),
        properties: delivery.properties,
        body: delivery.data,
        routing_key: delivery.routing_key.to_string(),
    }
}

fn texts(headers: Option<&FieldTable>) -> BTreeMap<String, String> {
    let Some(headers) = headers else {
        return BTreeMap::new();
    };
    let text = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::ShortString(text) => text.to_string(),
        AMQPValue::LongLongInt(number) => number.to_string(),
        AMQPValue::LongInt(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let all = headers.inner().iter();
    all.map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}
