//! What the real binary exports, as Prometheus will read it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use revoker::telemetry::catalogue::{CATALOGUE, Kind};

use crate::harness::{Event, PATIENCE, World, wait};

/// Counts what happens without any event.
const COUNTS_BEFORE: [&str; 1] = ["revoker_log_events_total"];

#[tokio::test]
async fn every_counter_is_there_before_the_first_event() {
    let world = World::new("scrape").await;
    let worker = world.worker().start().await;
    let metrics = worker.metrics().await;
    for spec in CATALOGUE {
        let (name, expected) = match spec.kind {
            Kind::Count | Kind::Seconds => (spec.name.to_owned(), spec.children()),
            Kind::Histogram => (format!("{}_count", spec.name), spec.children()),
            Kind::Gauge => continue,
        };
        let values = metrics.values(&name);
        assert_eq!(values.len(), expected, "{name}");
        if !COUNTS_BEFORE.contains(&spec.name) {
            assert!(
                values.iter().all(|value| *value == 0.0),
                "{name}: {values:?}"
            );
        }
    }
    promtool_check(&metrics.text);

    let ids = world.sandbox.seed_sessions(1).await;
    world.broker.publish_one(&Event::session(&ids[0])).await;
    world.broker.publish_one(&Event::raw("{")).await;
    wait::until("both are counted", PATIENCE, async || {
        worker
            .metrics()
            .await
            .sum("revoker_events_completed_total", &[])
            == 2.0
    })
    .await;
    promtool_check(&worker.metrics().await.text);
}

/// Prometheus's own opinion; it fails on what it would only like better, too.
fn promtool_check(metrics: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool must be there: run these tests with `tests/run live`");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(metrics.as_bytes()).unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "promtool: {}\n{said}",
        output.status
    );
}
