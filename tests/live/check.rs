//! `revoker check` against a real broker: what is wrong is found, and nothing is changed by looking.

use lapin::{
    options::{BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;

use crate::harness::{
    Event, PATIENCE, World,
    checks::text,
    once::Ended,
    secret::assert_withheld,
    user::{User, ctl, management_url},
    wait,
    worker::Settings,
};

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
    let differs = format!("{differs}x-queue-type' is none, wanted \"quorum\"");
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

/// Standard output and standard error show no password.
fn assert_says_no_password(ended: &Ended, password: &str) {
    assert_withheld("standard output", &ended.out, password);
    assert_withheld("standard error", &ended.err, password);
}

#[tokio::test]
async fn a_wrong_password_is_told_with_the_user_and_without_the_password() {
    let world = World::new("check-login").await;
    let user = User::new("checked").await;
    let password = "hunter2-Xq7bV0pLdE3sN";
    let url = user
        .of(&world.broker)
        .url
        .replace(user.password(), password);
    let settings = world.worker().set("REVOKER_AMQP_URL", &url);
    let report = check(&settings, &["broker"], EXIT_FAILED).await;
    let said = format!("the user '{}' or its password is wrong", user.name);
    assert_line(&report, "broker", "failed", &said);
    assert_line(&report, "queues", "not checked", "RabbitMQ cannot be used");
    assert_says_no_password(&settings.once(&["check"]).await, password);
    let nobody = format!("amqp://app:{password}@{NOBODY}");
    let settings = world.worker().set("REVOKER_AMQP_URL", nobody);
    let report = check(&settings, &["broker"], EXIT_UNAVAILABLE).await;
    assert_line(&report, "broker", "failed", "cannot be reached");
    assert_says_no_password(&settings.once(&["check"]).await, password);
}

#[tokio::test]
async fn rights_that_lack_are_named_and_a_verifying_user_needs_few() {
    let world = World::new("check-rights").await;
    world.declare().await;
    let user = User::new("rights").await;
    let url = user.of(&world.broker).url;
    let settings = || world.worker().set("REVOKER_AMQP_URL", &url);
    let verify = || settings().set("REVOKER_TOPOLOGY", "verify");
    user.permit_each("\\.owner$", ".*", ".*").await;
    let report = check(&verify(), &[], 0).await;
    assert_line(
        &report,
        "queues",
        "not checked",
        "10 are there, but our user may not declare",
    );
    let all = verify().set("REVOKER_RABBITMQ_MANAGEMENT_URL", management_url());
    let report = check(&all, &[], 0).await;
    assert_line(&report, "queues", "ok", "10 are there, as they should be");
    // One that declares needs more, and the worker would not start.
    check(&settings(), &["exchanges", "queues"], EXIT_FAILED).await;

    user.permit_each("\\.owner$", "^(?!.*\\.dead$)", "^(?!.*\\.bulk$)")
        .await;
    let report = check(&verify(), &["rights", "dead-letter path"], EXIT_FAILED).await;
    for (kind, name) in [("exchange", "dead"), ("queue", "bulk")] {
        let said = format!("access to {kind} '{}'", world.broker.name(name));
        assert_line(&report, "rights", "failed", &said);
    }
}

#[tokio::test]
async fn stytchs_refusal_and_silence_are_told_apart() {
    let world = World::new("check-stytch").await;
    world.declare().await;
    let settings = world
        .worker()
        .set("REVOKER_STYTCH_SECRET", "secret-test-wrong");
    let report = check(&settings, &["credentials"], EXIT_FAILED).await;
    let said = "Stytch refuses our API secret (HTTP 401 unauthorized_credentials";
    assert_line(&report, "credentials", "failed", said);
    let away = format!("http://{NOBODY}");
    let settings = world.worker().set("REVOKER_STYTCH_BASE_URL", away);
    let report = check(&settings, &["credentials"], EXIT_UNAVAILABLE).await;
    assert_line(&report, "credentials", "failed", "Stytch cannot be reached");
    let elsewhere = format!("{}/v2", world.sandbox.url);
    let settings = world.worker().set("REVOKER_STYTCH_BASE_URL", &elsewhere);
    let report = settings.once(&["check", "--json"]).await;
    assert_eq!(report.code, 64, "a path is no setting: {report:?}");
    assert_eq!(failed(&report.json()), ["settings"]);
}

#[tokio::test]
async fn a_management_api_that_refuses_or_is_away_hides_nothing_else() {
    let world = World::new("check-management").await;
    world.declare().await;
    let with = |url: String| world.worker().set("REVOKER_RABBITMQ_MANAGEMENT_URL", url);
    let wrong = management_url().replace(":guest@", ":hunter2-Xq7bV0pL@");
    let report = check(&with(wrong.clone()), &["management API"], EXIT_FAILED).await;
    assert_line(
        &report,
        "management API",
        "failed",
        "refuses the user (HTTP 401)",
    );
    assert_line(&report, "queues", "ok", "10 are there");
    assert_says_no_password(&with(wrong).once(&["check"]).await, "hunter2-Xq7bV0pL");
    let away = with(format!("http://{NOBODY}"));
    let report = check(&away, &["management API"], EXIT_UNAVAILABLE).await;
    assert_line(&report, "management API", "failed", "does not answer");
    let other = with(world.sandbox.url.clone());
    check(&other, &["management API"], EXIT_FAILED).await;
    // Without a user in the URL it is the broker's.
    let (_, address) = management_url()
        .split_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let report = check(&with(format!("http://{address}")), &[], 0).await;
    assert_line(&report, "management API", "ok", "RabbitMQ ");
}
