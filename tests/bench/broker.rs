//! What the benchmark does with RabbitMQ: fill queues with events, let timed ones trickle in, count
//! what is left, empty.
//!
//! Not what is measured. Events are persistent, mandatory and confirmed. A `queue` is declared here,
//! with its dead letters in NAME.dead; an `exchange` is the worker's, so nothing is declared; `celery`
//! is a queue whose messages are events in Celery's own format.

#[path = "session.rs"]
mod session;

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, PublisherConfirm,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::{AMQPValue, FieldArray, FieldTable},
};
use session::Session;

/// Publishes whose confirm is awaited at the same time.
const CONFIRMS_IN_FLIGHT_MAX: usize = 1000;

/// How long a step may take that the broker answers at once when all is well: the AMQP library itself
/// would wait for ever.
const STEP_MAX: Duration = Duration::from_secs(60);

/// The pauses between timed events are the same in each run.
const PAUSES_SEED: u64 = 1;

const USAGE: &str = "usage: bench-broker AMQP_URL
  fill queue|exchange|celery NAME COUNT
  trickle queue|exchange NAME[,NAME] FIRST COUNT SECONDS_MIN SECONDS_MAX
                   names take turns; from a confirm to the next publish it is MIN to MAX
  count NAME…      ready messages of all of them together; a queue that is missing has none
  purge NAME…";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [amqp_url, command, rest @ ..] = arguments.as_slice() else {
        bail!(USAGE);
    };
    let connect = Connection::connect(amqp_url, ConnectionProperties::default());
    let connection = within("connecting", connect).await??;
    match (*command, rest) {
        ("fill", [kind, name, count]) => {
            let target = within("opening", Target::open(&connection, kind, name)).await??;
            target.fill(count.parse().context("COUNT")?).await?;
        }
        ("trickle", [kind, names, first, count, seconds_min, seconds_max]) => {
            let first: usize = first.parse().context("FIRST")?;
            let count: usize = count.parse().context("COUNT")?;
            let least: f64 = seconds_min.parse().context("SECONDS_MIN")?;
            let most: f64 = seconds_max.parse().context("SECONDS_MAX")?;
            let mut targets = Vec::new();
            for name in names.split(',') {
                targets.push(within("opening", Target::open(&connection, kind, name)).await??);
            }
            trickle(&targets, first..first + count, (least, most)).await?;
        }
        ("count", names) => within("counting", print_count(&connection, names)).await??,
        ("purge", names) => within("purging", purge(&connection, names)).await??,
        _ => bail!(USAGE),
    }
    // Without the closing handshake, which was seen to wait for ever: all that matters is confirmed.
    std::process::exit(0)
}

/// Publishes timed events, each so many seconds after the last one was confirmed. The pauses differ, for
/// fixed ones may be in step with what else goes on.
async fn trickle(
    targets: &[Target],
    numbers: std::ops::Range<usize>,
    (least, most): (f64, f64),
) -> anyhow::Result<()> {
    let mut rng = fastrand::Rng::with_seed(PAUSES_SEED);
    for (number, target) in numbers.zip(targets.iter().cycle()) {
        let session = Session::timed(number, SystemTime::now());
        let confirm = within("a publish", target.publish(number, session)).await??;
        check(Some(within("a confirm", confirm).await?))?;
        let pause = least + (most - least) * rng.f64();
        tokio::time::sleep(Duration::try_from_secs_f64(pause)?).await;
    }
    Ok(())
}

async fn within<T>(what: &str, step: impl Future<Output = T>) -> anyhow::Result<T> {
    let limited = tokio::time::timeout(STEP_MAX, step).await;
    limited.with_context(|| format!("{what} took longer than {STEP_MAX:?}"))
}

async fn purge(connection: &Connection, names: &[&str]) -> anyhow::Result<()> {
    for name in names {
        // A queue that is missing closes the channel, and is empty enough.
        let channel = connection.create_channel().await?;
        let _ = channel
            .queue_purge((*name).into(), QueuePurgeOptions::default())
            .await;
    }
    Ok(())
}

async fn print_count(connection: &Connection, names: &[&str]) -> anyhow::Result<()> {
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let mut ready: u64 = 0;
    for name in names {
        let channel = connection.create_channel().await?;
        let declared = channel
            .queue_declare((*name).into(), passive, FieldTable::default())
            .await;
        ready += declared.map_or(0, |queue| u64::from(queue.message_count()));
    }
    writeln!(std::io::stdout(), "{ready}")?;
    Ok(())
}

