//! A cluster of three loses the node that leads our queues, again and again.
//!
//! Not a row of its own, and not part of the short form: three nodes take long to start.

use std::time::Duration;

use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{Node, PATIENCE, World, ledger::Ledger, wait, worker::Worker};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 50;
/// Deliveries that one lost connection or leader can leave unacked.
const UNACKED_MAX: u64 = 2 * 2 * SLOTS;
/// Calls a second, so that the work outlasts the kills.
const RATE: &str = "50/s";

#[tokio::test]
async fn cluster_03_leader_killed() {
    let (events, kills) = form((2_000, 1), (3_000, 2), (10_000, 8));
    let mut row = Row::new(3, "leader of three killed");
    let world = World::with_own_cluster("cluster").await;
    let settings = world
        .worker()
        .set("REVOKER_ATTEMPTS", 2)
        .set("REVOKER_SLOTS", SLOTS);
    let mut worker = settings.paced(RATE).start().await;
    row.begins(&worker);
    let ledger = Ledger::new(&world, events).await;

    let (resent, ()) = tokio::join!(world.broker.publish_as_outbox(&ledger.events), async {
        for _ in 0..kills {
            sleep(Duration::from_millis(fastrand::u64(2_000..4_000))).await;
            kill_leader(&world, &mut worker).await;
            row.faults += 1;
        }
    });
    ledger.settled(&world, 5 * PATIENCE).await;
    row.ends(&worker);
    assert!(worker.terminate().await.0.success());
    let twice = row.judge(&ledger.tally(&world).await);
    eprintln!("{events} events, {kills} leaders killed, {resent} sent again: {twice} twice");
    assert!(twice <= kills * UNACKED_MAX + resent, "{twice} done twice");
}

/// The two that are left carry on without it; then it comes back.
async fn kill_leader(world: &World, worker: &mut Worker) {
    let leader = leader(world).await;
    leader.kill9().await;
    let before = world.sandbox.revoked().await;
    let took = wait::until("the work goes on without it", PATIENCE, async || {
        worker.is_ready().await && world.sandbox.revoked().await > before + SLOTS
    })
    .await;
    eprintln!("went on {took:.1?} after {} was killed", leader.name());
    leader.restart().await;
    assert!(worker.process.ended().is_none(), "the worker has ended");
}

/// The node that leads the urgent lane's queue.
async fn leader(world: &World) -> &Node {
    let queue = world.broker.name("urgent");
    let listed = world.node().ctl(&["list_queues", "name", "leader"]).await;
    let leader = listed.lines().find_map(|line| {
        let (name, leader) = line.split_once('\t')?;
        (name == queue).then_some(leader)
    });
    let leader = leader.expect("the queue has a leader");
    let node = world.nodes().iter().find(|node| node.name() == leader);
    node.expect("it is one of our nodes")
}
