//! What the operator orders: bulk waits until it is read and does as it says, urgent never asks.

use std::{cell::Cell, time::Duration};

use revoker::{
    broker::stream::Entry,
    campaign::{Order, Record},
    event::{Lane, Message},
    telemetry::State,
    worker::Another,
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    bulk, event,
    world::{Setup, World, wall},
};
use crate::campaign::{about, started};

pub(super) const OLD: &str = "2026-11-22T06:00:00Z";
pub(super) const CAMPAIGN: &str = "breach";
pub(super) const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Writes the operator's stream, and reads it to the worker.
pub(super) struct Operator<'w> {
    world: &'w World,
    pub(super) next: Cell<u64>,
}

impl<'w> Operator<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let next = Cell::new(0);
        Self { world, next }
    }

    /// The next record; true if the worker has all that it waited for.
    pub(super) fn orders(&self, order: Order) -> bool {
        let record = Record::new(order, "ops@example".into(), None, wall());
        self.says(record.write()).unwrap()
    }

    pub(super) fn says(&self, body: Vec<u8>) -> Result<bool, Another> {
        let offset = self.next.replace(self.next.get() + 1);
        self.world.worker.orders.take(&Entry { offset, body })
    }
}

/// Event `n` of a campaign.
pub(super) fn of(campaign: &str, n: u64) -> Message {
    let lane = Lane::Bulk;
    let event = event(n, json!({ "campaign_id": campaign }));
    Message { lane, ..event }
}

pub(super) fn unread() -> World {
    let setup = Setup {
        orders_read: false,
        ..Setup::default()
    };
    World::new(&setup, 1)
}

/// So many revokes a second, and no more.
fn paced(rate: f64) -> Setup {
    let mut setup = Setup::default();
    (setup.gate.start_rate, setup.gate.max_rate) = (rate, Some(rate));
    setup
}

pub(super) fn publish(world: &World, messages: impl IntoIterator<Item = (u64, Message)>) {
    for (n, message) in messages {
        world.stytch.open(n, n, OLD);
        world.publish(message);
    }
}

fn alive(world: &World, mut numbers: impl Iterator<Item = u64>) -> bool {
    numbers.all(|n| world.stytch.is_alive(n))
}

pub(super) fn outcomes(world: &World, word: &str) -> usize {
    let outcomes = world.broker.outcomes();
    outcomes.iter().filter(|o| o["outcome"] == word).count()
}

