//! Publishes valid events, persistent, mandatory and confirmed: the backlog that is measured.
//!
//! With `queue NAME` it declares that quorum queue (for the yardstick); with `exchange NAME` it
//! declares nothing, for that is the worker's.

use anyhow::{Context, bail};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Confirmation, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

/// Publishes whose confirm is awaited at the same time.
const CONFIRMS_IN_FLIGHT_MAX: usize = 1000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [amqp_url, kind, name, count] = arguments.as_slice() else {
        bail!("usage: bench-fill AMQP_URL queue|exchange NAME COUNT");
    };
    let count: usize = count.parse().context("COUNT must be a number")?;
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let (exchange, routing_key) = match kind.as_str() {
        "queue" => {
            let mut arguments = FieldTable::default();
            arguments.insert(
                "x-queue-type".into(),
                AMQPValue::LongString("quorum".into()),
            );
            channel
                .queue_declare(
                    name.as_str().into(),
                    QueueDeclareOptions::durable(),
                    arguments,
                )
                .await?;
            ("", name.as_str())
        }
        "exchange" => (name.as_str(), "bench"),
        _ => bail!("the second argument is queue or exchange"),
    };
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
    let now = jiff::Timestamp::now();
    let mut confirms = FuturesUnordered::new();
    for i in 0..count {
        let body = format!(
            r#"{{"type":"session.revoke.v1","id":"bench-{i:08x}","occurred_at":"{now:.0}","reason":"security_incident","campaign_id":"bench","session_id":"session-test-{i:08x}-0000-4000-8000-000000000000"}}"#
        );
        let confirm = channel
            .basic_publish(
                exchange.into(),
                routing_key.into(),
                options,
                body.as_bytes(),
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
    connection.close(200, "filled".into()).await?;
    Ok(())
}

/// Only an ack without a returned message means that the event is in the queue.
fn check(confirm: Option<lapin::Result<Confirmation>>) -> anyhow::Result<()> {
    match confirm {
        Some(Ok(Confirmation::Ack(None))) => Ok(()),
        Some(Ok(Confirmation::Ack(Some(_)))) => bail!("an event was routed to no queue"),
        other => bail!("an event was not confirmed: {other:?}"),
    }
}
