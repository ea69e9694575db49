//! Looking through the dead letters: everything that is not removed goes back to its queue.
//!
//! Deliveries are taken on channels of a connection of our own and not acked; the broker gives them back
//! when a channel closes, also when we are killed. It counts one more delivery of each, far from the limit
//! (a million). While somebody looks, what he holds is invisible to others, so only one may look at a time:
//! the lock is a queue that belongs to the connection alone.
//!
//! A channel holds one page of letters, so that no more than a page of bodies is on its way to us,
//! however many letters are held.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::{
    Acker, Channel, Connection, Consumer,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    CALL_MAX, Error, Settings,
    declare::{in_time, open},
    depth::READINGS,
    dial::dial_as,
    headers,
    survey::{FAREWELL_MAX, standing},
    topology::Names,
};
use crate::settle::letter::Found;

/// Letters that one channel holds.
const PAGE: u16 = 500;
/// Letters that are looked at, at most: as many as the broker's usual channels (2,047) can hold.
pub const LETTERS_MAX: u64 = 1_000_000;
/// When nothing comes for so long, the broker is asked whether anything is left.
const SILENT_AFTER: Duration = Duration::from_secs(1);
/// Between the readings of which the maximum is believed.
const READINGS_APART: Duration = Duration::from_millis(100);
/// How long what was held may take to be back in the queue; somebody else may take it meanwhile.
const BACK_MAX: Duration = Duration::from_secs(5);
/// The broker writes acks into the queue's log one by one, and forgets those of a channel that is closed.
const ACKS_TAKE: Duration = Duration::from_secs(1);

/// A look through the dead letters.
pub struct Browse {
    connection: Connection,
    dead: String,
    /// Their channels hold what was looked at. The last one is still read.
    pages: Vec<Page>,
    /// How many are looked at.
    wanted: u64,
    seen: u64,
    removed: u64,
}

struct Page {
    channel: Channel,
    consumer: Consumer,
    held: u16,
}

/// A letter that is held.
pub struct Taken {
    /// What stands beside the body.
    pub found: Found,
    /// The body: drop it early.
    pub body: Vec<u8>,
    /// By which it is removed.
    pub hold: Hold,
}

/// A hold of one letter. Dropping it removes nothing.
pub struct Hold {
    acker: Acker,
    page: usize,
}

impl Browse {
    /// Connects, takes the lock, and counts. At most `limit` letters are looked at, the oldest first.
    ///
    /// # Errors
    /// [`Error::InUse`] while somebody else looks; when there is no such queue, our user may not read it,
    /// or the broker cannot be used.
    pub async fn open(settings: &Settings, limit: u64) -> Result<Self, Error> {
        let connection = dial_as("dead letters", settings, None).await?;
        let names = Names::new(&settings.prefix);
        lock(&connection, &names.dead_lock()).await?;
        let dead = names.dead();
        let mut letters = 0;
        for reading in 0..READINGS {
            // A queue with a slow leader can answer 0: one such answer is not believed.
            if reading > 0 {
                sleep(READINGS_APART).await;
            }
            letters = letters.max(left(&connection, &dead).await?);
        }
        Ok(Self {
            connection,
            dead,
            pages: Vec::new(),
            wanted: letters.min(limit).min(LETTERS_MAX),
            seen: 0,
            removed: 0,
        })
    }

    /// How many letters are looked at in all.
    pub fn wanted(&self) -> u64 {
        self.wanted
    }

    /// How many letters there were that did not come: somebody else holds them, or has taken them.
    pub fn missed(&self) -> u64 {
        self.wanted - self.seen
    }

    /// The next letter; `None` after the last.
    ///
    /// # Errors
    /// When the queue is deleted or the connection is gone: everything that is held goes back.
    pub async fn next(&mut self) -> Result<Option<Taken>, Error> {
        if self.seen == self.wanted {
            return Ok(None);
        }
        if self.pages.last().is_none_or(|page| page.held == PAGE) {
            self.turn_page().await?;
        }
        let mut silent = Duration::ZERO;
        loop {
            let Some(page) = self.pages.last_mut() else {
                return Err(Error::Unreachable("no channel is open".into()));
            };
            match timeout(SILENT_AFTER, page.consumer.next()).await {
                Ok(Some(Ok(delivery))) => {
                    page.held += 1;
                    self.seen += 1;
                    return Ok(Some(taken(delivery, self.pages.len() - 1)));
                }
                Ok(Some(Err(error))) => return Err(super::explain::error(&error)),
                Ok(None) => {
                    let why = "the broker cancelled the consumer: was the queue deleted?";
                    return Err(Error::Unreachable(why.into()));
                }
                Err(_) => silent += SILENT_AFTER,
            }
            if left(&self.connection, &self.dead).await? == 0 {
                return Ok(None);
            }
            if silent >= CALL_MAX {
                return Err(Error::TimedOut("give out dead letters"));
            }
        }
    }

