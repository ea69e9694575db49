//! Reading a stream to the end that it had when we came.

use std::time::Duration;

use anyhow::anyhow;
use tokio::time::timeout;

use crate::{
    broker::{
        self,
        stream::{Entry, Stream, Tail},
    },
    campaign::{Orders, Record},
    cli::Failure,
};

/// An entry that must be there and does not come for so long does not come at all.
const ENTRY_MAX: Duration = Duration::from_secs(60);

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
    let mut tail = Tail::open(settings, stream, from).await?;
    let end = tail.end;
    // A stream that ends before it would let us wait for ever.
    let mut read = from.checked_sub(1);
    while tail.has_more(read) {
        let entry = next(&mut tail).await?;
        read = Some(entry.offset);
        // What was written after we came is for the next reader.
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
    let mut tail = Tail::open(settings, stream, 0).await?;
    let oldest = match tail.end {
        Some(_) => Some(next(&mut tail).await?.offset),
        None => None,
    };
    tail.close().await;
    Ok(oldest)
}

async fn next(tail: &mut Tail) -> Result<Entry, Failure> {
    let next = timeout(ENTRY_MAX, tail.next()).await;
    let silent = || anyhow!("the stream fell silent before its end; try again");
    Ok(next.map_err(|_| Failure::Unavailable(silent()))??)
}

/// The operator's records, all of them; `each` sees what each one came to.
///
/// # Errors
/// As [`to_end`].
pub(super) async fn orders(
    settings: &broker::Settings,
    mut each: impl FnMut(&Orders, &Record),
) -> Result<Orders, Failure> {
    let mut orders = Orders::default();
    let take = |entry: Entry| {
        if let Some(record) = Record::read(&entry.body) {
            orders.take(record.clone());
            each(&orders, &record);
        }
        Ok(())
    };
    to_end(settings, Stream::Control, 0, take).await?;
    Ok(orders)
}
