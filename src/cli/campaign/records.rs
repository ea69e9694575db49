//! The operator's stream from the command line: read to its end, and written to.

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    broker::{
        self, PublishOne, publish_once,
        stream::{Stream, Tail},
        topology::Names,
    },
    campaign::{Order, Orders, Record},
    cli::Failure,
};

/// The content type of a record.
const CONTENT_TYPE: &str = "application/json";

/// Reads all records there are now; the stream stays open for what follows.
///
/// # Errors
/// When the broker cannot be used.
pub async fn read(settings: &broker::Settings) -> Result<(Orders, Tail), Failure> {
    let mut tail = Tail::open(settings, Stream::Control, 0)
        .await
        .map_err(failure)?;
    let (mut orders, mut read) = (Orders::default(), None);
    while tail.has_more(read) {
        let entry = tail.next().await?;
        read = Some(entry.offset);
        if let Some(record) = Record::read(&entry.body) {
            orders.take(record);
        }
    }
    Ok((orders, tail))
}

/// A record as a message.
pub fn message(settings: &broker::Settings, record: &Record) -> PublishOne {
    PublishOne {
        exchange: Names::new(&settings.prefix).control(),
        routing_key: record.routing_key(),
        body: Bytes::from(record.write()),
        content_type: CONTENT_TYPE.to_owned(),
        message_id: uuid::Uuid::new_v4().to_string(),
    }
}

/// Writes one record, confirmed.
///
/// # Errors
/// When the broker does not take it.
pub async fn write(
    settings: &broker::Settings,
    order: Order,
    by: &str,
    why: Option<&str>,
) -> Result<(), Failure> {
    let record = Record::new(
        order,
        by.to_owned(),
        why.map(str::to_owned),
        Timestamp::now(),
    );
    publish_once(settings, message(settings, &record))
        .await
        .map_err(failure)
}

/// The broker's error; what lacks was never declared, and a right that lacks is named.
pub fn failure(error: broker::Error) -> Failure {
    match error {
        broker::Error::Missing(said) => Failure::Failed(anyhow::anyhow!(
            "{said}; start a worker with the same vhost and REVOKER_PREFIX, which declares it"
        )),
        error => error.into(),
    }
}
