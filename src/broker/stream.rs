//! Reading a stream over AMQP 0-9-1: the operator's records and the outcomes.
//!
//! A stream keeps what was read, so reading it disturbs nobody. Nothing in it marks its end, and its
//! message count is 0 on RabbitMQ 3.10: the end is what the broker gives out from `last`, which is its
//! last chunk, until it falls silent.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::{
    Acker, Channel, Connection, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Error, Settings,
    connect::Stay,
    declare::{in_time, open},
    dial::dial_as,
    survey::FAREWELL_MAX,
    topology::Names,
};

/// Entries that are on their way to us at once. A stream is only read with a limit, and only while
/// entries are acknowledged, which removes nothing.
const PREFETCH: u16 = 2_000;
/// Acknowledged together.
const ACK_EVERY: u16 = 200;
/// Longest frame on the command line's connections, bytes. The library keeps buffers of 64 frames for a
/// connection: at RabbitMQ's own 128 KiB that is 8 MiB. Longer bodies are cut into frames.
const FRAME_BYTES_MAX: u32 = 16 * 1024;
/// What the command line's connections are called.
const NAME: &str = "campaign, reading";
/// A stream that gives out nothing from `last` for so long is empty.
const EMPTY_AFTER: Duration = Duration::from_secs(3);
/// The last chunk has come whole when nothing follows for so long.
const SILENT_AFTER: Duration = Duration::from_millis(300);
/// What comes after so long is new, on a stream that is never silent.
const CHUNK_MAX: Duration = Duration::from_secs(2);

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The operator's records, `R.control`.
    Control,
    /// Outcomes, `R.audit`.
    Audit,
}

impl Stream {
    /// Its name.
    pub fn name(self, names: &Names) -> String {
        match self {
            Self::Control => names.control(),
            Self::Audit => names.audit(),
        }
    }
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place in the stream, which never changes; the first is 0.
    pub offset: u64,
    /// The body.
    pub body: Vec<u8>,
}

/// A stream being read, on a channel of its own.
pub struct Reader {
    channel: Channel,
    consumer: Consumer,
    /// The last entry that was given out, and how many are not acknowledged.
    given: (Option<Acker>, u16),
}

/// A stream being read on a connection of its own, by the command line.
pub struct Tail {
    connection: Connection,
    reader: Reader,
    /// The offset of the last entry when it was opened; `None` if there was none, or nobody asked.
    pub end: Option<u64>,
}

enum From {
    Last,
    Offset(u64),
}

impl Reader {
    /// Reads from the entry with this offset on; from the first that is left if that one is gone.
    ///
    /// # Errors
    /// When there is no such stream, our user may not read it, or the broker cannot be used.
    pub async fn open(connection: &Connection, stream: &str, offset: u64) -> Result<Self, Error> {
        Self::open_from(connection, stream, From::Offset(offset)).await
    }

    async fn open_from(connection: &Connection, stream: &str, from: From) -> Result<Self, Error> {
        let channel = open(connection).await?;
        let qos = BasicQosOptions { global: false };
        in_time("set the prefetch", channel.basic_qos(PREFETCH, qos)).await?;
        let options = BasicConsumeOptions {
            no_local: false,  // not implemented by RabbitMQ
            no_ack: false,    // a stream is only read with acks
            exclusive: false, // everybody reads all of it
            nowait: false,    // the answer is what we want
        };
        let mut arguments = FieldTable::default();
        let offset = match from {
            From::Last => AMQPValue::LongString("last".into()),
            From::Offset(offset) => {
                AMQPValue::LongLongInt(i64::try_from(offset).unwrap_or(i64::MAX))
            }
        };
        arguments.insert("x-stream-offset".into(), offset);
        let consumed = channel.basic_consume(stream.into(), "".into(), options, arguments);
        Ok(Self {
            consumer: in_time("read a stream", consumed).await?,
            channel,
            given: (None, 0),
        })
    }

    /// The next entry; waits for as long as there is none. May be given up at any time: what has come is
    /// given out before anything else is waited for.
    ///
    /// # Errors
    /// When the stream is deleted or the connection is gone.
    pub async fn next(&mut self) -> Result<Entry, Error> {
        if self.given.1 >= ACK_EVERY {
            self.acknowledge().await?;
        }
        let next = match self.consumer.next().now_or_never() {
            Some(next) => next,
            None => {
                // The broker closes a channel that keeps an entry for long (its `consumer_timeout`).
                self.acknowledge().await?;
                self.consumer.next().await
            }
        };
        let delivery = match next {
            Some(Ok(delivery)) => delivery,
            Some(Err(error)) => return Err(super::explain::error(&error)),
            None => return Err(Error::Unreachable("the stream ended".into())),
        };
        self.given = (Some(delivery.acker.clone()), self.given.1 + 1);
        entry(delivery)
    }

