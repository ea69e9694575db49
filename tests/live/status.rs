//! `revoker status` against real workers and a real broker, whichever of them is there.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Event, PATIENCE, World,
    once::Ended,
    process::Process,
    secret::assert_withheld,
    wait,
    worker::{Settings, Worker},
};

const EXIT_FAILED: i32 = 1;
const EXIT_UNAVAILABLE: i32 = 69;
/// A port of this machine where nobody listens.
const NOBODY: &str = "127.0.0.1:1";

/// Looks once at these workers.
async fn look(settings: &Settings<'_>, workers: &[&str], more: &[&str]) -> Ended {
    let mut arguments = vec!["status"];
    arguments.extend(more);
    for worker in workers {
        arguments.extend(["--worker", worker]);
    }
    settings.once(&arguments).await
}

fn address(worker: &Worker) -> &str {
    worker.url.trim_start_matches("http://")
}

/// What is said of a queue, by the end of its name.
fn standing<'s>(shown: &'s Value, queue: &str) -> &'s Value {
    let queues = shown["broker"]["queues"].as_array().unwrap().iter();
    let end = format!(".{queue}");
    let mut named = queues.filter(|row| row["name"].as_str().unwrap().ends_with(&end));
    &named.next().expect("the queue is shown")["standing"]
}