    /// Removes a letter for ever.
    ///
    /// # Errors
    /// When it is no longer held: it is in the queue again.
    pub async fn remove(&mut self, hold: Hold) -> Result<(), Error> {
        let one = BasicAckOptions { multiple: false };
        match in_time("remove a dead letter", hold.acker.ack(one)).await? {
            true => {
                if let Some(page) = self.pages.get_mut(hold.page) {
                    page.held -= 1;
                }
                self.removed += 1;
                Ok(())
            }
            false => Err(Error::Unreachable("the channel was closed".into())),
        }
    }

    /// Gives back what is held, in order, and leaves.
    pub async fn close(self) {
        if self.removed > 0 {
            sleep(ACKS_TAKE).await;
        }
        for page in self.pages {
            // What is not given back in time is when the connection ends.
            let _ = timeout(CALL_MAX, page.channel.close(200, "seen".into())).await;
        }
        // Whoever looks next, this same command perhaps, shall find all of it.
        let began = Instant::now();
        while began.elapsed() < BACK_MAX {
            match left(&self.connection, &self.dead).await {
                Ok(left) if left < self.seen - self.removed => sleep(READINGS_APART).await,
                _ => break,
            }
        }
        let _ = timeout(FAREWELL_MAX, self.connection.close(200, "seen".into())).await;
    }

    /// Goes on with a channel more. The one before keeps what it holds, and gets nothing for what is removed.
    async fn turn_page(&mut self) -> Result<(), Error> {
        if let Some(page) = self.pages.last() {
            let tag = page.consumer.tag();
            let options = BasicCancelOptions { nowait: false };
            in_time("end a consumer", page.channel.basic_cancel(tag, options)).await?;
        }
        let channel = open(&self.connection).await?;
        let qos = BasicQosOptions { global: false };
        in_time("set the prefetch", channel.basic_qos(PAGE, qos)).await?;
        let options = BasicConsumeOptions {
            no_local: false,  // not implemented by RabbitMQ
            no_ack: false,    // what is not acked comes back
            exclusive: false, // the lock keeps others away, and only those who look as we do
            nowait: false,    // the answer is what we want
        };
        let arguments = FieldTable::default();
        let consumed =
            channel.basic_consume(self.dead.as_str().into(), "".into(), options, arguments);
        let consumer = in_time("read the dead letters", consumed).await?;
        self.pages.push(Page {
            channel,
            consumer,
            held: 0,
        });
        Ok(())
    }
}

fn taken(delivery: Delivery, page: usize) -> Taken {
    Taken {
        found: headers::found(&delivery.properties, delivery.routing_key.as_str()),
        body: delivery.data,
        hold: Hold {
            acker: delivery.acker,
            page,
        },
    }
}

/// Declares the queue that belongs to this connection alone: gone with it, however that ends.
async fn lock(connection: &Connection, name: &str) -> Result<(), Error> {
    let channel = open(connection).await?;
    let options = QueueDeclareOptions {
        passive: false,    // to have it
        durable: false,    // gone with us
        exclusive: true,   // that is the lock: others get RESOURCE_LOCKED
        auto_delete: true, // nobody consumes it
        nowait: false,     // the answer is what we want
    };
    let declared = channel.queue_declare(name.into(), options, FieldTable::default());
    in_time("take the lock of the dead letters", declared)
        .await
        .map(drop)
}

/// Letters that nobody holds.
async fn left(connection: &Connection, dead: &str) -> Result<u64, Error> {
    let standing = standing(connection, dead).await?;
    standing
        .map(|standing| standing.messages.into())
        .ok_or_else(|| Error::Missing(format!("no queue '{dead}'")))
}
