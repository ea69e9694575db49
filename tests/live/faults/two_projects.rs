//! Two that differ on the same names: another project's worker, which must not have them, and another
//! version of ours, as in every rolling restart.

use std::time::Duration;

use serde_json::{Map, json};
use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{Event, PATIENCE, World, ledger::Ledger, worker::Worker};

/// Another project than the pretend API's.
const OTHER_PROJECT: &str = "project-test-22222222-2222-4222-8222-222222222222";
/// Events that the owner of the names does meanwhile.
const EVENTS: usize = 30;

#[tokio::test]
async fn row_18_two_projects() {
    let mut row = Row::new(18, "another project");
    let world = World::new("owner").await;
    let mut owner = world.worker().start().await;
    row.begins(&owner);
    let ledger = Ledger::new(&world, EVENTS).await;
    for (topology, events) in ["declare", "verify"]
        .iter()
        .zip(ledger.events.chunks(EVENTS / 2))
    {
        row.faults += 1;
        let other = world
            .worker()
            .set("REVOKER_STYTCH_PROJECT_ID", OTHER_PROJECT)
            .set("REVOKER_TOPOLOGY", topology);
        // What it would take from the owner is there for the taking.
        world.broker.publish(events).await;
        let error = other.refused().await;
        let queues = format!("the queues {}.* belong to ", world.broker.prefix);
        assert!(error.contains(&queues), "{error}");
        let remedy = "use another vhost or REVOKER_PREFIX";
        assert!(error.contains(remedy), "{error}");
    }
    ledger.settled(&world, PATIENCE).await;
    row.ends(&owner);
    let metrics = owner.metrics().await;
    assert_eq!(metrics.sum("revoker_amqp_reconnects_total", &[]), 0.0);
    assert!(owner.terminate().await.0.success());
    row.judge(&ledger.tally(&world).await);
}

/// Each event fails so often that it goes through every delay, and more than one worker's hands.
const FAILS: u32 = 2;
/// Events published before each change of the replicas.
const BURST: usize = 20;

/// Releases of the two replicas, in a roll forward, back, and forward again.
const ROLL: [[Release; 2]; 6] = {
    use Release::{Next, This};
    [
        [This, This],
        [Next, This],
        [Next, Next],
        [Next, This],
        [This, This],
        [This, Next],
    ]
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    /// As it is.
    This,
    /// One that writes the next version of our headers, and knows this one.
    Next,
}

#[tokio::test]
async fn row_18_two_versions() {
    let rounds = form(1, 2, 6);
    let mut row = Row::new(18, "two versions");
    let world = World::new("versions").await;
    let changes = rounds * ROLL.len();
    let ids = world.sandbox.seed_sessions(changes * BURST).await;
    let fails = |id: &String| (id.clone(), json!({ "fault": "500", "times": FAILS }));
    let faults: Map<_, _> = ids.iter().map(fails).collect();
    world.sandbox.faults(&json!({ "by_id": faults })).await;
    let event = |(at, id): (usize, String)| {
        let event = Event::session(&id);
        (if at % 2 == 0 { event } else { event.bulk() }, id)
    };
    let events: Vec<_> = ids.into_iter().enumerate().map(event).collect();
    let ledger = Ledger::of(&world, events, Vec::new()).await;

    world.declare().await;
    let mut replicas: [Option<(Release, Worker)>; 2] = [None, None];
    let (mut deferred, mut bursts) = (0.0, ledger.events.chunks(BURST));
    for releases in ROLL.iter().cycle().take(changes) {
        world
            .broker
            .publish(bursts.next().expect("a burst for each"))
            .await;
        for (replica, release) in replicas.iter_mut().zip(releases) {
            if let Some((_, mut old)) = replica.take_if(|(old, _)| old != release) {
                row.faults += 1;
                deferred += newer(&old).await;
                assert!(old.terminate().await.0.success());
            }
            if replica.is_none() {
                *replica = Some((*release, start(&world, *release).await));
            }
        }
        // Long enough for what waits in the first delay to come to the other release.
        sleep(Duration::from_millis(1_500)).await;
    }
    ledger.settled(&world, 2 * PATIENCE).await;
    for (_, worker) in replicas.iter_mut().flatten() {
        deferred += newer(worker).await;
        assert!(worker.terminate().await.0.success());
    }
    eprintln!("{deferred} times a newer version was left for the next release");
    assert!(
        deferred > 0.0,
        "no worker met a newer version: nothing was tested"
    );
    let mut tally = ledger.tally(&world).await;
    // A call that failed as it was told to was not made for nothing.
    tally.calls -= (changes * BURST) as u64 * u64::from(FAILS);
    assert_eq!(
        row.judge(&tally),
        0,
        "done twice, though every stop was clean"
    );
}

/// How often a worker left a message for a newer one.
async fn newer(worker: &Worker) -> f64 {
    let newer = [("cause", "newer_format")];
    let metrics = worker.metrics().await;
    metrics.sum("revoker_retries_total", &newer)
}

async fn start(world: &World, release: Release) -> Worker {
    let worker = world.worker().set("REVOKER_ATTEMPTS", 1);
    let worker = match release {
        Release::This => worker,
        Release::Next => worker.set("FAILPOINT_RELEASE", "next"),
    };
    worker.start().await
}
