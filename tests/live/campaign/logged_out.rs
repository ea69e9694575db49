//! A long list logged out under a rate limit, while workers and the publisher are killed.

use serde_json::Value;

use super::{LONGEST, Users, users_all};
use crate::harness::{PATIENCE, World, wait};

/// How often the worker is killed.
const KILLS: usize = 3;

#[tokio::test]
async fn everybody_on_a_list_while_workers_and_the_publisher_are_killed() {
    let world = World::with_sandbox("logged-out", &["--limit", "1000/s"]).await;
    let users = Users::seed(&world, users_all()).await;
    let list = users.write(&world);
    let (list, cutoff) = (list.to_str().unwrap(), users.cutoff.to_string());
    let mut worker = world.worker().start().await;
    let arguments = |more: &'static str| {
        [
            "campaign",
            "start",
            list,
            "--campaign",
            "incident-1",
            "--reason",
            "security_incident",
            "--why",
            "stolen database",
            "--yes",
            more,
            "--cutoff",
            &cutoff,
        ]
    };
    let mut start = world.worker().spawn_of(&arguments("--json"));
    // The first alone have been answered, and the rest is on its way.
    wait::until("more than the first are published", PATIENCE, async || {
        published(&world).await > 50
    })
    .await;
    start.kill9();
    for kill in 1..=KILLS {
        let before = world.sandbox.revoked().await;
        wait::until("the worker works", PATIENCE, async || {
            world.sandbox.revoked().await > before + 50 || status(&world).await["complete"] == true
        })
        .await;
        worker.kill9();
        worker = world.worker().start().await;
        if kill == 1 {
            start = world.worker().spawn_of(&arguments("--no-wait"));
        }
    }
    let ended = start.exit(LONGEST).await;
    assert!(ended.success(), "{}", start.log());
    check(&world, &users).await;
    check_report(&world, list).await;
    let _ = worker.terminate().await;
}

/// All is proven, and so it is in the sandbox.
async fn check(world: &World, users: &Users) {
    let ended = world
        .worker()
        .once(&["campaign", "status", "incident-1", "--wait", "--json"])
        .await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = ended.json();
    let expected = users.ids.len() as u64;
    assert_eq!(told["complete"], true, "{told}");
    assert_eq!(told["proven"], expected);
    assert_eq!(
        told["parts"].as_array().unwrap().len(),
        1,
        "the second start went on with the first"
    );
    let newer = users.sessions.values().filter(|ends| !**ends).count() as u64;
    assert_eq!(told["sessions_newer"], newer);
    let by_outcome = told["outcomes"].as_object().unwrap().values();
    assert_eq!(by_outcome.filter_map(Value::as_u64).sum::<u64>(), expected);
    users.check(world).await;
    let text = world
        .worker()
        .once(&["campaign", "status", "incident-1"])
        .await;
    assert!(
        text.out
            .contains(&format!("{expected} of {expected} (100 %)")),
        "{}",
        text.out
    );
}

/// The report is whole, and nobody on the list lacks.
async fn check_report(world: &World, list: &str) {
    let out = world.file("report");
    let out = out.to_str().unwrap();
    let report = [
        "campaign",
        "report",
        "incident-1",
        "--out",
        out,
        "--input",
        list,
    ];
    let ended = world.worker().once(&report).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let missing = std::fs::read_to_string(format!("{out}/missing.csv")).unwrap();
    assert_eq!(missing, "user_id\n");
    let ended = world
        .worker()
        .once(&["campaign", "verify-report", out])
        .await;
    assert_eq!(ended.code, 0, "{ended:?}");
}

async fn status(world: &World) -> Value {
    let ended = world
        .worker()
        .once(&["campaign", "status", "incident-1", "--json"])
        .await;
    serde_json::from_str(&ended.out).unwrap_or_default()
}

async fn published(world: &World) -> u64 {
    let listed = world.worker().once(&["campaign", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(listed.out.trim()).unwrap_or_default();
    listed["published"].as_u64().unwrap_or(0)
}
