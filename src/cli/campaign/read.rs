//! Reading a stream to the end that it had when we came.

use std::time::Duration;

use anyhow::anyhow;
use tokio::time::timeout;

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
/// How often a stream is opened again, from where it broke off.
const REOPENED_MAX: u32 = 3;

/// Gives every entry from this offset on; returns the last offset that the stream had.
///
/// # Errors
/// When the broker cannot be used, there is no such stream, or `each` fails.
pub(super) async fn to_end(
    settings: &broker::Settings,
    stream: Stream,
    from: u64,
    mut each: impl FnMut(Entry) -> Result<(), Failure>,
) -> Result<Option<u64>, Failure> {
    let mut tail = open(settings, stream, from).await?;
    // What is written after we came is for the next reader.
    let (end, mut next, mut reopened) = (tail.end, from, 0);
    while end.is_some_and(|end| next <= end) {
        let entry = match next_of(&mut tail).await {
            Ok(entry) => entry,
            Err(error) if reopened == REOPENED_MAX => return Err(error),
            Err(_) => {
                reopened += 1;
                tail.close().await;
                tail = open(settings, stream, next).await?;
                continue;
            }
        };
        next = entry.offset + 1;
        if Some(entry.offset) <= end {
            each(entry)?;
        }
    }
    tail.close().await;
    Ok(end)
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
