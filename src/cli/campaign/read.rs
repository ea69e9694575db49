//! Reading a stream to the end that it had when we came.

use std::time::Duration;

use anyhow::anyhow;
use tokio::{sync::mpsc::channel, task::JoinSet, time::timeout};

use super::records;
use crate::{
    broker::{
        self,
        stream::{Entry, Stream, Tail},
    },
    campaign::{Orders, Record},
    cli::Failure,
};

/// An entry that must be there and does not come for so long does not come this way.
const ENTRY_MAX: Duration = Duration::from_secs(20);
/// Readers at once, where order does not matter.
const READERS: u64 = 3;
/// Fewer entries than this are read by one.
const APART_FROM: u64 = 20_000;
/// Entries that are read ahead of what is made of them.
const AHEAD: usize = 1_000;
/// How often a stream is opened again, from where it broke off.
const REOPENED_MAX: u32 = 3;

/// Gives every entry from this offset on, in order; returns the last offset that the stream had.
///
/// # Errors
/// When the broker cannot be used, there is no such stream, or `each` fails.
pub(super) async fn to_end(
    settings: &broker::Settings,
    stream: Stream,
    from: u64,
    mut each: impl FnMut(Entry) -> Result<(), Failure>,
) -> Result<Option<u64>, Failure> {
    let tail = open(settings, stream, from).await?;
    // What is written after we came is for the next reader.
    let end = tail.end;
    let mut range = Range::new(settings, stream, tail, (from, end));
    while let Some(entry) = range.next().await? {
        each(entry)?;
    }
    range.tail.close().await;
    Ok(end)
}

/// The same in no order, by several readers at once if there is much: RabbitMQ spends long on each entry
/// of a stream that is read over AMQP 0-9-1, but does so for each reader apart.
///
/// # Errors
/// As [`to_end`].
pub(super) async fn to_end_in_no_order(
    settings: &broker::Settings,
    stream: Stream,
    from: u64,
    mut each: impl FnMut(Entry),
) -> Result<Option<u64>, Failure> {
    let first = open(settings, stream, from).await?;
    let (end, mut first) = (first.end, Some(first));
    let (give, mut entries) = channel(AHEAD);
    let mut readers = JoinSet::new();
    for part in parts(from, end) {
        let tail = match first.take() {
            Some(tail) => tail,
            None => follow(settings, stream, part.0).await?,
        };
        let mut range = Range::new(settings, stream, tail, part);
        let give = give.clone();
        readers.spawn(async move {
            while let Some(entry) = range.next().await? {
                // Whoever asks no more has said why.
                let _ = give.send(entry).await;
            }
            range.tail.close().await;
            Ok::<_, Failure>(())
        });
    }
    drop(give);
    while let Some(entry) = entries.recv().await {
        each(entry);
    }
    while let Some(read) = readers.join_next().await {
        read.map_err(anyhow::Error::from)??;
    }
    Ok(end)
}

/// The ranges of the readers, each with its last offset.
fn parts(from: u64, end: Option<u64>) -> Vec<(u64, Option<u64>)> {
    let Some(last) = end.filter(|last| last.saturating_sub(from) >= APART_FROM) else {
        return vec![(from, end)];
    };
    let length = (last - from) / READERS + 1;
    let begins = (0..READERS).map(|reader| from + reader * length);
    begins
        .map(|begin| (begin, Some(last.min(begin + length - 1))))
        .collect()
}

/// A part of a stream, being read.
struct Range {
    settings: broker::Settings,
    stream: Stream,
    tail: Tail,
    next: u64,
    end: Option<u64>,
    reopened: u32,
}

impl Range {
    fn new(
        settings: &broker::Settings,
        stream: Stream,
        tail: Tail,
        (from, end): (u64, Option<u64>),
    ) -> Self {
        Self {
            settings: settings.clone(),
            stream,
            tail,
            next: from,
            end,
            reopened: 0,
        }
    }

    /// The next entry; `None` after the last. A stream that falls silent before is opened again.
    async fn next(&mut self) -> Result<Option<Entry>, Failure> {
        while self.end.is_some_and(|end| self.next <= end) {
            match next_of(&mut self.tail).await {
                Ok(entry) => {
                    self.next = entry.offset + 1;
                    return Ok(Some(entry).filter(|entry| Some(entry.offset) <= self.end));
                }
                Err(error) if self.reopened == REOPENED_MAX => return Err(error),
                Err(_) => {
                    self.reopened += 1;
                    self.tail = follow(&self.settings, self.stream, self.next).await?;
                }
            }
        }
        Ok(None)
    }
}

/// The offset of the oldest entry that a stream still has; `None` if it has none.
///
/// # Errors
/// When the broker cannot be used, or there is no such stream.
pub(super) async fn oldest(
    settings: &broker::Settings,
    stream: Stream,
) -> Result<Option<u64>, Failure> {
    let mut tail = open(settings, stream, 0).await?;
    let oldest = match tail.end {
        Some(_) => Some(next_of(&mut tail).await?.offset),
        None => None,
    };
    tail.close().await;
    Ok(oldest)
}

async fn open(settings: &broker::Settings, stream: Stream, from: u64) -> Result<Tail, Failure> {
    Tail::open(settings, stream, from)
        .await
        .map_err(records::failure)
}

/// Opens a stream without asking for its end.
pub(super) async fn follow(
    settings: &broker::Settings,
    stream: Stream,
    from: u64,
) -> Result<Tail, Failure> {
    let tail = Tail::follow(settings, stream, from).await;
    tail.map_err(records::failure)
}

async fn next_of(tail: &mut Tail) -> Result<Entry, Failure> {
    let next = timeout(ENTRY_MAX, tail.next()).await;
    let silent = || anyhow!("the stream fell silent before its end; try again");
    Ok(next.map_err(|_| Failure::Unavailable(silent()))??)
}

/// The operator's records, all of them, and the offset of the last; `each` sees what each one came to.
///
/// # Errors
/// As [`to_end`].
pub(super) async fn orders(
    settings: &broker::Settings,
    mut each: impl FnMut(&Orders, &Record),
) -> Result<(Orders, Option<u64>), Failure> {
    let mut orders = Orders::default();
    let take = |entry: Entry| {
        if let Some(record) = Record::read(&entry.body) {
            orders.take(record.clone());
            each(&orders, &record);
        }
        Ok(())
    };
    let end = to_end(settings, Stream::Control, 0, take).await?;
    Ok((orders, end))
}
