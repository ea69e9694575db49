//! An event that ends every worker that handles it: found out among its neighbours, which are done.

use lapin::options::BasicGetOptions;
use revoker::gate::trial::{FAILURES_MAX, SUSPECT_AFTER};
use serde_json::json;

use crate::harness::{Event, PATIENCE, World, is_full, wait, worker::Worker};

/// Events on each side of the one that ends workers.
const NEIGHBOURS: usize = 10;

impl World {
    /// Gives out all that is ready in a lane and takes it back, so many times: as many lost connections.
    async fn take_back(&self, lane: &str, times: u64) {
        let connection = self.broker.connect().await;
        for _ in 0..times {
            let channel = connection.create_channel().await.unwrap();
            let options = BasicGetOptions { no_ack: false };
            let queue = self.broker.name(lane);
            while let Some(_given) = channel
                .basic_get(queue.as_str().into(), options)
                .await
                .unwrap()
            {}
            channel.close(200, "taken back".into()).await.unwrap();
        }
    }

    async fn calls(&self, session: &str) -> u64 {
        self.sandbox.sessions().await[session].revoke_calls
    }

    async fn suspecting_worker(&self) -> Worker {
        let settings = self.worker().set("REVOKER_RETRY_DELAYS", "1s");
        settings.set("REVOKER_CALL_TIMEOUT", "1m").start().await
    }
}

#[tokio::test]
async fn what_ends_every_worker_is_given_up_alone() {
    let world = World::new("killers").await;
    world.declare().await;
    let ids = world.sandbox.seed_sessions(2 * NEIGHBOURS + 1).await;
    let killer = &ids[NEIGHBOURS];
    let faults = json!({"by_id": { killer: "hang" }});
    world.sandbox.faults(&faults).await;
    let event = |id: &String| Event::session(id).by(if id == killer { "killer" } else { "good" });
    let events: Vec<_> = ids.iter().map(event).collect();
    world.broker.publish(&events).await;
    world.take_back("urgent", SUSPECT_AFTER + 1).await;

    let mut kills = 0;
    let killed = async |kills: &mut u64| {
        let mut worker = world.suspecting_worker().await;
        *kills += 1;
        wait::until("the killer's call", PATIENCE, async || {
            world.calls(killer).await == *kills
        })
        .await;
        worker.kill9();
        worker.log()
    };
    // Those on trial are handled in any order: of the neighbours, each worker does those before the killer.
    let neighbours = 2 * NEIGHBOURS as u64;
    let log = killed(&mut kills).await;
    let suspected = log.iter().filter(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("a message was given out again and again")
    });
    assert_eq!(suspected.count(), events.len());
    while world.sandbox.revoked().await < neighbours {
        killed(&mut kills).await;
    }
    if is_full() {
        while kills < FAILURES_MAX {
            killed(&mut kills).await;
        }
    } else {
        world.take_back("urgent", FAILURES_MAX - kills).await;
    }
    let log = killed(&mut kills).await;
    let last = log.last().unwrap();
    assert_eq!(
        last["message"],
        "a message that may end the workers is handled alone"
    );

    let mut worker = world.suspecting_worker().await;
    let letter = world.letter_of("killer").await;
    assert_eq!(letter.ours("code"), "delivery_limit");
    assert_eq!(world.calls(killer).await, kills, "it was not read again");
    assert_eq!(world.broker.depth("dead").await, Some(1));
    assert_eq!(world.sandbox.revoked().await, neighbours);
    eprintln!("{kills} workers ended, {neighbours} neighbours done");
    world.check_unharmed(&mut worker).await;
}
