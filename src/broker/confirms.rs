//! A channel on which every publish is confirmed, opened anew when it is of no more use.
//!
//! That is when the broker has closed it, over a right we lack or an exchange that is gone; and when
//! the broker refuses what is published on it. A full quorum queue tells each channel when to stop and
//! when to go on, and RabbitMQ 3.10 does not say the latter when the limit itself was lifted: on that
//! channel everything would be refused for ever.

use std::time::Duration;

use lapin::{Channel, Connection, options::ConfirmSelectOptions};
use tokio::{sync::RwLock, time::Instant};

use super::{
    Error,
    declare::{in_time, open},
};

/// A channel that has refused is replaced only when it is older: while the queue is full, a new one
/// refuses as well.
const REFUSES_FOR_MIN: Duration = Duration::from_secs(5);

/// The channel there is now.
pub(super) struct Confirms(RwLock<Opened>);

struct Opened {
    channel: Channel,
    at: Instant,
}

impl Confirms {
    pub(super) async fn open(connection: &Connection) -> Result<Self, Error> {
        Opened::new(connection).await.map(RwLock::new).map(Self)
    }

    /// The channel to publish on. Held until the confirm is there: with its last holder it is closed.
    pub(super) async fn channel(&self, connection: &Connection) -> Result<Channel, Error> {
        let current = self.0.read().await.channel.clone();
        match current.status().connected() {
            true => Ok(current),
            false => self.replace(&current, connection).await,
        }
    }

    /// A publish on this channel was refused: the next may have to go on another.
    pub(super) async fn refused(
        &self,
        channel: &Channel,
        connection: &Connection,
    ) -> Result<(), Error> {
        if self.0.read().await.at.elapsed() < REFUSES_FOR_MIN {
            return Ok(());
        }
        self.replace(channel, connection).await.map(|_| ())
    }

    /// Unless somebody else has done so meanwhile.
    async fn replace(&self, old: &Channel, connection: &Connection) -> Result<Channel, Error> {
        let mut opened = self.0.write().await;
        if opened.channel.id() == old.id() {
            *opened = Opened::new(connection).await?;
        }
        Ok(opened.channel.clone())
    }
}

impl Opened {
    async fn new(connection: &Connection) -> Result<Self, Error> {
        Ok(Self {
            channel: confirming(connection).await?,
            at: Instant::now(),
        })
    }
}

/// A channel in confirm mode.
pub(super) async fn confirming(connection: &Connection) -> Result<Channel, Error> {
    let channel = open(connection).await?;
    let options = ConfirmSelectOptions { nowait: false };
    in_time("ask for confirms", channel.confirm_select(options)).await?;
    Ok(channel)
}
