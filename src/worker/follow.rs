//! Reads the operator's stream for as long as a session lasts, on its consuming connection.
//!
//! What fails here ends no session: urgent goes on, bulk waits, and it is tried again.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{Another, Worker};
use crate::{
    broker::{self, Stay, stream::Stream},
    revoke::Api,
};

/// Between a reading that has failed and the next, at least.
const AGAIN_MIN: Duration = Duration::from_secs(1);
/// A stream that has more, and gives out nothing for so long, cannot be read.
const SILENT_MAX: Duration = Duration::from_secs(15);
/// When reading fails, the session may be what has ended: that is known after so long.
const LOST_WITHIN: Duration = Duration::from_millis(500);

impl<A: Api> Worker<A> {
    /// Reads the operator's stream until the session has ended.
    pub(super) async fn follow(self: Arc<Self>, stay: Arc<Stay>) {
        tokio::select! {
            _ = stay.ended() => {}
            never = self.keep_reading(&stay) => match never {},
        }
    }

    async fn keep_reading(&self, stay: &Stay) -> Infallible {
        let (mut again, mut told) = (self.orders.wait(), String::new());
        loop {
            sleep(again).await;
            let read = self.read_orders(stay).await;
            again = self.orders.wait().max(AGAIN_MIN);
            let Err(error) = read else {
                continue; // it is another stream than before, and read from its beginning
            };
            // The session's own end is told by others, and brings another reading.
            sleep(LOST_WITHIN).await;
            self.orders.lost((self.wall)().checked_add(again).ok());
            log_unread(&error.to_string(), &mut told, again);
        }
    }

    /// Reads to the end and on, until that fails or the stream turns out to be another one.
    async fn read_orders(&self, stay: &Stay) -> Result<Another, broker::Error> {
        self.orders.try_to_read();
        let (from, mut reached) = self.orders.begin(stay.end_of(Stream::Control).await?);
        let mut reader = stay.read(Stream::Control, from).await?;
        let ended = loop {
            let next = match reached {
                true => reader.next().await,
                false => timeout(SILENT_MAX, reader.next())
                    .await
                    .unwrap_or(Err(broker::Error::TimedOut("read a stream"))),
            };
            match next.map(|entry| self.orders.take(&entry)) {
                Ok(Ok(end)) => {
                    reached |= end;
                    if reached {
                        self.show_campaigns();
                    }
                }
                Ok(Err(another)) => break Ok(another),
                Err(error) => break Err(error),
            }
        };
        reader.close().await;
        ended
    }
}

/// One line for what is wrong; while it lasts the state's own line repeats it, not each new try.
fn log_unread(error: &str, told: &mut String, again: Duration) {
    let (delay_ms, next) = (again.as_millis() as u64, "read again; bulk waits");
    if error == told {
        tracing::debug!(
            delay_ms,
            next,
            "the operator's stream cannot be read: {error}"
        );
        return;
    }
    tracing::warn!(
        delay_ms,
        next,
        "the operator's stream cannot be read: {error}"
    );
    error.clone_into(told);
}