/// Where events are published to.
struct Target {
    channel: Channel,
    exchange: String,
    routing_key: String,
    is_celery: bool,
}

impl Target {
    async fn open(connection: &Connection, kind: &str, name: &str) -> anyhow::Result<Self> {
        let channel = connection.create_channel().await?;
        let (exchange, routing_key) = match kind {
            "queue" | "celery" => {
                let dead = format!("{name}.dead");
                declare(&channel, &dead, &[]).await?;
                let arguments = [
                    ("x-dead-letter-exchange", ""),
                    ("x-dead-letter-routing-key", &dead),
                ];
                declare(&channel, name, &arguments).await?;
                ("", name)
            }
            "exchange" => (name, "bench"),
            _ => bail!(USAGE),
        };
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok(Self {
            channel,
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            is_celery: kind == "celery",
        })
    }

    async fn fill(&self, count: usize) -> anyhow::Result<()> {
        let mut confirms = FuturesUnordered::new();
        for number in 0..count {
            let publish = self.publish(number, Session::backlog(number));
            confirms.push(within("a publish", publish).await??);
            if confirms.len() >= CONFIRMS_IN_FLIGHT_MAX {
                check(within("a confirm", confirms.next()).await?)?;
            }
        }
        while let Some(confirm) = within("a confirm", confirms.next()).await? {
            check(Some(confirm))?;
        }
        Ok(())
    }

    async fn publish(&self, number: usize, session: Session) -> anyhow::Result<PublisherConfirm> {
        let now = jiff::Timestamp::now();
        let event = format!(
            r#"{{"type":"session.revoke.v1","id":"bench-{number:08x}","occurred_at":"{now:.0}","reason":"security_incident","campaign_id":"bench","session_id":"{}"}}"#,
            session.id()
        );
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into());
        let (body, properties) = if self.is_celery {
            as_task(&event, number, properties)
        } else {
            (event, properties)
        };
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let exchange = self.exchange.as_str().into();
        let routing_key = self.routing_key.as_str().into();
        let confirm = self
            .channel
            .basic_publish(exchange, routing_key, options, body.as_bytes(), properties)
            .await?;
        Ok(confirm)
    }
}

/// A durable quorum queue with these arguments, all of them texts.
async fn declare(channel: &Channel, name: &str, texts: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut arguments = FieldTable::default();
    for (key, value) in [("x-queue-type", "quorum")].iter().chain(texts) {
        arguments.insert((*key).into(), AMQPValue::LongString((*value).into()));
    }
    channel
        .queue_declare(name.into(), QueueDeclareOptions::durable(), arguments)
        .await?;
    Ok(())
}

/// The event as the argument of the task `revoke`, in version 2 of Celery's message protocol.
fn as_task(event: &str, number: usize, properties: BasicProperties) -> (String, BasicProperties) {
    let id = format!("00000000-0000-4000-8000-{number:012x}");
    let mut headers = FieldTable::default();
    for (key, value) in [
        ("lang", "py"),
        ("task", "revoke"),
        ("id", &id),
        ("root_id", &id),
    ] {
        headers.insert(key.into(), AMQPValue::LongString(value.into()));
    }
    headers.insert("retries".into(), AMQPValue::LongInt(0));
    let no_limits = FieldArray::from(vec![AMQPValue::Void, AMQPValue::Void]);
    headers.insert("timelimit".into(), AMQPValue::FieldArray(no_limits));
    let body = format!(
        r#"[[{event}],{{}},{{"callbacks":null,"errbacks":null,"chain":null,"chord":null}}]"#
    );
    let properties = properties
        .with_content_encoding("utf-8".into())
        .with_correlation_id(id.into())
        .with_headers(headers);
    (body, properties)
}

/// Only an ack without a returned message means that the event is in the queue.
fn check(confirm: Option<lapin::Result<Confirmation>>) -> anyhow::Result<()> {
    match confirm {
        Some(Ok(Confirmation::Ack(None))) => Ok(()),
        Some(Ok(Confirmation::Ack(Some(_)))) => bail!("an event was routed to no queue"),
        other => bail!("an event was not confirmed: {other:?}"),
    }
}
