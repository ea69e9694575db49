//! The API refuses our credentials, in every form that it has for it, until the secret file changes.

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::future::join_all;
use serde_json::json;

use super::{form::form, row::Row};
use crate::harness::{PATIENCE, World, ledger::Ledger, sandbox::SECRET, wait, worker::Worker};

const EVENTS: usize = 40;
/// A secret that the pretend API refuses, and that nobody may see.
const WRONG_SECRET: &str = "secret-test-Xq7bV0pLdE3sN-h9TzWrong";
/// From the new secret file to the first revocation.
const RESUMES_WITHIN: Duration = Duration::from_secs(5);
/// The rest is for a busy machine.
const BUSY: Duration = Duration::from_secs(5);
/// Canaries ask each 30 s.
const PROBE_EVERY_S: f64 = 30.0;

/// Error types that the API answers in place of anything else; the first, none, is the pretend API's
/// own answer to a wrong secret.
const FORMS: [(&str, Option<&str>); 7] = [
    ("wrong secret", None),
    ("401", Some("unauthorized_credentials")),
    (
        "400 authorization header",
        Some("invalid_authorization_header"),
    ),
    ("400 project", Some("invalid_project_id_authentication")),
    ("400 secret", Some("invalid_secret_authentication")),
    ("project id", Some("invalid_project_id")),
    ("secret id", Some("invalid_secret_id")),
];

#[tokio::test]
async fn row_10_bad_credentials() {
    // The first lasts for minutes: longer than a reminder in the log takes to come.
    let lasts_s = form([65, 5], [130, 15], [300, 70]);
    let lasts = |at: usize| Duration::from_secs(lasts_s[at.min(1)]);
    let rows = FORMS.iter().enumerate();
    join_all(rows.map(|(at, (name, fault))| check(name, *fault, lasts(at)))).await;
}

async fn check(name: &'static str, fault: Option<&str>, lasts: Duration) {
    let mut row = Row::new(10, name);
    let world = World::new("credentials").await;
    world.sandbox.faults(&json!({ "answer_all": fault })).await;
    let file = world.file("secret");
    write(&file, WRONG_SECRET);
    let worker = world.worker().without("REVOKER_STYTCH_SECRET");
    let worker = worker.set("REVOKER_STYTCH_SECRET_FILE", file.display());
    let mut worker = worker.start().await;
    row.begins(&worker);
    row.faults += 1;
    let ledger = Ledger::of_good(&world, EVENTS).await;
    world.broker.publish(&ledger.events).await;
    outlast(&mut row, &worker, lasts).await;
    assert_eq!(world.sandbox.revoked().await, 0);

    // The fault first: a canary that comes between the two is refused for the old secret.
    world.sandbox.faults(&json!({})).await;
    let changed_at = write(&file, SECRET);
    ledger.settled(&world, PATIENCE).await;
    check_resumed(&world, changed_at).await;
    row.ends(&worker);
    worker.assert_withholds(WRONG_SECRET).await;
    assert!(worker.terminate().await.0.success(), "it was restarted");
    row.judge(&ledger.tally(&world).await);
    for outcome in world.broker.outcomes().await {
        // Our credentials are no event's failure.
        assert_eq!(outcome.body["attempts"], 0);
    }
}

/// Replaces the secret as an orchestrator does, whole or not at all. Returns when, in Unix time.
fn write(file: &Path, secret: &str) -> Duration {
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{secret}\n")).unwrap();
    std::fs::rename(&new, file).unwrap();
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Nothing moves, and it is said once a minute.
async fn outlast(row: &mut Row, worker: &Worker, lasts: Duration) {
    wait::until("the worker says so", PATIENCE, async || {
        worker.metrics().await.state() == "credentials"
    })
    .await;
    let probes = async || {
        let probe = [("call", "probe")];
        let metrics = worker.metrics().await;
        metrics.sum("revoker_stytch_requests_total", &probe)
    };
    let (before, lines) = (probes().await, told(worker));
    row.waits(worker, lasts).await;
    let (probes, lines) = (probes().await - before, told(worker) - lines);
    let probes_max = lasts.as_secs_f64() / PROBE_EVERY_S + 1.0;
    assert!(probes <= probes_max, "{probes} canaries in {lasts:?}");
    // A reminder may have been due when the watch began, and another when it ended.
    let minutes = lasts.as_secs() / 60;
    assert!(
        (minutes.saturating_sub(1)..=minutes + 1).contains(&(lines as u64)),
        "{lines} lines in {lasts:?}"
    );
    assert!(minutes == 0 || lines > 0, "not a word in {lasts:?}");
    let metrics = worker.metrics().await;
    assert_eq!(metrics.state(), "credentials");
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    assert!(worker.is_ready().await, "a restart would help nobody");
}

/// Lines of the log that tell of this state.
fn told(worker: &Worker) -> usize {
    let log = worker.log().into_iter();
    log.filter(|line| line["state"] == "credentials").count()
}

/// The first revocation came soon after the secret changed.
async fn check_resumed(world: &World, changed_at: Duration) {
    let sessions = world.sandbox.sessions().await;
    let first_ms = sessions.values().filter_map(|s| s.revoked_at_ms).min();
    let first = Duration::from_millis(first_ms.expect("all are revoked").unsigned_abs());
    let took = first.saturating_sub(changed_at);
    eprintln!("resumed {took:.1?} after the secret changed");
    assert!(took <= RESUMES_WITHIN + form(BUSY, BUSY, Duration::ZERO));
}
