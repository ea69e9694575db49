//! The operator's stream from the command line: read to its end, and written to.

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    broker::{self, PublishOne, publish_once, topology::Names},
    campaign::{Order, Orders, Record},
    cli::Failure,
};

/// The content type of a record.
const CONTENT_TYPE: &str = "application/json";

/// All records there are now.
///
/// # Errors
/// When the broker cannot be used.
pub async fn read(settings: &broker::Settings) -> Result<Orders, Failure> {
    let (orders, _) = super::read::orders(settings, |_, _| {}).await?;
    Ok(orders)
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
