//! A broker that dies while a list is published.

use std::time::Duration;

use super::{LONGEST, Users};
use crate::harness::{PATIENCE, World, wait};

#[tokio::test]
async fn a_broker_that_comes_back_gets_the_rest() {
    let world = World::with_own_node("broken").await;
    let users = Users::seed(&world, 1_200).await;
    let list = users.write(&world);
    let _worker = world.worker().start().await;
    let cutoff = users.cutoff.to_string();
    let arguments = [
        "campaign",
        "start",
        list.to_str().unwrap(),
        "--campaign",
        "c1",
        "--reason",
        "policy",
        "--yes",
        "--cutoff",
        &cutoff,
        "--json",
    ];
    let mut start = world.worker().spawn_of(&arguments);
    wait::until("the first are revoked", PATIENCE, async || {
        world.sandbox.revoked().await > 20
    })
    .await;
    world.node().kill9().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.node().restart().await;
    let ended = start.exit(LONGEST).await;
    assert!(ended.success(), "{}", start.log());
    users.check(&world).await;
    let status = world
        .worker()
        .once(&["campaign", "status", "c1", "--json"])
        .await;
    assert_eq!(status.json()["proven"], 1_200, "{status:?}");
}
