//! What follows from an event cannot be stored: the event stays ours or in its queue until it can.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::json;

use super::{form::form, row::Row};
use crate::harness::{
    Event, PATIENCE, World,
    ledger::Ledger,
    tally::Tally,
    user::{User, ctl},
    wait,
    worker::{Settings, Worker},
};

const PUBLISHES: &str = "revoker_amqp_publishes_total";
/// The one delay of these workers; the queue's name follows.
const DELAY: &str = "5s";

/// So often that no event gives up before the queue is put right.
const DELAYS: usize = 8;

/// What cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Store {
    Dead,
    Retry,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    QueueDeleted,
    ExchangeDeleted,
    Full,
    Forbidden,
}

impl Store {
    /// Queue and exchange have one name.
    fn name(self) -> String {
        match self {
            Self::Dead => "dead".to_owned(),
            Self::Retry => format!("urgent.retry.{DELAY}"),
        }
    }

    /// Events that belong there.
    async fn ledger(self, world: &World, events: usize) -> Ledger {
        let mut ledger = match self {
            Self::Dead => Ledger::of_malformed(world, events).await,
            Self::Retry => {
                let ledger = Ledger::of_good(world, events).await;
                let by_id: BTreeMap<_, _> = ledger
                    .events
                    .iter()
                    .map(|event| (ledger.session_of(event), "500"))
                    .collect();
                world.sandbox.faults(&json!({ "by_id": by_id })).await;
                ledger
            }
        };
        for event in &mut ledger.events {
            *event = event.clone().in_exchange("urgent");
        }
        ledger
    }
}

impl Harm {
    async fn bring_about(self, world: &World, store: Store, user: Option<&User>) {
        let (name, policy) = (store.name(), &world.broker.prefix);
        let pattern = format!("{}$", world.broker.name(&name).replace('.', r"\."));
        match self {
            Self::QueueDeleted => world.broker.delete_queue(&name).await,
            Self::ExchangeDeleted => world.broker.delete_exchange(&name).await,
            Self::Full => {
                // Whatever is in it is too much.
                let full = r#"{"max-length-bytes":1,"overflow":"reject-publish"}"#;
                let pattern = format!("^{pattern}");
                ctl(&["set_policy", policy, &pattern, full, "--apply-to", "queues"]).await;
            }
            Self::Forbidden => {
                let all_but_this = format!("^(?!{pattern})");
                user.expect("there is a user").permit(&all_but_this).await;
            }
        }
    }

    async fn put_right(self, world: &World, store: Store, user: Option<&User>) {
        match self {
            Self::QueueDeleted | Self::ExchangeDeleted => {
                world.broker.restore_queue(&store.name()).await;
            }
            Self::Full => ctl(&["clear_policy", &world.broker.prefix]).await,
            Self::Forbidden => user.expect("there is a user").permit(".*").await,
        }
    }

    /// How the publishes end that fail for it, and how many of them at least before it is put right:
    /// over what is missing a session ends, and does not begin again.
    fn result(self) -> (&'static str, f64) {
        match self {
            Self::QueueDeleted | Self::ExchangeDeleted => ("returned", 1.0),
            Self::Full | Self::Forbidden => ("nack", 4.0),
        }
    }
}

#[tokio::test]
async fn row_07_what_follows_cannot_be_stored() {
    let events = form(6, 20, 100);
    let mut row = Row::new(7, "dead letters or retries cannot be stored");
    let mut cases = Vec::new();
    for store in [Store::Dead, Store::Retry] {
        for harm in [
            Harm::QueueDeleted,
            Harm::ExchangeDeleted,
            Harm::Full,
            Harm::Forbidden,
        ] {
            cases.push(check(store, harm, events));
        }
    }
    for tally in join_all(cases).await {
        row.faults += 1;
        let twice = row.judge(&tally);
        assert!(twice <= events as u64, "{tally:?}");
    }
}

