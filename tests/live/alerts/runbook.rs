//! Every command of the runbook, as it stands, by somebody who has only filled in what is his.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::json;

use crate::harness::{
    Event, PATIENCE, World, operator::started, prometheus::Prometheus, wait, worker,
};

/// The commands of a text's shell blocks.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("```sh\n").skip(1);
    blocks.flat_map(|rest| rest.split("```").next().unwrap().lines())
}

/// A folder of programs that find this world: the binary under test, and `rabbitmqctl` for its node.
fn programs(world: &World) -> PathBuf {
    let folder = world.file("bin");
    std::fs::create_dir(&folder).unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    let node = std::env::var("LIVE_NODE_DIR").expect("tests/run names the node's folder");
    let write = |name: &str, line: &str| {
        let file = folder.join(name);
        std::fs::write(&file, format!("#!/bin/sh\nexec {line} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    };
    write("revoker", env!("CARGO_BIN_EXE_revoker"));
    write(
        "rabbitmqctl",
        &format!("{root}/deploy/rabbitmq/private-node ctl {node}"),
    );
    folder
}

/// Runs one line as a shell of the operator's would.
async fn run(
    line: &str,
    programs: &Path,
    settings: &worker::Settings<'_>,
    own: &[(&str, &str)],
) -> Output {
    let mut shell = Command::new("bash");
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs.display());
    shell
        .args(["-o", "pipefail", "-c", line])
        .stdin(Stdio::null());
    shell
        .env_clear()
        .env("PATH", path)
        .envs(settings.variables());
    shell.envs(own.iter().copied());
    let ended = tokio::task::spawn_blocking(move || shell.output());
    ended.await.unwrap().expect("bash must run")
}

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
    let programs = programs(&world);
    let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/RUNBOOK.md");
    let runbook = std::fs::read_to_string(runbook).unwrap();
    let mut done: Vec<&str> = Vec::new();
    for line in commands(&runbook) {
        // What only looks is run once, however often it is advised.
        if done.contains(&line) {
            continue;
        }
        let output = run(line, &programs, &settings, &own).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{line}\n{}\n{said}{complained}",
            output.status
        );
        done.push(line);
    }
    assert!(done.len() > 40, "only {} commands were found", done.len());

    // What they were to do is done: replayed and revoked, given up, and the lane is free again.
    assert_eq!(world.sandbox.revoked().await, 3);
    assert_eq!(world.broker.depth("dead").await, Some(1), "the token's");
    assert_eq!(worker.metrics().await.sum("revoker_bulk_held", &[]), 0.0);
}
