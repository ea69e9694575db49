//! The operator's stream is taken away, or nothing happens in it: what then waits, and that it goes on by itself.

use std::time::Duration;

use revoker::campaign::Order;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    harness::{
        Event, PATIENCE, World,
        operator::{about, started},
        user::User,
        wait,
        worker::Worker,
    },
    orders::{CAMPAIGN, READ, start, until_ordered},
};

/// Several times what the broker then lets a consumer keep an entry.
const QUIET: Duration = Duration::from_secs(10);

/// Bulk waits and urgent goes, in the same session with the broker; returns the session that waits.
async fn check_bulk_waits(world: &World, worker: &Worker) -> String {
    let shown = wait::value("orders_unread is shown", PATIENCE, async || {
        let shown = worker.shown().await;
        (shown["why"] == "orders_unread").then_some(shown)
    })
    .await;
    assert_eq!(
        (&shown["state"], &shown["ready"]),
        (&json!("audit"), &json!(true))
    );
    assert!(shown["next_probe"].is_string(), "{shown}");
    assert_eq!(worker.metrics().await.state(), "audit");
    let waiting = world.sandbox.seed_sessions(1).await.remove(0);
    let event = Event::session(&waiting).bulk();
    world.broker.publish_one(&event).await;
    world.check_works().await;
    let metrics = worker.metrics().await;
    assert_eq!(
        metrics.sum("revoker_inflight_events", &[("lane", "bulk")]),
        1.0
    );
    assert_eq!(world.sandbox.sessions().await[&waiting].revoke_calls, 0);
    assert_eq!(metrics.sum("revoker_amqp_reconnects_total", &[]), 0.0);
    waiting
}

async fn check_bulk_goes(world: &World, worker: &mut Worker, waiting: &str) {
    wait::until("what has waited is revoked", PATIENCE, async || {
        world.sandbox.sessions().await[waiting]
            .revoked_at_ms
            .is_some()
    })
    .await;
    wait::until("the state is over", PATIENCE, async || {
        worker.shown().await["state"] == "running"
    })
    .await;
    world.check_unharmed(worker).await;
}

#[tokio::test]
async fn without_its_stream_bulk_waits_and_goes_on_by_itself() {
    let world = World::new("uncontrolled").await;
    let mut worker = start(world.worker()).await;
    let cancel = about(Order::CampaignCancelled, CAMPAIGN);
    world.broker.order(&[started(CAMPAIGN), cancel]).await;
    until_ordered(&worker, "campaign_cancelled").await;
    world.broker.delete_queue("control").await;
    let waiting = check_bulk_waits(&world, &worker).await;
    world.broker.restore_queue("control").await;
    check_bulk_goes(&world, &mut worker, &waiting).await;
}

#[tokio::test]
async fn without_the_right_to_read_it_bulk_waits_and_goes_on_by_itself() {
    let world = World::new("unread").await;
    world.declare().await;
    let user = User::new("unreading").await;
    let but_control = "^(?!.*\\.control$)";
    user.permit_each("\\.owner$", ".*", but_control).await;
    let worker = world
        .worker()
        .set("REVOKER_AMQP_URL", user.of(&world.broker).url)
        .set("REVOKER_TOPOLOGY", "verify");
    let mut worker = worker.start().await;
    let waiting = check_bulk_waits(&world, &worker).await;
    user.permit_each("\\.owner$", ".*", ".*").await;
    check_bulk_goes(&world, &mut worker, &waiting).await;
}

/// The broker closes the channel of whoever keeps what it was given for long: a session is not lost over it.
#[tokio::test]
async fn a_stream_in_which_nothing_happens_is_followed_for_ever() {
    let world = World::with_configured_node("quiet", "consumer_timeout = 3000\n").await;
    let look = "application:set_env(rabbit, channel_tick_interval, 1000).";
    world.node().ctl(&["eval", look]).await;
    let mut worker = start(world.worker()).await;
    world
        .broker
        .order(&[started(CAMPAIGN), Order::BulkHeld])
        .await;
    until_ordered(&worker, "bulk_held").await;
    sleep(QUIET).await;
    world.broker.order(&[Order::BulkReleased]).await;
    until_ordered(&worker, "bulk_released").await;
    let read = worker.logged(READ);
    assert_eq!(read.len(), 1, "it was read without a break");
    world.check_unharmed(&mut worker).await;
}
