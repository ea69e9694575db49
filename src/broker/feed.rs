//! Publishing many messages, as an operator: pipelined, every one confirmed, over lost connections.
//!
//! Not the worker's publisher: that one belongs to a session and gives up with it. What is not confirmed
//! when a connection is lost is published again on the next: a message may arrive twice, none is lost.

use std::{collections::VecDeque, time::Duration};

use lapin::{Channel, Confirmation, Connection, PublisherConfirm};
use tokio::time::{Instant, sleep, timeout};

use super::{
    CALL_MAX, Error, Role, Settings,
    confirms::confirming,
    declare::in_time,
    dial::dial,
    explain,
    publish::{PublishOne, mandatory, properties, short},
    survey::FAREWELL_MAX,
};
use crate::settle::PublishError;

/// Messages on their way at once: as many as keep the broker busy, and few enough to send again.
const WINDOW: usize = 1_000;
/// First wait before a new try; doubles up to [`AGAIN_MAX`].
const AGAIN_FIRST: Duration = Duration::from_millis(500);
/// Longest wait before a new try.
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// How often a blocked publish looks whether it still is.
const BLOCKED_LOOK: Duration = Duration::from_secs(1);

/// A way to the broker for many messages.
pub struct Feed {
    settings: Settings,
    link: Option<(Connection, Channel)>,
    /// Sent and not confirmed, the oldest first; without a confirm: to be sent again.
    waiting: VecDeque<(PublishOne, Option<PublisherConfirm>)>,
    patience: Duration,
}

impl Feed {
    /// Connects. `patience` is how long a broker may be away later on.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses us.
    pub async fn open(settings: &Settings, patience: Duration) -> Result<Self, Error> {
        let link = connect(settings).await?;
        Ok(Self {
            settings: settings.clone(),
            link: Some(link),
            waiting: VecDeque::new(),
            patience,
        })
    }

    /// Publishes; waits for the oldest confirm when many are on their way.
    ///
    /// # Errors
    /// When no queue takes the message, or the broker has been away for longer than the patience.
    pub async fn publish(&mut self, message: PublishOne) -> Result<(), Error> {
        self.waiting.push_back((message, None));
        let sent = self.send_last().await;
        self.mended(sent).await?;
        while self.waiting.len() >= WINDOW {
            self.settle_oldest().await?;
        }
        Ok(())
    }

    /// Waits until everything is confirmed.
    ///
    /// # Errors
    /// As [`Feed::publish`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        while !self.waiting.is_empty() {
            self.settle_oldest().await?;
        }
        Ok(())
    }

    /// Leaves.
    pub async fn close(self) {
        if let Some((connection, _)) = self.link {
            let _ = timeout(FAREWELL_MAX, connection.close(200, "done".into())).await;
        }
    }

    async fn send_last(&mut self) -> Result<(), Error> {
        let (Some((_, channel)), Some((message, confirm))) = (&self.link, self.waiting.back_mut())
        else {
            return Ok(());
        };
        *confirm = Some(send(channel, message).await?);
        Ok(())
    }

    /// Takes the oldest confirm; one that was refused goes to the end of the line.
    async fn settle_oldest(&mut self) -> Result<(), Error> {
        let Some((message, confirm)) = self.waiting.pop_front() else {
            return Ok(());
        };
        let answer = match (confirm, &self.link) {
            (Some(confirm), Some((connection, _))) => confirmed(connection, confirm).await,
            _ => Err(Error::Unreachable("the connection is gone".into())),
        };
        match answer {
            Ok(()) => Ok(()),
            Err(Error::Publish(PublishError::Nacked)) => {
                sleep(AGAIN_FIRST).await;
                self.waiting.push_back((message, None));
                let sent = self.send_last().await;
                self.mended(sent).await
            }
            Err(error) => {
                self.waiting.push_front((message, None));
                self.mended(Err(error)).await
            }
        }
    }

    /// After a failure that a new connection may mend: connects again, and sends what is not confirmed.
    async fn mended(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        let Err(mut error) = result else {
            return Ok(());
        };
        let (until, mut again) = (Instant::now() + self.patience, AGAIN_FIRST);
        loop {
            if !may_pass(&error) || Instant::now() >= until {
                return Err(error);
            }
            self.link = None;
            tracing::warn!(
                delay_ms = again.as_millis() as u64,
                next = "connect again",
                "{error}"
            );
            sleep(again.mul_f64(1.0 + fastrand::f64() / 2.0)).await;
            again = (again * 2).min(AGAIN_MAX);
            error = match self.begin_again().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
        }
    }

    async fn begin_again(&mut self) -> Result<(), Error> {
        let (connection, channel) = connect(&self.settings).await?;
        for (message, confirm) in &mut self.waiting {
            *confirm = Some(send(&channel, message).await?);
        }
        self.link = Some((connection, channel));
        Ok(())
    }
}

async fn connect(settings: &Settings) -> Result<(Connection, Channel), Error> {
    let connection = dial(settings, Role::Publisher).await?;
    let channel = confirming(&connection).await?;
    Ok((connection, channel))
}

async fn send(channel: &Channel, message: &PublishOne) -> Result<PublisherConfirm, Error> {
    let publish = channel.basic_publish(
        short(&message.exchange),
        short(&message.routing_key),
        mandatory(),
        &message.body,
        properties(message),
    );
    in_time("publish", publish).await
}

/// Waits for a confirm for as long as the broker blocks us, and no longer than a call may take otherwise.
pub(super) async fn confirmed(
    connection: &Connection,
    confirm: PublisherConfirm,
) -> Result<(), Error> {
    tokio::pin!(confirm);
    let mut waited = Duration::ZERO;
    let answer = loop {
        match timeout(BLOCKED_LOOK, &mut confirm).await {
            Ok(answer) => break answer,
            Err(_) if !connection.status().connected() => {
                return Err(Error::Unreachable("the connection is gone".into()));
            }
            Err(_) if connection.status().blocked() => waited = Duration::ZERO,
            Err(_) => waited += BLOCKED_LOOK,
        }
        if waited >= CALL_MAX {
            return Err(Error::TimedOut("confirm"));
        }
    };
    match answer {
        Ok(Confirmation::Ack(None)) => Ok(()),
        Ok(Confirmation::Ack(Some(_))) => Err(PublishError::Returned.into()),
        Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Err(PublishError::Nacked.into()),
        Err(error) => Err(explain::error(&error)),
    }
}

/// Whether a new connection may mend it.
fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable(_) | Error::TimedOut(_) | Error::Blocked | Error::PasswordFile(_)
    )
}
