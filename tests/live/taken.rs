//! Names that are taken, by a queue of another kind, or a topology that is not there.

use std::time::Duration;

use lapin::{options::QueueDeclareOptions, types::FieldTable};

use crate::harness::{PATIENCE, World, wait};

/// How long a worker that should wait is watched.
const WATCHED: Duration = Duration::from_secs(4);

/// Declares a queue as a tutorial would, which gives a classic one.
async fn declare_classic(world: &World, queue: &str, durable: bool) {
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions {
        durable,
        ..QueueDeclareOptions::default()
    };
    let name = world.broker.name(queue);
    let declared = channel.queue_declare(name.into(), options, FieldTable::default());
    declared.await.unwrap();
}

#[tokio::test]
async fn a_queue_of_another_kind() {
    // The broker names one argument that differs, and which one is its own choice.
    let cases = [
        ("urgent", true, "' is none, wanted '"),
        ("audit", true, "' is none, wanted '"),
        (
            "bulk.retry.1s",
            false,
            "'durable' is 'false', wanted 'true'",
        ),
    ];
    for (queue, durable, differs) in cases {
        let world = World::new("classic").await;
        declare_classic(&world, queue, durable).await;
        let error = world.worker().refused().await;
        let name = world.broker.name(queue);
        for part in [
            &format!("the queue '{name}' exists"),
            differs,
            "delete it and start the worker",
            "or use another REVOKER_PREFIX",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

/// A broker that somebody sets up later is a state: the worker waits for it, as for one that is away.
#[tokio::test]
async fn a_topology_that_is_only_verified() {
    let world = World::new("verify").await;
    let worker = world.worker().set("REVOKER_TOPOLOGY", "verify");
    let mut worker = worker.launch().await;
    let said = "no session with the broker: the topology is not complete: ";
    wait::until("the worker says what is missing", PATIENCE, async || {
        let log = worker.log();
        let line = log
            .iter()
            .find_map(|line| line["message"].as_str()?.strip_prefix(said));
        line.is_some_and(|missing| {
            missing.contains(&world.broker.prefix) && missing.contains("REVOKER_TOPOLOGY=declare")
        })
    })
    .await;
    tokio::time::sleep(WATCHED).await;
    assert!(worker.process.ended().is_none());
    let (status, shown) = worker.readyz().await.unwrap();
    assert_eq!(status, 503, "{shown}");
    assert_eq!(
        world.broker.depth("urgent").await,
        None,
        "it declared a queue"
    );

    world.declare().await;
    worker.until_ready().await;
    world.check_unharmed(&mut worker).await;
}