    async fn acknowledge(&mut self) -> Result<(), Error> {
        if let (Some(acker), _) = std::mem::take(&mut self.given) {
            let options = BasicAckOptions { multiple: true };
            in_time("acknowledge", acker.ack(options)).await?;
        }
        Ok(())
    }

    /// Ends it.
    pub async fn close(self) {
        let _ = timeout(FAREWELL_MAX, self.channel.close(200, "read".into())).await;
    }
}

fn entry(delivery: Delivery) -> Result<Entry, Error> {
    let headers = delivery.properties.headers().as_ref();
    let offset = headers.and_then(|headers| headers.inner().get("x-stream-offset"));
    match offset {
        Some(AMQPValue::LongLongInt(offset)) => Ok(Entry {
            offset: u64::try_from(*offset).unwrap_or(0),
            body: delivery.data,
        }),
        _ => Err(Error::Mismatch(format!(
            "{} is not a stream: what it gives out has no x-stream-offset",
            delivery.exchange
        ))),
    }
}

/// The offset of a stream's last entry; `None` if it has none.
///
/// # Errors
/// As [`Reader::open`].
pub async fn end(connection: &Connection, stream: &str) -> Result<Option<u64>, Error> {
    let mut reader = Reader::open_from(connection, stream, From::Last).await?;
    let last = last_of(&mut reader).await;
    reader.close().await;
    last
}

async fn last_of(reader: &mut Reader) -> Result<Option<u64>, Error> {
    let mut last = None;
    let (mut silent, mut chunk_over) = (Instant::now() + EMPTY_AFTER, None);
    while let Ok(entry) = timeout_at(silent, reader.next()).await {
        let now = Instant::now();
        last = last.max(Some(entry?.offset));
        let over = *chunk_over.get_or_insert(now + CHUNK_MAX);
        silent = over.min(now + SILENT_AFTER);
    }
    Ok(last)
}

impl Stay {
    /// The offset of a stream's last entry, asked on the session's consuming connection; `None` if it has
    /// none. An error ends no session by itself.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub async fn end_of(&self, stream: Stream) -> Result<Option<u64>, Error> {
        end(&self.0.connection, &stream.name(&self.0.names)).await
    }

    /// Reads a stream from this offset on, on that connection.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub async fn read(&self, stream: Stream, offset: u64) -> Result<Reader, Error> {
        Reader::open(&self.0.connection, &stream.name(&self.0.names), offset).await
    }
}

impl Tail {
    /// Connects, finds the end, and reads from this offset on.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses us, or there is no such stream.
    pub async fn open(settings: &Settings, stream: Stream, offset: u64) -> Result<Self, Error> {
        Self::open_at(settings, stream, |_| offset).await
    }

    async fn open_at(
        settings: &Settings,
        stream: Stream,
        offset: impl Fn(Option<u64>) -> u64,
    ) -> Result<Self, Error> {
        let connection = dial_as(NAME, settings, Some(FRAME_BYTES_MAX)).await?;
        let name = stream.name(&Names::new(&settings.prefix));
        let end = end(&connection, &name).await?;
        Ok(Self {
            reader: Reader::open(&connection, &name, offset(end)).await?,
            connection,
            end,
        })
    }

    /// Connects and reads from this offset on, without asking for the end.
    ///
    /// # Errors
    /// As [`Tail::open`].
    pub async fn follow(settings: &Settings, stream: Stream, offset: u64) -> Result<Self, Error> {
        let connection = dial_as(NAME, settings, Some(FRAME_BYTES_MAX)).await?;
        let name = stream.name(&Names::new(&settings.prefix));
        Ok(Self {
            reader: Reader::open(&connection, &name, offset).await?,
            connection,
            end: None,
        })
    }

    /// As [`Tail::open`], from so many entries before the end on.
    ///
    /// # Errors
    /// As [`Tail::open`].
    pub async fn open_near_end(
        settings: &Settings,
        stream: Stream,
        back: u64,
    ) -> Result<Self, Error> {
        Self::open_at(settings, stream, |end| {
            end.map_or(0, |end| end.saturating_sub(back))
        })
        .await
    }

    /// The next entry; waits for as long as there is none.
    ///
    /// # Errors
    /// When the stream is deleted or the connection is gone: open another from where this one was.
    pub async fn next(&mut self) -> Result<Entry, Error> {
        self.reader.next().await
    }

    /// Whether entries up to its end, as it was when this was opened, are left after this one.
    pub fn has_more(&self, read: Option<u64>) -> bool {
        read < self.end
    }

    /// Leaves.
    pub async fn close(self) {
        let _ = timeout(FAREWELL_MAX, self.connection.close(200, "read".into())).await;
    }
}
