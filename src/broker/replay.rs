//! Sending dead letters back to their lanes, each confirmed before it may be removed.
//!
//! Not the worker's publisher, which belongs to a session, nor `feed`, which publishes as any publisher
//! would: here the return exchange is written to, where our own headers are believed.

use lapin::{Channel, Connection};
use tokio::time::timeout;

use super::{
    Error, Role, Settings,
    confirms::confirming,
    declare::in_time,
    dial::dial,
    feed::confirmed,
    headers,
    publish::{mandatory, short},
    survey::FAREWELL_MAX,
    topology::Names,
};
use crate::settle::letter::Replay;

/// The way back, on a connection of its own: a broker in need blocks those that publish, and removing
/// must not wait for that.
pub struct WayBack {
    connection: Connection,
    channel: Channel,
    names: Names,
}

impl WayBack {
    /// Connects.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses us.
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        let connection = dial(settings, Role::Publisher).await?;
        Ok(Self {
            channel: confirming(&connection).await?,
            connection,
            names: Names::new(&settings.prefix),
        })
    }

    /// Sends one letter, and waits until a queue has it: for as long as the broker blocks us.
    ///
    /// # Errors
    /// When no queue takes it, our user may not write there, or the broker is gone: it may have arrived
    /// all the same.
    pub async fn send(&self, replay: &Replay, body: &[u8]) -> Result<(), Error> {
        let publish = self.channel.basic_publish(
            short(&self.names.back(replay.lane)),
            short(&replay.publisher),
            mandatory(),
            body,
            headers::fresh(&replay.properties, &replay.headers),
        );
        let confirm = in_time("publish", publish).await?;
        confirmed(&self.connection, confirm).await
    }

    /// Leaves.
    pub async fn close(self) {
        let _ = timeout(FAREWELL_MAX, self.connection.close(200, "done".into())).await;
    }
}
