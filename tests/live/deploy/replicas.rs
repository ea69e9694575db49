//! Several replicas before one limit: one that all are told of, and one that nobody knows.

use futures_util::future::join_all;

use crate::{
    harness::{Event, PATIENCE, World, is_full, wait, worker::Worker},
    pace::{LIMIT, USED_MIN, WASTED_MAX, seconds, used, wasted},
};

const CEILING: &str = "revoker_rate_ceiling_permits_per_second";
/// Of all workers together, a second: a tenth under the limit.
const TOTAL: u64 = LIMIT - LIMIT / 10;

/// A world whose pretend API has the limit.
async fn limited(name: &str) -> World {
    let limit = format!("{LIMIT}/s");
    let arguments = ["--limit", &limit, "--window", "fixed", "--latency", "20ms"];
    World::with_sandbox(name, &arguments).await
}

async fn start(world: &World, replicas: usize) -> Vec<Worker> {
    let worker = || world.worker().set("REVOKER_MAX_RATE_TOTAL", TOTAL);
    join_all((0..replicas).map(|_| worker().start())).await
}

/// Each of them has its part of the limit for all.
async fn until_shared(workers: &[Worker]) {
    let part = TOTAL as f64 / workers.len() as f64;
    wait::until(
        &format!("each has {part} calls a second"),
        PATIENCE,
        async || {
            let ceilings = workers
                .iter()
                .map(async |worker| worker.metrics().await.sum(CEILING, &[]));
            join_all(ceilings)
                .await
                .iter()
                .all(|ceiling| *ceiling == part)
        },
    )
    .await;
}

/// Publishes so many bulk events and waits until all are revoked.
async fn work(world: &World, events: usize) {
    let before = world.sandbox.revoked().await;
    let ids = world.sandbox.seed_sessions(events).await;
    let bulk: Vec<_> = ids.iter().map(|id| Event::session(id).bulk()).collect();
    world.broker.publish(&bulk).await;
    wait::until("all are revoked", 3 * PATIENCE, async || {
        world.sandbox.revoked().await >= before + events as u64
    })
    .await;
}

async fn end(world: &World, workers: &mut [Worker]) {
    for worker in workers {
        assert!(worker.terminate().await.0.success());
    }
    assert_eq!(world.broker.queued().await, 0);
    assert_eq!(world.broker.depth("dead").await, Some(0));
}

#[tokio::test]
async fn a_limit_for_all_is_shared_as_replicas_come_and_go() {
    let world = limited("shared").await;
    let mut workers = start(&world, 1).await;
    until_shared(&workers).await;
    workers.extend(start(&world, 3).await);
    until_shared(&workers).await;
    work(&world, if is_full() { 5_000 } else { 500 }).await;
    let seconds = seconds(&world).await;
    let wasted = wasted(&seconds);
    eprintln!("4 replicas, {TOTAL} of {LIMIT} a second together: {wasted:.4} wasted");
    // On the real clock a second of work may arrive as less.
    assert!(wasted <= WASTED_MAX, "{wasted:.4} wasted: {seconds:?}");
    end(&world, &mut workers.split_off(2)).await;
    until_shared(&workers).await;
    end(&world, &mut workers).await;
}

/// What is simulated elsewhere at length, on the real clock.
#[tokio::test]
async fn a_limit_that_nobody_knows_is_used_by_all_together() {
    let (counts, events): (&[usize], _) = match is_full() {
        true => (&[1, 2, 4], 5_000),
        false => (&[2], 400),
    };
    for replicas in counts {
        let world = limited("unknown-shared").await;
        world.declare().await;
        let workers = join_all((0..*replicas).map(|_| world.worker().start()));
        let mut workers = workers.await;
        work(&world, events).await;
        end(&world, &mut workers).await;
        let seconds = seconds(&world).await;
        for (at, second) in &seconds {
            assert!(second.taken <= LIMIT, "{at}: {second:?}");
        }
        let wasted = wasted(&seconds);
        if is_full() {
            let used = used(&seconds);
            eprintln!("{replicas} replicas: {used:.3} of the limit used, {wasted:.4} wasted");
            assert!(used >= USED_MIN, "{replicas}: {used:.3} used: {seconds:?}");
            assert!(
                wasted <= WASTED_MAX,
                "{replicas}: {wasted:.4} wasted: {seconds:?}"
            );
        }
    }
}
