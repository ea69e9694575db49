//! Publishing, as a careful publisher does: persistent, mandatory, confirmed.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    Confirmation, Connection,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::time::{sleep, timeout};

use super::{Event, broker::Broker};

/// Publishes whose confirm is awaited at the same time.
const CONFIRMS_IN_FLIGHT_MAX: usize = 500;
/// How long a round of an outbox waits for its confirms: they may wait for a broker in an alarm.
const CONFIRMS_MAX: Duration = Duration::from_secs(60);
/// Events that an outbox sends at once.
const CHUNK: usize = 20;
/// Between those.
const CHUNK_EVERY: Duration = Duration::from_millis(40);

impl Broker {
    /// Publishes events, each confirmed.
    pub(crate) async fn publish(&self, events: &[Event]) {
        let (connection, mut confirmed) = (self.connect().await, BTreeSet::new());
        let published = self.publish_over(&connection, events, &mut confirmed).await;
        published.expect("the broker must take events");
        assert_eq!(confirmed.len(), events.len(), "events were not confirmed");
    }

    /// Publishes one event.
    pub(crate) async fn publish_one(&self, event: &Event) {
        self.publish(std::slice::from_ref(event)).await;
    }

    /// Publishes until all are confirmed or the connection breaks; returns the places of those that
    /// were confirmed. Of the others it is unknown whether they arrived, unless they were refused; but without any connection,
    /// `None`, none of them did.
    ///
    /// # Panics
    /// When the broker returns one.
    pub(crate) async fn try_publish(&self, events: &[Event]) -> Option<BTreeSet<usize>> {
        // The library has no time-outs, and now and then never tells of a connection that broke.
        let connection = timeout(CONFIRMS_MAX, self.try_connect()).await.ok()?.ok()?;
        let mut confirmed = BTreeSet::new();
        // An error is the connection's end: what is confirmed by then counts.
        let publishing = self.publish_over(&connection, events, &mut confirmed);
        let _ = timeout(CONFIRMS_MAX, publishing).await;
        Some(confirmed)
    }

    /// Publishes as a publisher with an outbox does: what is not confirmed is sent again. Takes its time,
    /// so that there is something to publish while the broker is away. Returns how many events were sent
    /// again, which may have arrived twice.
    pub(crate) async fn publish_as_outbox(&self, events: &[Event]) -> u64 {
        let mut resent = 0;
        for chunk in events.chunks(CHUNK) {
            let mut left = chunk.to_vec();
            while !left.is_empty() {
                if let Some(confirmed) = self.try_publish(&left).await {
                    let mut place = 0..;
                    left.retain(|_| !place.next().is_some_and(|at| confirmed.contains(&at)));
                    resent += left.len() as u64;
                }
                sleep(CHUNK_EVERY).await;
            }
        }
        resent
    }

    async fn publish_over(
        &self,
        connection: &Connection,
        events: &[Event],
        confirmed: &mut BTreeSet<usize>,
    ) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        let options = ConfirmSelectOptions::default();
        channel.confirm_select(options).await?;
        let mandatory = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let mut confirms = FuturesUnordered::new();
        for (place, event) in events.iter().enumerate() {
            let exchange = match event.exchange.as_str() {
                "" => String::new(),
                name => self.name(name),
            };
            let confirm = channel
                .basic_publish(
                    exchange.into(),
                    event.publisher.as_str().into(),
                    mandatory,
                    &event.body,
                    event.properties.clone(),
                )
                .await?;
            confirms.push(async move { (place, confirm.await) });
            if confirms.len() >= CONFIRMS_IN_FLIGHT_MAX {
                let next = confirms.next().await.expect("some are in flight");
                confirmed.extend(check(next)?);
            }
        }
        while let Some(next) = confirms.next().await {
            confirmed.extend(check(next)?);
        }
        channel.close(200, "published".into()).await
    }
}

/// The event's place if it was confirmed. A refusal is what a queue without a leader answers.
fn check((place, confirm): (usize, lapin::Result<Confirmation>)) -> lapin::Result<Option<usize>> {
    match confirm? {
        Confirmation::Ack(None) => Ok(Some(place)),
        Confirmation::Nack(_) => Ok(None),
        other => panic!("event {place} was not taken: {other:?}"),
    }
}
