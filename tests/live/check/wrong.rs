//! What is wrong with queues, bindings and policies, one fault at a time.

use lapin::{
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;

use super::{EXIT_FAILED, assert_line, check, failed, lines};
use crate::harness::{
    Event, PATIENCE, World,
    checks::text,
    user::{ctl, management_url},
    wait,
};

/// Deletes a queue, with the rights of an operator.
async fn delete(world: &World, queue: &str) {
    let channel = world.broker.connect().await.create_channel().await.unwrap();
    let options = QueueDeleteOptions::default();
    let deleted = channel.queue_delete(world.broker.name(queue).into(), options);
    deleted.await.unwrap();
}

/// Puts a queue of other arguments in the place of ours.
async fn replace(world: &World, queue: &str, arguments: &[(&str, AMQPValue)]) {
    delete(world, queue).await;
    let channel = world.broker.connect().await.create_channel().await.unwrap();
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert((*name).into(), value.clone());
    }
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(world.broker.name(queue).into(), options, table);
    declared.await.unwrap();
}

#[tokio::test]
async fn a_missing_queue_is_named() {
    let world = World::new("check-missing").await;
    world.declare().await;
    delete(&world, "bulk").await;
    let report = check(&world.worker(), &["queues"], EXIT_FAILED).await;
    let missing = format!("not there: {}", world.broker.name("bulk"));
    assert_line(&report, "queues", "failed", &missing);
    assert_eq!(world.broker.depth("bulk").await, None, "it was declared");
}

#[tokio::test]
async fn a_queue_of_another_type_is_named_with_what_to_do() {
    let world = World::new("check-type").await;
    world.declare().await;
    replace(&world, "urgent", &[]).await;
    let report = check(&world.worker(), &["queues"], EXIT_FAILED).await;
    let name = world.broker.name("urgent");
    let differs = format!("the queue '{name}' exists with other arguments: '");
    assert_line(&report, "queues", "failed", &differs);
    let todo = lines(&report, "queues").last().unwrap()["do"].clone();
    assert!(todo.as_str().unwrap().contains("drain it"), "{todo}");
    // The broker names the first argument that it compares, the management API tells them all.
    let settings = world
        .worker()
        .set("REVOKER_RABBITMQ_MANAGEMENT_URL", management_url());
    let report = check(&settings, &["queues", "bindings"], EXIT_FAILED).await;
    // None before RabbitMQ 4, where it is written out.
    let differs = format!("{differs}x-queue-type' is ");
    assert_line(&report, "queues", "failed", &differs);
}

#[tokio::test]
async fn a_low_delivery_limit_is_found_in_arguments_and_policies() {
    let world = World::new("check-limit").await;
    world.declare().await;
    let quorum = ("x-queue-type", text("quorum"));
    let low = ("x-delivery-limit", AMQPValue::LongLongInt(5));
    replace(&world, "dead", &[quorum.clone(), low]).await;
    let limits = ["delivery limits", "dead-letter path"];
    let report = check(&world.worker(), &limits, EXIT_FAILED).await;
    assert_line(
        &report,
        "delivery limits",
        "failed",
        "'x-delivery-limit' is '5'",
    );
    // Unset is low, too: RabbitMQ 4 then drops at the 21st return.
    replace(&world, "dead", &[quorum]).await;
    let report = check(&world.worker(), &limits, EXIT_FAILED).await;
    assert_line(
        &report,
        "delivery limits",
        "failed",
        "'x-delivery-limit' is none",
    );
}

/// A policy can be seen through the management API alone.
#[tokio::test]
async fn a_policy_that_harms_is_found_through_the_management_api() {
    let world = World::new("check-policy").await;
    world.declare().await;
    let settings = || {
        world
            .worker()
            .set("REVOKER_RABBITMQ_MANAGEMENT_URL", management_url())
    };
    check(&settings(), &[], 0).await;
    let pattern = format!("^{}\\.(urgent|dead)$", world.broker.prefix);
    let policy = r#"{"delivery-limit":5,"message-ttl":600000}"#;
    let name = format!("{}-low", world.broker.prefix);
    ctl(&[
        "set_policy",
        &name,
        &pattern,
        policy,
        "--apply-to",
        "queues",
    ])
    .await;
    let blind = check(&world.worker(), &[], 0).await;
    assert_line(&blind, "delivery limits", "ok", "a policy might");
    let report = wait::value("the policy is shown", PATIENCE, async || {
        let report = settings().once(&["check", "--json"]).await.json();
        (failed(&report) == ["delivery limits", "policies"]).then_some(report)
    })
    .await;
    let urgent = world.broker.name("urgent");
    let limit = format!("a policy sets delivery-limit to 5 on {urgent}");
    assert_line(&report, "delivery limits", "failed", &limit);
    let ttl = format!(
        "a policy sets message-ttl to 600000 on {}",
        world.broker.name("dead")
    );
    assert_line(&report, "policies", "failed", &ttl);
    ctl(&["clear_policy", &name]).await;
}

#[tokio::test]
async fn an_unbound_dead_letter_queue_is_found_by_the_canary() {
    let world = World::new("check-unbound").await;
    world.declare().await;
    let channel = world.broker.connect().await.create_channel().await.unwrap();
    let dead = world.broker.name("dead");
    let (queue, exchange) = (dead.as_str().into(), dead.as_str().into());
    let unbound = channel.queue_unbind(queue, exchange, "#".into(), FieldTable::default());
    unbound.await.unwrap();
    let report = check(&world.worker(), &["dead-letter path"], EXIT_FAILED).await;
    assert_line(
        &report,
        "dead-letter path",
        "failed",
        "no queue takes what is published",
    );
    let settings = world
        .worker()
        .set("REVOKER_RABBITMQ_MANAGEMENT_URL", management_url());
    let report = check(&settings, &["bindings", "dead-letter path"], EXIT_FAILED).await;
    assert_line(
        &report,
        "bindings",
        "failed",
        &format!("{dead} is not bound"),
    );
}

#[tokio::test]
async fn events_in_retry_queues_of_other_delays_are_found() {
    let world = World::new("check-orphans").await;
    // 30 s is a usual delay, 7 minutes is not: only who lists the queues finds it.
    let mut before = world
        .worker()
        .set("REVOKER_RETRY_DELAYS", "30s,7m")
        .start()
        .await;
    assert!(before.terminate().await.0.success());
    let settings = || {
        world
            .worker()
            .set("REVOKER_RABBITMQ_MANAGEMENT_URL", management_url())
    };
    let report = check(&world.worker(), &["exchanges", "queues"], EXIT_FAILED).await;
    assert_line(&report, "orphaned retries", "ok", "2 are empty");
    world.declare().await;
    let waiting = ["urgent.retry.30s", "bulk.retry.7m"].map(|q| Event::verify().in_exchange(q));
    world.broker.publish(&waiting).await;
    let report = check(&world.worker(), &["orphaned retries"], EXIT_FAILED).await;
    let usual = format!("1 events wait in {}", world.broker.name("urgent.retry.30s"));
    assert_line(&report, "orphaned retries", "failed", &usual);
    assert_eq!(lines(&report, "orphaned retries").len(), 1);
    wait::until("both are listed", PATIENCE, async || {
        let report = settings().once(&["check", "--json"]).await.json();
        let unusual = format!("1 events wait in {}", world.broker.name("bulk.retry.7m"));
        let lines = lines(&report, "orphaned retries");
        let said = |line: &&Value| line["said"].as_str().unwrap().starts_with(&unusual);
        lines.len() == 2 && lines.into_iter().any(|line| said(&line))
    })
    .await;
}
