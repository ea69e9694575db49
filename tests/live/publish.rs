//! `revoker publish`: what it says it published is in the queue, and nothing it says shows a secret.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use lapin::{ExchangeKind, options::ExchangeDeclareOptions, types::FieldTable};
use serde_json::{Value, json};

use crate::harness::{Event, PATIENCE, World, secret::assert_withheld, user::User, wait};

const EXIT_FAILED: i32 = 1;

/// Exit code, standard output, standard error.
type Ended = (i32, String, String);

/// Runs it with this URL and prefix and nothing of the caller's environment.
async fn publish(url: &str, prefix: &str, args: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revoker"));
    command.arg("publish").args(args).env_clear();
    command.envs([("REVOKER_AMQP_URL", url), ("REVOKER_PREFIX", prefix)]);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn().unwrap();
    // It may have refused its arguments before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = ended.await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("it ends by itself");
    (code, text(output.stdout), text(output.stderr))
}

/// A user whose password nothing may show, and the URL that holds it.
async fn user(world: &World) -> (User, String) {
    let user = User::new("operator").await;
    let url = user.of(&world.broker).url;
    (user, url)
}

fn check_withheld(ended: &Ended, user: &User) {
    assert_withheld("standard output", &ended.1, user.password());
    assert_withheld("standard error", &ended.2, user.password());
}

#[tokio::test]
async fn from_flags_and_from_standard_input() {
    let world = World::new("publish").await;
    world.declare().await;
    let (user, url) = user(&world).await;
    let prefix = &world.broker.prefix;
    let (of_token, token) = world.sandbox.seed_token().await;
    let ids = world.sandbox.seed_sessions(2).await;

    let flags = [
        "--session-id",
        &ids[0],
        "--reason",
        "admin_action",
        "--id",
        "by-flags",
    ];
    let by_flags = publish(&url, prefix, &flags, "").await;
    let said = format!("published by-flags to {prefix}.urgent as cli\n");
    assert_eq!(by_flags, (0, said, String::new()));

    let event = Event::session(&ids[1]);
    let input = String::from_utf8(event.body.clone()).unwrap();
    let args = ["-", "--lane", "bulk", "--publisher", "accounts", "--json"];
    let by_input = publish(&url, prefix, &args, &input).await;
    let told: Value = serde_json::from_str(&by_input.1).unwrap();
    let exchange = format!("{prefix}.bulk");
    let wanted = json!({"event_id": event.id, "exchange": exchange, "publisher": "accounts"});
    assert_eq!((by_input.0, &told), (0, &wanted));

    let args = ["--session-token-file", "-", "--reason", "device_lost"];
    let by_token = publish(&url, prefix, &args, &format!("{token}\n")).await;
    assert_eq!(by_token.0, 0, "{}", by_token.2);
    assert_withheld("standard output", &by_token.1, &token);

    // Confirmed means that they are there, and stay there.
    assert_eq!(world.broker.depth("urgent").await, Some(2));
    assert_eq!(world.broker.depth("bulk").await, Some(1));
    for ended in [&by_flags, &by_input, &by_token] {
        check_withheld(ended, &user);
    }
    let mut worker = world.worker().start().await;
    wait::until("all are revoked", PATIENCE, async || {
        world.sandbox.revoked().await == 3
    })
    .await;
    assert!(
        world.sandbox.sessions().await[&of_token]
            .revoked_at_ms
            .is_some()
    );
    world.check_unharmed(&mut worker).await;
}

#[tokio::test]
async fn what_no_queue_takes_is_not_published() {
    let world = World::new("unroutable").await;
    let (user, url) = user(&world).await;
    let id = &world.sandbox.seed_sessions(1).await[0];
    let args = ["--session-id", id, "--reason", "policy"];
    let check = async |why: &str| {
        let ended = publish(&url, &world.broker.prefix, &args, "").await;
        let (code, stdout, stderr) = &ended;
        assert_eq!((*code, stdout.as_str()), (EXIT_FAILED, ""), "{why}");
        let exchange = world.broker.name("urgent");
        let no_queue = format!("error: no queue takes what is published to {exchange}, ");
        assert!(stderr.starts_with(&no_queue), "{why}: {stderr}");
        assert!(stderr.contains("start a worker with the same vhost and REVOKER_PREFIX"));
        check_withheld(&ended, &user);
    };
    check("no exchange").await;
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let (name, kind) = (world.broker.name("urgent").into(), ExchangeKind::Topic);
    let declared = channel.exchange_declare(name, kind, durable, FieldTable::default());
    declared.await.unwrap();
    check("an exchange without a queue").await;
}

#[tokio::test]
async fn a_broker_that_refuses() {
    let world = World::new("refusing").await;
    world.declare().await;
    let (user, url) = user(&world).await;
    let args = ["--user-id", "user-test-7", "--reason", "policy"];
    user.permit("^$").await;
    let forbidden = publish(&url, &world.broker.prefix, &args, "").await;
    assert_eq!(forbidden.0, EXIT_FAILED, "{forbidden:?}");
    assert!(forbidden.2.contains("ACCESS_REFUSED"), "{}", forbidden.2);
    check_withheld(&forbidden, &user);

    let wrong = url.replace('@', "-wrong@");
    let ended = publish(&wrong, &world.broker.prefix, &args, "").await;
    assert_eq!(ended.0, EXIT_FAILED, "{ended:?}");
    assert!(
        ended.2.starts_with("error: the broker refused us: "),
        "{}",
        ended.2
    );
    check_withheld(&ended, &user);
    assert_eq!(world.broker.depth("urgent").await, Some(0));
}
