//! What stands in each queue and who consumes it, asked once, from outside of any worker.

use std::time::Duration;

use lapin::{
    Channel, Connection,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::{
    Error, Settings,
    declare::{in_time, open},
    depth::READINGS,
    dial::dial_as,
    topology::Names,
};
use crate::event::Lane;

/// Between the readings of which the maximum is told.
const READINGS_APART: Duration = Duration::from_millis(100);
/// How long a farewell may take: what was asked for is known.
pub(super) const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// What a queue is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Events of a lane.
    Lane(Lane),
    /// Delayed events of a lane.
    Retry(Lane, Duration),
    /// What the broker itself dead-letters.
    Unhandled,
    /// Dead letters.
    Dead,
}

/// What stands in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Ready messages.
    pub messages: u32,
    /// Consumers.
    pub consumers: u32,
}

/// One queue as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    /// What it is for.
    pub purpose: Purpose,
    /// Its name.
    pub name: String,
    /// What stands in it; `None`: there is no such queue.
    pub standing: Option<Standing>,
}

/// Asks for every queue of these settings, three times, since a queue with a slow leader can answer 0.
///
/// # Errors
/// When the broker cannot be used; a queue that is missing is none.
pub async fn survey(settings: &Settings) -> Result<Vec<Surveyed>, Error> {
    let connection = dial_as("status", settings, None).await?;
    let mut queues = queues(settings);
    for reading in 0..READINGS {
        if reading > 0 {
            sleep(READINGS_APART).await;
        }
        for queue in &mut queues {
            if reading > 0 && queue.standing.is_none() {
                continue; // each question for a missing queue is an error in the broker's log
            }
            let found = standing(&connection, &queue.name).await?;
            queue.standing = most(queue.standing, found);
        }
    }
    let _ = timeout(FAREWELL_MAX, connection.close(200, "seen".into())).await;
    Ok(queues)
}

fn queues(settings: &Settings) -> Vec<Surveyed> {
    let names = Names::new(&settings.prefix);
    let mut delays = settings.retry_delays.clone();
    delays.sort();
    delays.dedup();
    let lanes = Lane::ALL
        .iter()
        .map(|lane| (Purpose::Lane(*lane), names.lane(*lane)));
    let retries = Lane::ALL.iter().flat_map(|lane| {
        let retry = |delay: &Duration| (Purpose::Retry(*lane, *delay), names.retry(*lane, *delay));
        delays.iter().map(retry).collect::<Vec<_>>()
    });
    let others = [
        (Purpose::Unhandled, names.unhandled()),
        (Purpose::Dead, names.dead()),
    ];
    lanes
        .chain(retries)
        .chain(others)
        .map(|(purpose, name)| Surveyed {
            purpose,
            name,
            standing: None,
        })
        .collect()
}

fn most(one: Option<Standing>, other: Option<Standing>) -> Option<Standing> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Standing {
            messages: one.messages.max(other.messages),
            consumers: one.consumers.max(other.consumers),
        }),
        (one, other) => one.or(other),
    }
}

/// What stands in a queue; `None` if there is none of that name.
pub(super) async fn standing(
    connection: &Connection,
    queue: &str,
) -> Result<Option<Standing>, Error> {
    // On a channel of its own: asking for what is missing closes it.
    let channel = open(connection).await?;
    let asked = queue_exists(&channel, queue).await;
    let _ = timeout(FAREWELL_MAX, channel.close(200, "seen".into())).await;
    match asked {
        Ok(standing) => Ok(Some(standing)),
        Err(Error::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks for a queue by a passive declare, which changes nothing.
pub(super) async fn queue_exists(channel: &Channel, queue: &str) -> Result<Standing, Error> {
    let options = QueueDeclareOptions {
        passive: true, // only asks
        ..QueueDeclareOptions::default()
    };
    let asked = channel.queue_declare(queue.into(), options, FieldTable::default());
    let queue = in_time("ask for a queue", asked).await?;
    Ok(Standing {
        messages: queue.message_count(),
        consumers: queue.consumer_count(),
    })
}

/// Asks for an exchange, in the same way.
pub(super) async fn exchange_exists(channel: &Channel, exchange: &str) -> Result<(), Error> {
    let options = ExchangeDeclareOptions {
        passive: true, // only asks
        ..ExchangeDeclareOptions::default()
    };
    let kind = lapin::ExchangeKind::Topic;
    let asked = channel.exchange_declare(exchange.into(), kind, options, FieldTable::default());
    in_time("ask for an exchange", asked).await
}
