//! How many messages wait in each queue, and how many workers there are, asked every few seconds.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use lapin::{Channel, Connection, options::QueueDeclareOptions, types::FieldTable};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    Depth, Error, Fact, Watch,
    declare::{in_time, open},
    link::Link,
    topology::Names,
};
use crate::event::Lane;

/// How often the queues are asked.
const EVERY: Duration = Duration::from_secs(5);
/// A quorum queue with a slow leader can answer 0: the maximum of this many readings is told.
pub(super) const READINGS: usize = 3;

/// Asks until the session ends. A failure ends only the asking: the other channels tell more.
pub(crate) async fn poll(
    connection: Arc<Connection>,
    names: Names,
    delays: Vec<Duration>,
    link: Arc<Link>,
    watch: Watch,
) {
    let retries = Lane::ALL
        .iter()
        .flat_map(|lane| delays.iter().map(|d| names.retry(*lane, *d)));
    let mut asked = [
        (
            Depth::Urgent,
            vec![names.lane(Lane::Urgent)],
            VecDeque::new(),
        ),
        (Depth::Bulk, vec![names.lane(Lane::Bulk)], VecDeque::new()),
        (Depth::Retry, retries.collect(), VecDeque::new()),
        (Depth::Dead, vec![names.dead()], VecDeque::new()),
    ];
    let Ok(mut channel) = open(&connection).await else {
        return;
    };
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = link.failed() => return,
        }
        for (depth, queues, readings) in &mut asked {
            match sum(&channel, queues).await {
                Ok((messages, consumers)) => {
                    if *depth == Depth::Urgent {
                        watch(Fact::Consumers(consumers));
                    }
                    if readings.len() == READINGS {
                        readings.pop_front();
                    }
                    readings.push_back(messages);
                    watch(Fact::Depth(
                        *depth,
                        readings.iter().copied().max().unwrap_or(0),
                    ));
                }
                Err(_) => match open(&connection).await {
                    Ok(fresh) => channel = fresh,
                    Err(_) => return,
                },
            }
        }
    }
}

/// Messages and consumers of these queues together.
async fn sum(channel: &Channel, queues: &[String]) -> Result<(u64, u32), Error> {
    let mut sum = (0, 0);
    for queue in queues {
        let options = QueueDeclareOptions {
            passive: true, // only asks
            ..QueueDeclareOptions::default()
        };
        let asked = channel.queue_declare(queue.as_str().into(), options, FieldTable::default());
        let queue = in_time("ask for a queue's depth", asked).await?;
        sum.0 += u64::from(queue.message_count());
        sum.1 += queue.consumer_count();
    }
    Ok(sum)
}
