//! What a publisher writes never becomes a series: neither its name, nor reasons, nor ids.

use std::collections::BTreeSet;

use revoker::{
    campaign::{Manifest, Order, Record},
    event::{Lane, Message},
    settle::outcome::Outcome,
    telemetry::metrics::CAMPAIGNS_MAX,
};
use serde_json::json;

use super::{
    event,
    orders::{OLD, Operator, SECOND},
    world::World,
};
use crate::campaign::{manifest, started};

/// Events, and as many reasons, campaign ids and publishers.
const EVENTS: u64 = 10_000;
/// Series a worker may export, `process_*` included.
const SERIES_MAX: usize = 1_000;
/// Bytes of a scrape.
const SCRAPE_BYTES_MAX: usize = 100 * 1024;

/// Names and labels, without values.
fn series(world: &World) -> BTreeSet<String> {
    let text = world.metrics.render();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
    names.collect()
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_reasons_campaigns_and_publishers_make_no_series() {
    let world = World::plain();
    let before = series(&world);
    for n in 1..=EVENTS {
        world.stytch.open(n, n, OLD);
        let changes =
            json!({ "campaign_id": format!("campaign-{n}"), "reason": format!("reason_{n}") });
        world.publish(Message {
            lane: Lane::ALL[(n % 2) as usize],
            publisher: format!("publisher-{n}"),
            ..event(n, changes)
        });
    }
    world.settled(400 * SECOND).await;
    assert_eq!(series(&world), before);
    let others = ["campaign=\"_other\"", "outcome=\"revoked\""];
    let bulk = EVENTS as f64 / 2.0;
    assert_eq!(world.total("revoker_campaign_events_total", &others), bulk);

    // The longest id there can be, more often than any is shown.
    let operator = Operator::new(&world);
    for n in 0..2 * CAMPAIGNS_MAX {
        operator.orders(started(&format!("{n:064}"), "auth"));
    }
    world.worker.show_campaigns();
    let after = series(&world);
    let each = 1 + Outcome::ALL.len();
    assert_eq!(after.len(), before.len() + CAMPAIGNS_MAX * each);
    assert!(after.len() <= SERIES_MAX, "{} series", after.len());
    let bytes = world.metrics.render().len();
    assert!(bytes <= SCRAPE_BYTES_MAX, "{bytes} bytes");
}

/// Campaigns are known from the operator's stream, the newest first, and their events counted by id.
#[tokio::test(start_paused = true)]
async fn campaigns_of_the_operators_stream_are_counted_by_their_id() {
    let world = World::plain();
    let operator = Operator::new(&world);
    let expected = "revoker_campaign_expected_events";
    for n in 0..=CAMPAIGNS_MAX as u64 {
        let order = Order::CampaignStarted(Manifest {
            expected: 10 + n,
            ..manifest(&format!("c{n}"), "auth", 1)
        });
        let at = super::world::wall() + SECOND * n as u32;
        let record = Record::new(order, "ops@example".into(), None, at);
        operator.says(record.write()).unwrap();
    }
    assert_eq!(world.total(expected, &["campaign=\"c8\""]), 0.0, "not yet");
    world.worker.show_campaigns();
    assert_eq!(world.total(expected, &["campaign=\"c8\""]), 18.0);
    assert_eq!(world.total(expected, &["campaign=\"_other\""]), 10.0);
    for n in 1..=5 {
        world.stytch.open(n, n, OLD);
        let campaign = if n < 4 { "c8" } else { "c0" };
        let event = event(n, json!({ "campaign_id": campaign }));
        let publisher = if n == 3 { "stranger" } else { "auth" };
        world.publish(Message {
            lane: Lane::Bulk,
            publisher: publisher.into(),
            ..event
        });
    }
    world.settled(SECOND).await;
    let revoked = |campaign: &str| {
        let labels = [&*format!("campaign=\"{campaign}\""), "outcome=\"revoked\""];
        world.total("revoker_campaign_events_total", &labels)
    };
    assert_eq!((revoked("c8"), revoked("_other")), (2.0, 3.0));
}
