//! Queues deleted under a running worker: nothing that was confirmed to us depends on them, and the
//! worker says which is missing until it is back.

use crate::harness::{PATIENCE, World, wait};

#[tokio::test]
async fn lanes_deleted_under_a_declaring_worker() {
    let world = World::new("deleted-lane").await;
    let mut worker = world.worker().start().await;
    for (round, lane) in ["urgent", "bulk"].into_iter().enumerate() {
        world.broker.delete_queue(lane).await;
        let name = "revoker_amqp_consumer_cancels_total";
        wait::until("the cancel is counted", PATIENCE, async || {
            worker.metrics().await.sum(name, &[("lane", lane)]) == 1.0
        })
        .await;
        wait::until("the worker declared it again", PATIENCE, async || {
            world.broker.depth(lane).await.is_some() && worker.is_ready().await
        })
        .await;
        world.check_works().await;
        let reconnects = worker
            .metrics()
            .await
            .sum("revoker_amqp_reconnects_total", &[]);
        assert_eq!(reconnects, (round + 1) as f64);
    }
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}

/// The worker may not declare: it waits until somebody does.
#[tokio::test]
async fn a_lane_deleted_under_a_verifying_worker() {
    let world = World::new("deleted-verify").await;
    world.declare().await;
    let worker = world.worker().set("REVOKER_TOPOLOGY", "verify");
    let mut worker = worker.start().await;
    world.broker.delete_queue("urgent").await;
    world.check_misses(&mut worker, "urgent").await;
    world.broker.restore_queue("urgent").await;
    worker.until_ready().await;
    world.check_works().await;
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}
