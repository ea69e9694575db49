//! Who refuses us or does not answer: RabbitMQ, Stytch, the management API.

use super::{EXIT_FAILED, EXIT_UNAVAILABLE, NOBODY, assert_line, check, failed};
use crate::harness::{
    World,
    once::Ended,
    secret::assert_withheld,
    user::{User, management_url},
};

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

    let but_two = "^(?!.*\\.(bulk|control)$)";
    user.permit_each("\\.owner$", "^(?!.*\\.dead$)", but_two)
        .await;
    let report = check(&verify(), &["rights", "dead-letter path"], EXIT_FAILED).await;
    for (kind, name) in [
        ("exchange", "dead"),
        ("queue", "bulk"),
        ("queue", "control"),
    ] {
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
