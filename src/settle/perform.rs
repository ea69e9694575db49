//! Publishing what follows from a message, before it is acked.
//!
//! A publish that fails is tried again for as long as the delivery is ours: the original stays
//! unacked meanwhile, so nothing can be lost, and a fault of the broker never becomes a dead letter.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{Outbox, Outgoing, PublishError};
use crate::event::Lane;

/// First wait before a failed publish is tried again; doubles up to [`AGAIN_MAX`].
const AGAIN_FIRST: Duration = Duration::from_millis(250);
/// Longest wait before a failed publish is tried again.
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// After this long without a confirmed outcome, urgent no longer waits for one.
pub const AUDIT_PATIENCE: Duration = Duration::from_secs(30);

/// The link went down: the broker gives the message out again.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkDown;

/// Publishes until it is confirmed.
///
/// # Errors
/// [`LinkDown`] when the delivery is no longer ours.
pub async fn until_confirmed<O: Outbox>(outbox: &O, message: &Outgoing) -> Result<(), LinkDown> {
    let mut again = AGAIN_FIRST;
    loop {
        match outbox.publish(message).await {
            Ok(()) => return Ok(()),
            Err(PublishError::LinkDown) => return Err(LinkDown),
            Err(_) if !outbox.is_up() => return Err(LinkDown),
            Err(error) => {
                tracing::warn!(
                    queue = ?message.to,
                    delay_ms = again.as_millis() as u64,
                    next = "publish again, the event stays unacked",
                    "publish failed: {error}"
                );
                wait(again, outbox).await?;
                again = (again * 2).min(AGAIN_MAX);
            }
        }
    }
}

/// Waits before the next try, for as long as the delivery is ours.
async fn wait<O: Outbox>(delay: Duration, outbox: &O) -> Result<(), LinkDown> {
    tokio::select! {
        () = sleep(delay) => Ok(()),
        () = outbox.down() => Err(LinkDown),
    }
}

/// Since when outcomes cannot be confirmed; shared by all messages of a worker.
#[derive(Debug, Default)]
pub struct Audit {
    failing_since: Mutex<Option<Instant>>,
}

/// Whether an outcome is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Confirmed by the broker.
    Yes,
    /// Only in the log: the audit stream has been failing for longer than [`AUDIT_PATIENCE`].
    OnlyLogged,
}

impl Audit {
    /// Whether outcomes have been failing for longer than [`AUDIT_PATIENCE`].
    pub fn is_broken(&self) -> bool {
        self.since()
            .is_some_and(|since| since.elapsed() >= AUDIT_PATIENCE)
    }

    /// Publishes an outcome. Bulk waits until it is confirmed, since a campaign's proof must be
    /// whole; urgent waits no longer than [`AUDIT_PATIENCE`].
    ///
    /// # Errors
    /// [`LinkDown`] when the delivery is no longer ours.
    pub async fn record<O: Outbox>(
        &self,
        outbox: &O,
        lane: Lane,
        message: &Outgoing,
    ) -> Result<Recorded, LinkDown> {
        let mut again = AGAIN_FIRST;
        loop {
            let error = match outbox.publish(message).await {
                Ok(()) => {
                    self.set_since(None);
                    return Ok(Recorded::Yes);
                }
                Err(PublishError::LinkDown) => return Err(LinkDown),
                Err(_) if !outbox.is_up() => return Err(LinkDown),
                Err(error) => error,
            };
            if self.since().is_none() {
                tracing::warn!("outcome not recorded: {error}");
                self.set_since(Some(Instant::now()));
            }
            if lane == Lane::Urgent && self.is_broken() {
                return Ok(Recorded::OnlyLogged);
            }
            wait(again, outbox).await?;
            again = (again * 2).min(AGAIN_MAX);
        }
    }

    fn since(&self) -> Option<Instant> {
        *self
            .failing_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn set_since(&self, since: Option<Instant>) {
        *self
            .failing_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = since;
    }
}
