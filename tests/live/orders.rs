//! What an operator orders through the control stream, and that workers obey, in time and nothing else.

use std::collections::BTreeMap;

use revoker::campaign::Order;
use serde_json::json;

use crate::harness::{
    Event, PATIENCE, World,
    operator::{PUBLISHER, about, events_of, started},
    user::User,
    wait,
    worker::{Settings, Worker},
};

pub(super) const CAMPAIGN: &str = "breach-2026-11";
pub(super) const READ: &str = "the operator's stream is read to its end: bulk goes as it says";

/// How many outcomes of the campaign there are, by their word.
async fn outcomes(world: &World) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for outcome in world.broker.outcomes().await {
        if outcome.body["campaign_id"] == CAMPAIGN {
            *found.entry(outcome.outcome().to_owned()).or_default() += 1;
        }
    }
    found
}

/// Waits until so many outcomes of the campaign are there.
async fn until_told(world: &World, count: usize) -> BTreeMap<String, usize> {
    wait::value("an outcome for each event", PATIENCE, async || {
        let found = outcomes(world).await;
        (found.values().sum::<usize>() >= count).then_some(found)
    })
    .await
}

async fn until_revoked(world: &World, count: u64) {
    wait::until(&format!("{count} are revoked"), PATIENCE, async || {
        world.sandbox.revoked().await >= count
    })
    .await;
}

async fn until_logged(worker: &Worker, message: &str) {
    wait::until(message, PATIENCE, async || {
        !worker.logged(message).is_empty()
    })
    .await;
}

/// A worker that has read what there is: what is ordered from now on is told, line by line.
pub(super) async fn start(settings: Settings<'_>) -> Worker {
    let worker = settings.start().await;
    until_logged(&worker, READ).await;
    worker
}

pub(super) async fn until_ordered(worker: &Worker, order: &str) {
    wait::until(order, PATIENCE, async || {
        let lines = worker.logged("ordered");
        lines.iter().any(|line| line["order"] == order)
    })
    .await;
}

/// Nothing that was cancelled before the worker started reaches the API.
#[tokio::test]
async fn a_cancel_that_stands_in_the_stream_is_never_overtaken() {
    let world = World::new("cancelled").await;
    world.declare().await;
    let cancelled = world.sandbox.seed_sessions(60).await;
    let others = world.sandbox.seed_sessions(10).await;
    let mut events = events_of(CAMPAIGN, &cancelled);
    events.extend(others.iter().map(|id| Event::session(id).bulk()));
    world.broker.publish(&events).await;
    let cancel = about(Order::CampaignCancelled, CAMPAIGN);
    world.broker.order(&[started(CAMPAIGN), cancel]).await;
    let mut worker = world.worker().start().await;
    let told = until_told(&world, cancelled.len()).await;
    assert_eq!(told, [("cancelled".to_owned(), cancelled.len())].into());
    until_revoked(&world, others.len() as u64).await;
    let sessions = world.sandbox.sessions().await;
    assert!(cancelled.iter().all(|id| sessions[id].revoke_calls == 0));
    world.check_unharmed(&mut worker).await;
}

#[tokio::test]
async fn a_cancel_takes_effect_within_the_events_in_hand() {
    let world = World::new("cancel").await;
    let mut worker = start(world.worker().paced(20)).await;
    let ids = world.sandbox.seed_sessions(300).await;
    world.broker.order(&[started(CAMPAIGN)]).await;
    let events = events_of(CAMPAIGN, &ids);
    world.broker.publish(&events).await;
    until_revoked(&world, 20).await;
    let cancel = about(Order::CampaignCancelled, CAMPAIGN);
    world.broker.order(&[cancel]).await;
    until_ordered(&worker, "campaign_cancelled").await;
    let revoked = world.sandbox.revoked().await;
    let told = until_told(&world, ids.len()).await;
    assert_eq!(told["revoked"] + told["cancelled"], ids.len(), "{told:?}");
    assert!(told["revoked"] as u64 <= revoked, "{told:?}");
    assert!(told["cancelled"] > 100, "{told:?}");
    // Whoever follows the campaign learns of this worker.
    let states = world.broker.worker_states().await;
    assert_eq!(states[0].routing_key, "worker.running");
    assert_eq!(states[0].body["type"], "revoker.worker.state.v1");
    let starts = worker.logged("revoker starts");
    assert_eq!(states[0].body["worker"], starts[0]["worker"]);
    assert_eq!(states[0].body["rate"], 20.0);
    world.check_unharmed(&mut worker).await;
}

