//! Taking away everything under a prefix: only ever what a drill has made.

use lapin::{
    options::{ExchangeDeleteOptions, QueueDeleteOptions},
    types::ShortString,
};
use tokio::time::timeout;

use super::{
    Error, Settings,
    declare::{in_time, open},
    dial::dial_as,
    survey::FAREWELL_MAX,
    topology::topology,
};

/// What the prefix of a drill begins with: nothing else is ever removed.
pub const DRILL_PREFIX: &str = "drill-";

/// Removes all queues and exchanges of a drill.
///
/// # Errors
/// When the prefix is none of a drill's, and when the broker does not remove them.
pub async fn remove(settings: &Settings) -> Result<(), Error> {
    if !settings.prefix.starts_with(DRILL_PREFIX) {
        let text = format!(
            "{} is not the prefix of a drill: nothing is removed",
            settings.prefix
        );
        return Err(Error::Mismatch(text));
    }
    let all = topology(
        &settings.prefix,
        &settings.project_id,
        &settings.retry_delays,
    );
    let connection = dial_as("drill, removing", settings, None).await?;
    let channel = open(&connection).await?;
    for queue in &all.queues {
        let options = QueueDeleteOptions {
            if_unused: false, // its worker has ended
            if_empty: false,  // nothing in it is real
            nowait: false,    // the answer is what we want
        };
        let name = ShortString::from(queue.name.as_str());
        in_time("delete a queue", channel.queue_delete(name, options)).await?;
    }
    for exchange in all.exchanges.iter().chain([&all.owner.0]) {
        let options = ExchangeDeleteOptions {
            if_unused: false, // its queues are gone
            nowait: false,    // the answer is what we want
        };
        let name = ShortString::from(exchange.as_str());
        in_time("delete an exchange", channel.exchange_delete(name, options)).await?;
    }
    let _ = timeout(FAREWELL_MAX, connection.close(200, "removed".into())).await;
    Ok(())
}