fn troubles(shown: &Value) -> Vec<&str> {
    let troubles = shown["troubles"].as_array().unwrap().iter();
    troubles.map(|t| t["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn all_is_well_with_a_worker_and_its_broker() {
    let world = World::new("status").await;
    let mut worker = world.worker().start().await;
    let ended = look(&world.worker(), &[address(&worker)], &["--json"]).await;
    let shown = ended.json();
    assert_eq!((ended.code, &shown["well"]), (0, &json!(true)), "{shown:#}");
    let view = &shown["workers"][0]["view"];
    assert_eq!(view["shown"]["state"], "running");
    assert_eq!(view["version"], env!("CARGO_PKG_VERSION"));
    for lane in ["urgent", "bulk", "unhandled"] {
        assert_eq!(
            standing(&shown, lane),
            &json!({"messages": 0, "consumers": 1})
        );
    }

    // The same for people, at the address that the settings name, and as a URL.
    let settings = world.worker().set("REVOKER_ADMIN_ADDR", address(&worker));
    let screen = look(&settings, &[], &[]).await;
    assert_eq!((screen.code, screen.err.as_str()), (0, ""), "{screen:?}");
    assert!(screen.out.starts_with("WELL   "), "{}", screen.out);
    eprintln!("{}", screen.out);
    let by_url = look(&world.worker(), &[&worker.url], &[]).await;
    assert_eq!(by_url.code, 0, "{by_url:?}");
    world.check_unharmed(&mut worker).await;
}

#[tokio::test]
async fn queues_without_a_worker_are_counted_and_its_absence_is_said() {
    let world = World::new("status-away").await;
    world.declare().await;
    let letters = (0..3).map(|_| Event::verify().in_exchange("dead"));
    let delayed = ["urgent.retry.1s", "bulk.retry.2s"].map(|q| Event::verify().in_exchange(q));
    let mut events: Vec<_> = letters.collect();
    events.extend((0..5).map(|_| Event::verify()));
    events.extend((0..2).map(|_| Event::verify().bulk()));
    world.broker.publish(&events).await;
    let ended = look(&world.worker(), &[NOBODY], &["--json"]).await;
    assert_eq!(ended.code, EXIT_UNAVAILABLE, "{ended:?}");
    let shown = ended.json();
    for (queue, messages) in [("urgent", 5), ("bulk", 2), ("dead", 3)] {
        assert_eq!(
            standing(&shown, queue),
            &json!({"messages": messages, "consumers": 0})
        );
    }
    let notes = shown["notes"].as_array().unwrap();
    assert!(
        notes[0].as_str().unwrap().starts_with("3 dead letters in "),
        "{notes:?}"
    );
    let told = troubles(&shown);
    assert!(
        told[0].starts_with(&format!("worker {NOBODY}: not reachable (")),
        "{told:?}"
    );
    assert!(told[0].ends_with("is it running?"), "{told:?}");
    assert!(told[1].contains(".urgent (5 wait)"), "{told:?}");

    world.broker.publish(&delayed).await;
    let screen = look(&world.worker(), &[NOBODY], &[]).await;
    assert_eq!(screen.code, EXIT_UNAVAILABLE);
    let retries = screen
        .out
        .lines()
        .find(|line| line.starts_with("4 retry queues"));
    assert!(retries.unwrap().contains(" 2 "), "{}", screen.out);
    assert!(
        screen.err.starts_with("error: not everything answers"),
        "{}",
        screen.err
    );
}

#[tokio::test]
async fn a_worker_is_shown_without_its_broker() {
    let world = World::new("status-blind").await;
    let worker = world.worker().start().await;
    wait::until("the worker has read the depths", PATIENCE, async || {
        let metrics = worker.metrics().await;
        metrics.sum("revoker_queue_polled_timestamp_seconds", &[]) > 0.0
    })
    .await;
    let password = "hunter2-Xq7bV0pLdE3sN";
    let nobody = format!("amqp://app:{password}@{NOBODY}");
    let settings = world.worker().set("REVOKER_AMQP_URL", nobody);
    let screen = look(&settings, &[address(&worker)], &[]).await;
    assert_eq!(screen.code, EXIT_UNAVAILABLE, "{screen:?}");
    let refused = "  ! RabbitMQ: the broker cannot be reached: ";
    assert!(screen.out.contains(refused), "{}", screen.out);
    assert!(screen.out.contains("  running  "), "{}", screen.out);
    let last = format!("Worker {} read this ", address(&worker));
    assert!(screen.out.contains(&last), "{}", screen.out);
    assert_withheld("the screen", &screen.out, password);

    // Refused is not away: waiting does not help.
    let wrong = world
        .broker
        .url
        .replace(":guest@", &format!(":{password}@"));
    let settings = world.worker().set("REVOKER_AMQP_URL", wrong);
    let refused = look(&settings, &[address(&worker)], &["--json"]).await;
    assert_eq!(refused.code, EXIT_FAILED, "{refused:?}");
    let shown = refused.json();
    let told = troubles(&shown);
    assert!(
        told[0].contains("the user 'guest' or its password is wrong"),
        "{told:?}"
    );
    assert_withheld("the JSON", &refused.out, password);

    let settings = world.worker().set("REVOKER_AMQP_URL", "");
    let unasked = look(&settings, &[address(&worker)], &[]).await;
    assert_eq!(unasked.code, 0, "{unasked:?}");
    assert!(
        unasked.out.contains("REVOKER_AMQP_URL is not set"),
        "{}",
        unasked.out
    );
}

#[tokio::test]
async fn a_worker_that_is_held_up_says_why_and_what_is_next() {
    let world = World::new("status-held").await;
    let worker = world
        .worker()
        .set("REVOKER_STYTCH_SECRET", "secret-test-wrong");
    let worker = worker.start().await;
    let id = world.sandbox.seed_sessions(1).await.remove(0);
    world.broker.publish_one(&Event::session(&id)).await;
    let ended = wait::value("credentials are shown", PATIENCE, async || {
        let ended = look(&world.worker(), &[address(&worker)], &["--json"]).await;
        (ended.json()["workers"][0]["view"]["shown"]["state"] == "credentials").then_some(ended)
    })
    .await;
    assert_eq!(ended.code, EXIT_FAILED);
    let shown = ended.json();
    let told = troubles(&shown);
    assert!(
        told[0].contains("Stytch refuses our API secret; put the "),
        "{told:?}"
    );
    assert!(told[0].contains("; next probe in "), "{told:?}");
    let urgent = &shown["workers"][0]["view"]["lanes"]["urgent"];
    assert_eq!(urgent["events"], 1);
    assert!(urgent["oldest"].is_string(), "{urgent}");
}

#[tokio::test]
async fn watching_looks_again_until_it_is_interrupted() {
    let world = World::new("status-watch").await;
    let worker = world.worker().start().await;
    let log = world.file("watch.log");
    let variables = [
        ("REVOKER_AMQP_URL", world.broker.url.as_str()),
        ("REVOKER_PREFIX", &world.broker.prefix),
        ("REVOKER_RETRY_DELAYS", "1s,2s"),
    ];
    let arguments = ["status", "--watch", "1", "--json", "--worker", &worker.url];
    let mut watching = Process::spawn(&arguments, variables, log);
    wait::until("three looks", PATIENCE, async || {
        watching.log().lines().count() >= 3
    })
    .await;
    watching.signal("INT");
    let status = watching.exit(Duration::from_secs(10)).await;
    assert!(status.success(), "{status}");
    for line in watching.log().lines() {
        let shown: Value = serde_json::from_str(line).unwrap();
        assert_eq!(shown["well"], true, "{shown:#}");
    }
}