async fn check(store: Store, harm: Harm, events: usize) -> Tally {
    let case = format!("{store:?} {harm:?}");
    let world = World::new("unsaved").await;
    let user = match harm {
        Harm::Forbidden => Some(User::new("worker").await),
        _ => None,
    };
    let settings = || settings(&world, user.as_ref());
    settings().start().await.terminate().await;
    let mut worker = settings().set("REVOKER_TOPOLOGY", "verify").start().await;
    let ledger = store.ledger(&world, events).await;
    // A queue is full when there is something in it.
    let (before, after) = ledger.events.split_at(usize::from(harm == Harm::Full));
    world.broker.publish(before).await;
    wait::until(
        &format!("{case}: something is in it"),
        PATIENCE,
        async || harm != Harm::Full || world.broker.depth(&store.name()).await >= Some(1),
    )
    .await;
    harm.bring_about(&world, store, user.as_ref()).await;
    world.broker.publish(after).await;
    let to = if store == Store::Dead {
        "dead"
    } else {
        "retry"
    };
    let (result, times) = harm.result();
    let failed = [("to", to), ("result", result)];
    wait::until(&format!("{case}: publishes fail"), PATIENCE, async || {
        worker.metrics().await.sum(PUBLISHES, &failed) >= times
    })
    .await;
    check_kept(&world, &worker, &case, events).await;
    if result == "returned" {
        world.check_misses(&mut worker, &store.name()).await;
    }

    harm.put_right(&world, store, user.as_ref()).await;
    let injected = world.sandbox.stats().await["answers"]["500"].as_u64();
    world.sandbox.faults(&json!({})).await;
    ledger.settled(&world, 2 * PATIENCE).await;
    assert!(worker.terminate().await.0.success(), "{case}");
    let mut tally = ledger.tally(&world).await;
    tally.calls = tally.calls.saturating_sub(injected.unwrap_or(0));
    eprintln!("{case}: {} twice", tally.duplicated());
    tally
}

fn settings<'w>(world: &'w World, user: Option<&User>) -> Settings<'w> {
    let settings = world
        .worker()
        .set("REVOKER_ATTEMPTS", 1)
        .set("REVOKER_RETRY_DELAYS", [DELAY; DELAYS].join(","));
    match user {
        Some(user) => settings.set("REVOKER_AMQP_URL", user.of(&world.broker).url),
        None => settings,
    }
}

/// Every event is in hand, in its queue, or where it belongs; and said to be so.
async fn check_kept(world: &World, worker: &Worker, case: &str, events: usize) {
    wait::until(&format!("{case}: all are kept"), PATIENCE, async || {
        let in_hand = worker.metrics().await.sum("revoker_inflight_events", &[]);
        let queued = world.broker.queued().await;
        let dead = world.broker.depth("dead").await.unwrap_or(0);
        in_hand + f64::from(queued + dead) == events as f64
    })
    .await;
    assert_eq!(world.sandbox.revoked().await, 0, "{case}");
    let dead = worker
        .metrics()
        .await
        .sum("revoker_dead_letters_total", &[]);
    let there = world.broker.depth("dead").await.unwrap_or(0);
    assert!(
        dead <= f64::from(there),
        "{case}: {dead} counted, {there} there"
    );
}

/// A worker that may declare puts it right by itself.
#[tokio::test]
async fn row_07_a_delay_queue_deleted_is_declared_again() {
    let mut row = Row::new(7, "a delay queue is declared again");
    let world = World::new("deleted-retry").await;
    let mut worker = settings(&world, None).start().await;
    row.begins(&worker);
    let name = Store::Retry.name();
    world.broker.delete_queue(&name).await;
    row.faults += 1;
    let id = world.sandbox.seed_sessions(1).await.remove(0);
    // Once for the delivery whose retry finds no queue, once for the next.
    let faults = json!({"by_id": { &id: {"fault": "500", "times": 2} }});
    world.sandbox.faults(&faults).await;
    world.broker.publish_one(&Event::session(&id)).await;
    wait::until("it is revoked at last", PATIENCE, async || {
        world.sandbox.revoked().await == 1
    })
    .await;
    row.events += 1;
    row.ends(&worker);
    let metrics = worker.metrics().await;
    let returned = [("to", "retry"), ("result", "returned")];
    assert_eq!(metrics.sum(PUBLISHES, &returned), 1.0);
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}
