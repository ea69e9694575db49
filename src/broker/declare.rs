//! Declares the topology, or checks that it is there.

use std::future::Future;

use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::timeout;

use super::{
    CALL_MAX, Error, Settings, TopologyMode, explain,
    topology::{Argument, Queue, topology},
};

/// Takes the owner lock, then declares or checks everything else, on channels of their own: an
/// error closes the channel it happens on.
pub(crate) async fn declare(connection: &Connection, settings: &Settings) -> Result<(), Error> {
    let topology = topology(
        &settings.prefix,
        &settings.project_id,
        &settings.retry_delays,
    );
    let channel = open(connection).await?;
    let (owner, lock) = &topology.owner;
    exchange(&channel, owner, lock, false)
        .await
        .map_err(|error| match error {
            Error::Mismatch(said) => explain::lock_refused(&settings.prefix, owner, said),
            other => other,
        })?;
    let passive = settings.topology == TopologyMode::Verify;
    for wanted in &topology.exchanges {
        exchange(&channel, wanted, &[], passive).await?;
    }
    for wanted in &topology.queues {
        queue(&channel, wanted, passive).await?;
    }
    in_time(
        "close a channel",
        channel.close(200, "topology checked".into()),
    )
    .await
}

pub(super) async fn exchange(
    channel: &Channel,
    name: &str,
    arguments: &[(&'static str, Argument)],
    passive: bool,
) -> Result<(), Error> {
    let options = ExchangeDeclareOptions {
        passive,
        durable: true,      // survives a restart of the broker
        auto_delete: false, // stays without a binding
        internal: false,    // publishers write to it
        nowait: false,      // the answer is what we want
    };
    let declared =
        channel.exchange_declare(name.into(), ExchangeKind::Topic, options, table(arguments));
    in_time("declare an exchange", declared).await
}

async fn queue(channel: &Channel, wanted: &Queue, passive: bool) -> Result<(), Error> {
    declare_queue(channel, wanted, passive).await?;
    if passive {
        return Ok(());
    }
    for exchange in &wanted.bound_to {
        let bound = channel.queue_bind(
            wanted.name.as_str().into(),
            exchange.as_str().into(),
            "#".into(),
            QueueBindOptions { nowait: false },
            FieldTable::default(),
        );
        in_time("bind a queue", bound).await?;
    }
    Ok(())
}

/// Declares a queue without its bindings; one that is there is compared.
pub(super) async fn declare_queue(
    channel: &Channel,
    wanted: &Queue,
    passive: bool,
) -> Result<(), Error> {
    let options = QueueDeclareOptions {
        passive,
        durable: true,      // as quorum queues and streams must be
        exclusive: false,   // replicas share it
        auto_delete: false, // stays without a consumer
        nowait: false,      // the answer is what we want
    };
    let declared = channel.queue_declare(
        wanted.name.as_str().into(),
        options,
        table(&wanted.arguments),
    );
    in_time("declare a queue", declared).await.map(drop)
}

/// Opens a channel in time.
pub(crate) async fn open(connection: &Connection) -> Result<Channel, Error> {
    in_time("open a channel", connection.create_channel()).await
}

/// Waits for a call to the broker, at most [`CALL_MAX`]: the library has no time-outs of its own.
pub(crate) async fn in_time<T>(
    what: &'static str,
    call: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Error> {
    match timeout(CALL_MAX, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(explain::error(&error)),
        Err(_) => Err(Error::TimedOut(what)),
    }
}

fn table(arguments: &[(&'static str, Argument)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Int(number) => AMQPValue::LongLongInt(*number),
        };
        table.insert((*name).into(), value);
    }
    table
}
