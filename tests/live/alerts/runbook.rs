//! Every command of the runbook, as it stands, by somebody who has only filled in what is his.

use std::path::Path;

use serde_json::json;

use crate::harness::{
    Event, PATIENCE, World,
    operator::started,
    prometheus::Prometheus,
    shell::{Shell, blocks},
    wait,
};

/// Dead letters of more than one kind, whose cause is mended then.
async fn letters(world: &World) -> String {
    let sessions = world.sandbox.seed_sessions(3).await;
    let (_, token) = world.sandbox.seed_token().await;
    let refused = |id: &String| (id.clone(), json!("invalid_session_id"));
    let mut by_id: serde_json::Map<_, _> = sessions.iter().map(refused).collect();
    by_id.insert(token.clone(), json!("invalid_session_token"));
    world.sandbox.faults(&json!({ "by_id": by_id })).await;
    let urgent = Event::session(&sessions[0]);
    let shown = urgent.id.clone();
    let events = [
        urgent,
        Event::session(&sessions[1]),
        Event::session(&sessions[2]).bulk(),
        Event::new(json!({ "session_token": token })),
        Event::new(json!({ "session_id": "no session" })),
    ];
    world.broker.publish(&events).await;
    wait::until("all are dead", PATIENCE, async || {
        world.broker.depth("dead").await == Some(5)
    })
    .await;
    world.sandbox.faults(&json!({})).await;
    shown
}

#[tokio::test]
async fn each_command_does_its_work() {
    let world = World::new("runbook").await;
    let worker = world.worker().start().await;
    let prometheus = Prometheus::start(&world, &worker.url).await;
    let event_id = letters(&world).await;
    world.broker.order(&[started("breach")]).await;

    let admin = worker.url.trim_start_matches("http://");
    let settings = world.worker().set("REVOKER_ADMIN_ADDR", admin);
    let own = [
        ("VHOST", "/"),
        ("TICKET", "INC-7"),
        ("CODE", "invalid_session_id"),
        ("CAMPAIGN", "breach"),
        ("EVENT_ID", &event_id),
        ("PROMETHEUS_URL", &prometheus.url),
    ];
    let node = std::env::var("LIVE_NODE_DIR").expect("tests/run names the node's folder");
    let shell = Shell::new(&world, Path::new(&node));
    let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/RUNBOOK.md");
    let runbook = std::fs::read_to_string(runbook).unwrap();
    let mut done: Vec<&str> = Vec::new();
    for line in blocks(&runbook).flat_map(str::lines) {
        // What only looks is run once, however often it is advised.
        if !done.contains(&line) {
            shell.run(line, &settings, &own).await;
            done.push(line);
        }
    }
    assert!(done.len() > 40, "only {} commands were found", done.len());

    // What they were to do is done: replayed and revoked, given up, and the lane is free again.
    assert_eq!(world.sandbox.revoked().await, 3);
    assert_eq!(world.broker.depth("dead").await, Some(1), "the token's");
    assert_eq!(worker.metrics().await.sum("revoker_bulk_held", &[]), 0.0);
}