/// Over a lost session, too.
#[tokio::test]
async fn a_paused_campaign_waits_until_it_is_resumed() {
    let world = World::new("paused").await;
    let user = User::new("pausing").await;
    let url = user.of(&world.broker).url;
    let worker = world.worker().set("REVOKER_AMQP_URL", url);
    let mut worker = start(worker).await;
    let ids = world.sandbox.seed_sessions(40).await;
    let pause = about(Order::CampaignPaused, CAMPAIGN);
    world.broker.order(&[started(CAMPAIGN), pause]).await;
    until_ordered(&worker, "campaign_paused").await;
    world.broker.publish(&events_of(CAMPAIGN, &ids)).await;
    let paused = async || {
        let metrics = worker.metrics().await;
        metrics.sum("revoker_retries_total", &[("cause", "paused")])
    };
    wait::until("all were put aside twice", PATIENCE, async || {
        paused().await >= 2.0 * ids.len() as f64
    })
    .await;
    user.disconnect().await;
    wait::until("the session is another", PATIENCE, async || {
        let metrics = worker.metrics().await;
        metrics.sum("revoker_amqp_reconnects_total", &[]) == 1.0 && worker.is_ready().await
    })
    .await;
    world.check_works().await;
    let before = paused().await;
    wait::until("they are put aside still", PATIENCE, async || {
        paused().await > before
    })
    .await;
    assert!(outcomes(&world).await.is_empty());
    let resume = about(Order::CampaignResumed, CAMPAIGN);
    world.broker.order(&[resume]).await;
    let told = until_told(&world, ids.len()).await;
    assert_eq!(told, [("revoked".to_owned(), ids.len())].into());
    let mut outcomes = world.broker.outcomes().await;
    outcomes.retain(|outcome| outcome.body["campaign_id"] == CAMPAIGN);
    assert!(outcomes.iter().all(|outcome| outcome.body["attempts"] == 0));
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}

/// What cannot be sent is given back, and taken in again when the hold is over.
#[tokio::test]
async fn held_bulk_is_given_back_and_goes_on_when_it_is_released() {
    let world = World::new("bulk-held").await;
    let worker = world.worker().set("REVOKER_HOLD_LIMIT", "10s");
    let mut worker = start(worker).await;
    world.broker.order(&[Order::BulkHeld]).await;
    until_ordered(&worker, "bulk_held").await;
    let ids = world.sandbox.seed_sessions(30).await;
    let events: Vec<_> = ids.iter().map(|id| Event::session(id).bulk()).collect();
    world.broker.publish(&events).await;
    until_logged(&worker, "lane given back: nothing can be sent").await;
    wait::until("all lie in the queue again", PATIENCE, async || {
        world.broker.depth("bulk").await == Some(30)
    })
    .await;
    world.check_works().await;
    assert_eq!(world.sandbox.revoked().await, 1, "only the urgent one");
    assert_eq!(worker.shown().await["state"], "running");
    world.broker.order(&[Order::BulkReleased]).await;
    until_revoked(&world, 31).await;
    world.check_unharmed(&mut worker).await;
}

/// Records that stop a campaign stop no other's events and no urgent ones.
#[tokio::test]
async fn no_record_stops_the_events_of_others() {
    let world = World::new("forged-orders").await;
    world.declare().await;
    let cancel = |id| about(Order::CampaignCancelled, id);
    let orders = [cancel("unknown"), started(CAMPAIGN), cancel(CAMPAIGN)];
    world.broker.order(&orders).await;
    let garbage = [
        "{}",
        "x",
        r#"{"type":"revoker.control.v9","kind":"bulk_held"}"#,
    ];
    for body in garbage {
        let event = Event::raw(body).in_exchange("control").by("forged");
        world.broker.publish_one(&event).await;
    }
    let mut worker = world.worker().start().await;
    let ids = world.sandbox.seed_sessions(4).await;
    let of = |n: usize, campaign: &str| {
        Event::new(json!({ "session_id": ids[n], "campaign_id": campaign }))
    };
    let events = [
        of(0, "unknown").bulk().by(PUBLISHER),
        of(1, CAMPAIGN).bulk().by("password-reset"),
        of(2, CAMPAIGN).by(PUBLISHER),
        of(3, CAMPAIGN).bulk().by(PUBLISHER),
    ];
    world.broker.publish(&events).await;
    let told = until_told(&world, 3).await;
    let wanted = [("revoked".to_owned(), 2), ("cancelled".to_owned(), 1)];
    assert_eq!(told, wanted.into());
    until_revoked(&world, 3).await;
    assert_eq!(world.sandbox.sessions().await[&ids[3]].revoke_calls, 0);
    world.check_unharmed(&mut worker).await;
}
