//! `revoker check` against a real broker: nothing is changed by looking, and what is wrong is found.

mod refused;
mod wrong;

use lapin::options::BasicGetOptions;
use serde_json::Value;

use crate::harness::{Event, World, user::management_url, worker::Settings};

const EXIT_FAILED: i32 = 1;
const EXIT_UNAVAILABLE: i32 = 69;
/// A port of this machine where nobody listens.
const NOBODY: &str = "127.0.0.1:1";

/// The lines of one check, such as `queues`.
fn lines<'r>(report: &'r Value, check: &str) -> Vec<&'r Value> {
    let lines = report["lines"].as_array().unwrap().iter();
    lines.filter(|line| line["check"] == check).collect()
}

/// The one line of that check with that verdict holds these words.
fn assert_line(report: &Value, check: &str, verdict: &str, words: &str) {
    let lines = lines(report, check);
    let said = |line: &&&Value| {
        line["verdict"] == verdict && line["said"].as_str().unwrap().contains(words)
    };
    let found = lines.iter().filter(said).count();
    assert_eq!(found, 1, "{check}, {verdict}, {words}: {lines:#?}");
}

/// The checks that failed, each once.
fn failed(report: &Value) -> Vec<&str> {
    let lines = report["lines"].as_array().unwrap().iter();
    let failed = lines.filter(|line| line["verdict"] == "failed");
    let mut checks: Vec<_> = failed.map(|line| line["check"].as_str().unwrap()).collect();
    checks.dedup();
    checks
}

/// Runs it: these checks fail, and no others.
async fn check(settings: &Settings<'_>, wanted: &[&str], code: i32) -> Value {
    let ended = settings.once(&["check", "--json"]).await;
    let report = ended.json();
    assert_eq!(failed(&report), wanted, "{report:#}");
    assert_eq!(ended.code, code, "{report:#}");
    assert_eq!(report["well"], wanted.is_empty());
    report
}

/// The first message of a queue has never been given out.
async fn assert_untouched(world: &World, queue: &str) {
    let channel = world.broker.connect().await.create_channel().await.unwrap();
    let options = BasicGetOptions { no_ack: false };
    let got = channel.basic_get(world.broker.name(queue).into(), options);
    let delivery = got.await.unwrap().expect("its message is there").delivery;
    assert!(!delivery.redelivered, "{queue}: it was given out before");
    channel.close(200, "seen".into()).await.unwrap();
}

#[tokio::test]
async fn beside_a_live_worker_all_is_well_and_nothing_is_touched() {
    let world = World::new("check").await;
    let mut worker = world.worker().start().await;
    let whole = world
        .worker()
        .set("REVOKER_RABBITMQ_MANAGEMENT_URL", management_url());
    let report = check(&whole, &[], 0).await;
    let unknown = report["lines"].as_array().unwrap().iter();
    let unknown: Vec<_> = unknown.filter(|l| l["verdict"] == "not checked").collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let canary = "a canary arrived in";
    assert_line(&report, "dead-letter path", "ok", canary);
    assert_line(
        &report,
        "credentials",
        "ok",
        "project \"Sandbox\", project-test-",
    );
    assert_line(&report, "management API", "ok", "10 queues");

    // Without the management API its part is not checked, and all else is.
    let report = check(&world.worker(), &[], 0).await;
    for part in ["management API", "bindings", "policies"] {
        assert_eq!(lines(&report, part)[0]["verdict"], "not checked");
    }
    let ended = world.worker().once(&["check"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert!(
        ended
            .out
            .contains("ok           queues            10 are there"),
        "{}",
        ended.out
    );
    eprintln!("{}", ended.out);

    let metrics = worker.metrics().await;
    assert_eq!(metrics.sum("revoker_events_received_total", &[]), 0.0);
    assert_eq!(metrics.sum("revoker_amqp_consumer_cancels_total", &[]), 0.0);
    assert_eq!(world.broker.depth("dead").await, Some(0));
    assert!(world.broker.outcomes().await.is_empty());
    world.check_unharmed(&mut worker).await;
}

#[tokio::test]
async fn messages_that_wait_are_not_given_out_and_no_canary_goes_behind_a_dead_letter() {
    let world = World::new("check-waiting").await;
    world.declare().await;
    let letter = Event::verify().in_exchange("dead");
    let waiting = [Event::verify(), Event::verify().bulk(), letter];
    world.broker.publish(&waiting).await;
    let report = check(&world.worker(), &[], 0).await;
    assert_line(
        &report,
        "dead-letter path",
        "not checked",
        "1 dead letters stand in",
    );
    assert_line(&report, "rights", "ok", "our user may write to and read");
    for queue in ["urgent", "bulk", "dead"] {
        assert_eq!(world.broker.depth(queue).await, Some(1));
        assert_untouched(&world, queue).await;
    }
}

#[tokio::test]
async fn before_the_first_worker_all_is_missing_and_stays_so() {
    let world = World::new("check-first").await;
    let missing = ["owner lock", "exchanges", "queues"];
    let report = check(&world.worker(), &missing, EXIT_FAILED).await;
    assert_line(&report, "queues", "failed", "not there: ");
    assert_line(&report, "dead-letter path", "not checked", "is not there");
    assert_eq!(world.broker.depth("urgent").await, None, "it was declared");
}