/// A cancel that stands in the stream before the worker starts is never overtaken.
#[tokio::test(start_paused = true)]
async fn bulk_waits_until_the_orders_are_read_to_their_end() {
    let world = unread();
    publish(&world, (1..=20).map(|n| (n, of(CAMPAIGN, n))));
    publish(&world, (21..=25).map(|n| (n, bulk(n))));
    publish(&world, (26..=28).map(|n| (n, event(n, json!({})))));
    let operator = Operator::new(&world);
    assert_eq!(world.worker.orders.begin(Some(2)), (0, false));
    assert!(!operator.orders(started(CAMPAIGN, "auth")));
    assert!(!operator.orders(started("another", "auth")));
    sleep(10 * SECOND).await;
    assert!(alive(&world, 1..=25), "bulk waits");
    assert!((26..=28).all(|n| !world.stytch.is_alive(n)), "urgent goes");
    assert_eq!(world.worker.board.snapshot().state, State::Running);
    assert!(operator.orders(about(Order::CampaignCancelled, CAMPAIGN)));
    world.settled(SECOND).await;
    assert!(alive(&world, 1..=20), "a cancelled event called");
    assert_eq!(
        (outcomes(&world, "cancelled"), outcomes(&world, "revoked")),
        (20, 8)
    );
    let cancelled = &world.broker.outcomes()[3..];
    let first = cancelled
        .iter()
        .find(|o| o["outcome"] == "cancelled")
        .unwrap();
    assert_eq!(first["campaign_id"], CAMPAIGN);
    assert_eq!(first["attempts"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_ends_the_rest_at_once() {
    let world = World::new(&paced(10.0), 1);
    let operator = Operator::new(&world);
    operator.orders(started(CAMPAIGN, "auth"));
    publish(&world, (1..=200).map(|n| (n, of(CAMPAIGN, n))));
    sleep(5 * SECOND).await;
    let before = world.journal.count("revoke");
    assert!((40..100).contains(&before), "{before}");
    operator.orders(about(Order::CampaignCancelled, CAMPAIGN));
    // Not at ten a second, and none that waited for its turn is called.
    world.settled(SECOND).await;
    assert_eq!(world.journal.count("revoke"), before);
    assert_eq!(outcomes(&world, "revoked"), before);
    assert_eq!(outcomes(&world, "cancelled"), 200 - before);
}

#[tokio::test(start_paused = true)]
async fn a_paused_campaign_is_put_aside_without_an_attempt() {
    let world = World::new(&paced(10.0), 1);
    let operator = Operator::new(&world);
    operator.orders(started(CAMPAIGN, "auth"));
    publish(&world, (1..=50).map(|n| (n, of(CAMPAIGN, n))));
    publish(&world, [(51, bulk(51))]);
    sleep(SECOND).await;
    operator.orders(about(Order::CampaignPaused, CAMPAIGN));
    sleep(SECOND).await;
    assert!(!world.stytch.is_alive(51), "others go on");
    let of_others = 1;
    let before = world.journal.count("revoke") - of_others;
    sleep(MINUTE * 31).await;
    assert_eq!(world.journal.count("revoke"), before + of_others);
    // The first delay for ten of them, then the longest.
    let (short, long) = (
        world.journal.times("retry 60s"),
        world.journal.times("retry 600s"),
    );
    assert_eq!(short.len(), 10 * (50 - before), "{before}");
    assert_eq!(long.len(), 3 * (50 - before));
    assert!(short.iter().all(|at| *at < 11 * MINUTE));
    let paused = world.total("revoker_retries_total", &["paused"]);
    assert_eq!(paused as usize, short.len() + long.len());
    let kept = world.broker.last_deferred().unwrap().history;
    assert_eq!((kept.attempts, kept.retries), (0, 0));
    operator.orders(about(Order::CampaignResumed, CAMPAIGN));
    world.settled(MINUTE * 11).await;
    assert_eq!(outcomes(&world, "revoked"), 51);
    let attempts = |o: &serde_json::Value| o["attempts"] == 0;
    assert!(world.broker.outcomes().iter().all(attempts));
}

/// Nothing to put it into: it stays in hand, and others go on.
#[tokio::test(start_paused = true)]
async fn without_delays_a_paused_campaign_waits_in_hand() {
    let mut setup = Setup::default();
    setup.settle.retry_delays = Vec::new();
    let world = World::new(&setup, 1);
    let operator = Operator::new(&world);
    operator.orders(started(CAMPAIGN, "auth"));
    operator.orders(about(Order::CampaignPaused, CAMPAIGN));
    publish(&world, (1..=3).map(|n| (n, of(CAMPAIGN, n))));
    publish(&world, [(4, bulk(4))]);
    sleep(MINUTE * 20).await;
    assert!(alive(&world, 1..=3));
    assert!(!world.stytch.is_alive(4));
    assert_eq!(world.total("revoker_inflight_events", &[]), 3.0);
    operator.orders(about(Order::CampaignResumed, CAMPAIGN));
    world.settled(SECOND).await;
    assert_eq!(outcomes(&world, "revoked"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_for_bulk_alone_and_ends_at_once() {
    let world = World::new(&paced(10.0), 1);
    let operator = Operator::new(&world);
    publish(&world, (1..=100).map(|n| (n, bulk(n))));
    sleep(2 * SECOND).await;
    operator.orders(Order::BulkHeld);
    sleep(SECOND / 2).await;
    let before = world.journal.count("revoke");
    publish(&world, [(101, event(101, json!({})))]);
    sleep(MINUTE).await;
    assert!(!world.stytch.is_alive(101), "urgent goes");
    assert_eq!(world.journal.count("revoke"), before + 1);
    assert!(!world.worker.orders.lets_go(Lane::Bulk));
    assert!(world.worker.orders.lets_go(Lane::Urgent));
    assert_eq!(world.worker.board.snapshot().state, State::Running);
    assert_eq!(world.total("revoker_bulk_held", &[]), 1.0);
    let released = world.journal.now();
    operator.orders(Order::BulkReleased);
    sleep(SECOND).await;
    assert!(
        world.journal.count("revoke") > before + 1,
        "goes on within a second"
    );
    world.settled(MINUTE).await;
    let after = world.journal.times("revoke");
    assert!(after.iter().filter(|at| **at > released).count() >= 70);
    assert_eq!(outcomes(&world, "revoked"), 101);
    assert_eq!(world.total("revoker_retries_total", &[]), 0.0);
    assert_eq!(world.total("revoker_bulk_held", &[]), 0.0);
}

/// Whoever holds an event for half the hold limit puts it aside, whatever it waits for.
#[tokio::test(start_paused = true)]
async fn a_long_hold_keeps_nothing_in_hand() {
    let world = World::plain();
    Operator::new(&world).orders(Order::BulkHeld);
    publish(&world, (1..=3).map(|n| (n, bulk(n))));
    sleep(MINUTE * 5 + SECOND).await;
    assert_eq!(world.journal.count("retry 60s"), 3);
    assert_eq!(
        world.total("revoker_retries_total", &["held_too_long"]),
        3.0
    );
    assert!(alive(&world, 1..=3));
}

/// What stops a campaign stops nobody else's revocations, whatever they are called.
#[tokio::test(start_paused = true)]
async fn no_forged_order_stops_anybody_else() {
    for order in [Order::CampaignCancelled, Order::CampaignPaused] {
        let world = World::plain();
        let operator = Operator::new(&world);
        // Of no manifest, and of another publisher's campaign.
        operator.orders(about(order, "unknown"));
        operator.orders(started(CAMPAIGN, "ops"));
        operator.orders(about(order, CAMPAIGN));
        publish(&world, (1..=3).map(|n| (n, of("unknown", n))));
        publish(&world, (4..=6).map(|n| (n, of(CAMPAIGN, n))));
        let urgent = |n| Message {
            publisher: "ops".into(),
            ..event(n, json!({ "campaign_id": CAMPAIGN }))
        };
        publish(&world, (7..=9).map(|n| (n, urgent(n))));
        world.settled(5 * SECOND).await;
        assert_eq!(
            outcomes(&world, "revoked"),
            9,
            "{:?}",
            world.journal.lines()
        );
    }
}

/// Who shuts down gives back what waits for the operator.
#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_no_order() {
    let world = unread();
    publish(&world, (1..=3).map(|n| (n, bulk(n))));
    sleep(SECOND).await;
    let end = world.shut_down(5 * SECOND).await;
    assert_eq!(end, revoker::worker::End::Drained);
    assert_eq!(world.broker.left()[0], 3, "they come again");
}
