//! Each secret is replaced by the steps of SECRETS.md, while a worker works; nothing is lost for it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use revoker::settle::seal::KeyRing;
use serde_json::json;

use super::book::Book;
use crate::harness::{
    Event, PATIENCE, World,
    sandbox::SECRET,
    user::User,
    wait,
    worker::{Settings, Worker},
};

/// Why dead letters of these tests are none of the worker's fault.
const CODE: &str = "invalid_session_id";

/// The folder of the node that all share.
fn node() -> PathBuf {
    std::env::var("LIVE_NODE_DIR")
        .expect("tests/run names the node's folder")
        .into()
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Publishes an event and waits until its session is revoked.
async fn revoke_one(world: &World) {
    let session = world.sandbox.seed_sessions(1).await.remove(0);
    world.broker.publish_one(&Event::session(&session)).await;
    until_revoked(world, &session).await;
}

async fn until_revoked(world: &World, session: &str) {
    wait::until("it is revoked", PATIENCE, async || {
        world.sandbox.sessions().await[session]
            .revoked_at_ms
            .is_some()
    })
    .await;
}

async fn end(world: &World, mut worker: Worker) {
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
    assert_eq!(world.broker.depth("dead").await, Some(0));
}

#[tokio::test]
async fn the_api_secret() {
    let world = World::new("secret-rotated").await;
    let file = world.file("secret");
    // What the pretend API takes is the new one: the old one was taken away already.
    write(&file, "secret-test-the-old-one");
    let settings = || {
        let worker = world.worker().without("REVOKER_STYTCH_SECRET");
        worker.set("REVOKER_STYTCH_SECRET_FILE", file.display())
    };
    let worker = settings().start().await;
    let session = world.sandbox.seed_sessions(1).await.remove(0);
    world.broker.publish_one(&Event::session(&session)).await;
    wait::until("it is refused", PATIENCE, async || {
        worker.metrics().await.state() == "credentials"
    })
    .await;
    let mut book = Book::at("Stytch's API secret", &world, &node());
    book.run(&settings(), &[("NEW_SECRET", SECRET)]).await;
    book.close();
    until_revoked(&world, &session).await;
    worker.assert_withholds(SECRET).await;
    end(&world, worker).await;
}

#[tokio::test]
async fn the_password_of_the_broker() {
    let world = World::new("password-rotated").await;
    let (user, file) = (User::new("rotated").await, world.file("password"));
    write(&file, user.password());
    let url = user.of(&world.broker).url;
    let url = url.replace(&format!(":{}@", user.password()), "@");
    let settings = || {
        let worker = world.worker().set("REVOKER_AMQP_URL", &url);
        worker.set("REVOKER_AMQP_PASSWORD_FILE", file.display())
    };
    let worker = settings().start().await;
    revoke_one(&world).await;
    let mut book = Book::at("RabbitMQ's password", &world, &node());
    let own = [
        ("NEW_PASSWORD", "another-one-7b1f"),
        ("AMQP_USER", &user.name),
    ];
    book.run(&settings(), &own).await;
    book.close();
    wait::until("it has connected again", PATIENCE, async || {
        let metrics = worker.metrics().await;
        metrics.sum("revoker_amqp_reconnects_total", &[]) >= 1.0 && worker.is_ready().await
    })
    .await;
    revoke_one(&world).await;
    worker.assert_withholds("another-one-7b1f").await;
    end(&world, worker).await;
}

/// Publishes an event with a token that the API refuses, and waits for its dead letter.
async fn leave_a_sealed_letter(world: &World, letters: u32) -> String {
    let (session, token) = world.sandbox.seed_token().await;
    let refused = json!({ "by_id": { &token: CODE } });
    world.sandbox.faults(&refused).await;
    let event = Event::new(json!({ "session_token": token })).by("sealed");
    world.broker.publish_one(&event).await;
    wait::until("its dead letter is there", PATIENCE, async || {
        world.broker.depth("dead").await == Some(letters)
    })
    .await;
    world.sandbox.faults(&json!({})).await;
    session
}

/// Ends the worker and starts another, which reads the key ring.
async fn restart(mut worker: Worker, settings: Settings<'_>) -> Worker {
    assert!(worker.terminate().await.0.success());
    settings.start().await
}

#[tokio::test]
async fn the_key_ring() {
    let world = World::new("keys-rotated").await;
    let (path, _) = world.key_ring();
    let settings = || world.worker().set("REVOKER_SEAL_KEY_FILE", path.display());
    let mut book = Book::at("The key ring", &world, &node());
    let mut worker = settings().start().await;
    let before = leave_a_sealed_letter(&world, 1).await;

    book.run(&settings(), &[]).await; // append
    worker = restart(worker, settings()).await;
    book.run(&settings(), &[]).await; // move to the front
    worker = restart(worker, settings()).await;
    let after = leave_a_sealed_letter(&world, 2).await;
    let ring = fs::read_to_string(&path).unwrap();
    let new = KeyRing::parse(ring.lines().next().unwrap()).unwrap();
    assert_eq!(ring.lines().count(), 2, "the old one is kept");
    let letters = world.broker.dead_letters().await;
    let opened = letters.iter().filter(|letter| {
        let (queue, event_id) = (letter.ours("queue"), letter.ours("event-id"));
        new.open(queue, event_id, &letter.body).is_ok()
    });
    let opened = opened.count();
    assert_eq!(
        (letters.len(), opened),
        (2, 1),
        "sealed by the old key, and by the new one"
    );

    let own = [("CODE", CODE), ("TICKET", "INC-7")];
    book.run(&settings(), &own).await; // replay
    until_revoked(&world, &before).await;
    until_revoked(&world, &after).await;
    book.run(&settings().set("REVOKER_ADMIN_ADDR", admin(&worker)), &[])
        .await; // drop the old key
    book.close();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    worker = restart(worker, settings()).await;
    revoke_one(&world).await;
    end(&world, worker).await;
}

fn admin(worker: &Worker) -> &str {
    worker.url.trim_start_matches("http://")
}
