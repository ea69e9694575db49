//! Publishing, as a careful publisher does: persistent, mandatory, confirmed.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    Confirmation, Connection,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};

use super::{Event, broker::Broker};

/// Publishes whose confirm is awaited at the same time.
const CONFIRMS_IN_FLIGHT_MAX: usize = 500;

impl Broker {
    /// Publishes events, each confirmed.
    pub(crate) async fn publish(&self, events: &[Event]) {
        let confirmed = self.try_publish(events).await;
        let confirmed = confirmed.expect("the broker must accept a connection");
        assert_eq!(confirmed.len(), events.len(), "events were not confirmed");
    }

    /// Publishes one event.
    pub(crate) async fn publish_one(&self, event: &Event) {
        self.publish(std::slice::from_ref(event)).await;
    }

    /// Publishes until all are confirmed or the connection breaks; returns the places of those that
    /// were confirmed. Of the others it is unknown whether they arrived; but without any connection,
    /// `None`, none of them did.
    ///
    /// # Panics
    /// When the broker refuses or returns one.
    pub(crate) async fn try_publish(&self, events: &[Event]) -> Option<BTreeSet<usize>> {
        let connection = self.try_connect().await.ok()?;
        let mut confirmed = BTreeSet::new();
        // An error is the connection's end: what is confirmed by then counts.
        let _ = self.publish_over(&connection, events, &mut confirmed).await;
        Some(confirmed)
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
            let confirm = channel
                .basic_publish(
                    self.name(&event.exchange).into(),
                    event.publisher.as_str().into(),
                    mandatory,
                    &event.body,
                    event.properties.clone(),
                )
                .await?;
            confirms.push(async move { (place, confirm.await) });
            if confirms.len() >= CONFIRMS_IN_FLIGHT_MAX {
                let next = confirms.next().await.expect("some are in flight");
                confirmed.insert(check(next)?);
            }
        }
        while let Some(next) = confirms.next().await {
            confirmed.insert(check(next)?);
        }
        channel.close(200, "published".into()).await
    }
}

fn check((place, confirm): (usize, lapin::Result<Confirmation>)) -> lapin::Result<usize> {
    match confirm? {
        Confirmation::Ack(None) => Ok(place),
        other => panic!("event {place} was not taken: {other:?}"),
    }
}
