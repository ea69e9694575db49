//! What the worker needs of the broker is taken away under it: a queue, its rights, its password, the
//! certificate. Or a policy does something that nobody meant.
//!
//! Each time the worker does not end, is not ready, says which, and goes on by itself when it is put right.

use std::time::Duration;

use serde_json::json;
use tokio::{join, time::sleep};

use super::row::Row;
use crate::harness::{
    Event, PATIENCE, World,
    certificates::{Certificates, free_port},
    ledger::Ledger,
    user::{User, ctl},
    wait,
    worker::{Settings, Worker},
};

/// Events: a third before, during and after.
const EVENTS: usize = 30;
/// Behind the thirds is one that is to be dead-lettered.
const WRONG: usize = 3;
const NO_SESSION: &str = "no session with the broker: ";
/// How long a worker without a broker is watched: several tries to connect.
const WATCHED: Duration = Duration::from_secs(3);

#[tokio::test]
async fn row_14_taken_away() {
    join!(
        lane(),
        lane_of_others(),
        rights(),
        password(),
        policy(),
        certificate()
    );
}

/// One fault's story: events before, during and after it.
struct Story<'w> {
    row: Row,
    world: &'w World,
    worker: Worker,
    ledger: Ledger,
}

impl<'w> Story<'w> {
    async fn begin(name: &'static str, world: &'w World, worker: Settings<'w>) -> Self {
        let mut row = Row::new(14, name);
        let worker = worker.start().await;
        row.begins(&worker);
        let ids = world.sandbox.seed_sessions(EVENTS).await;
        let good = ids.into_iter().enumerate().map(|(at, id)| {
            let event = Event::session(&id);
            let event = if at % 2 == 0 { event } else { event.bulk() };
            (event, id)
        });
        let wrong = (Event::new(json!({})), "target_missing");
        let ledger = Ledger::of(world, good.collect(), vec![wrong]).await;
        let story = Self {
            row,
            world,
            worker,
            ledger,
        };
        story.publish(0).await;
        wait::until("those before are done", PATIENCE, async || {
            world.sandbox.revoked().await == EVENTS as u64 / 3
        })
        .await;
        story
    }

    /// Publishes a third of the events, or, as the fourth, one that is to be dead-lettered.
    async fn publish(&self, third: usize) {
        let events = self.ledger.events.chunks(EVENTS / 3).nth(third).unwrap();
        self.world.broker.publish(events).await;
    }

    /// The worker says this of its broker again and again, and cannot work.
    async fn check_away(&mut self, why: &[&str]) {
        self.row.faults += 1;
        let worker = &mut self.worker;
        wait::until(&format!("it says {why:?}"), PATIENCE, async || {
            let log = worker.log();
            let mut said = log.iter().filter_map(|line| line["message"].as_str());
            said.any(|m| m.starts_with(NO_SESSION) && why.iter().all(|part| m.contains(part)))
        })
        .await;
        sleep(WATCHED).await;
        assert!(worker.process.ended().is_none(), "the worker has ended");
        let (status, shown) = worker.readyz().await.unwrap();
        assert_eq!(status, 503, "{shown}");
        let metrics = worker.metrics().await;
        assert_eq!(metrics.state(), "broker");
        assert_eq!(metrics.sum("revoker_ready", &[]), 0.0);
        assert_eq!(metrics.sum("revoker_amqp_connected", &[]), 0.0);
    }

    /// It has been put right: the worker goes on by itself.
    async fn end(self) {
        self.worker.until_ready().await;
        self.publish(WRONG).await;
        self.end_after(2).await;
    }

    /// The same, with this third of the events left to be published.
    async fn end_after(mut self, third: usize) {
        self.worker.until_ready().await;
        self.publish(third).await;
        self.ledger.settled(self.world, PATIENCE).await;
        self.row.ends(&self.worker);
        assert!(self.worker.terminate().await.0.success());
        self.row.judge(&self.ledger.tally(self.world).await);
    }
}

/// A worker that may declare makes it again.
async fn lane() {
    let world = World::new("lane").await;
    let mut story = Story::begin("lane deleted", &world, world.worker()).await;
    for (round, lane) in ["urgent", "bulk"].into_iter().enumerate() {
        story.row.faults += 1;
        world.broker.delete_queue(lane).await;
        let reconnects = "revoker_amqp_reconnects_total";
        wait::until("the session ends", PATIENCE, async || {
            let metrics = story.worker.metrics().await;
            metrics.sum(reconnects, &[]) == (round + 1) as f64
        })
        .await;
        wait::until("the worker declared it again", PATIENCE, async || {
            world.broker.depth(lane).await.is_some() && story.worker.is_ready().await
        })
        .await;
    }
    // Not each: over a cancel that meets one of our own, the library ends the connection.
    let metrics = story.worker.metrics().await;
    assert!(metrics.sum("revoker_amqp_consumer_cancels_total", &[]) >= 1.0);
    story.publish(1).await;
    story.end().await;
}

/// A worker that may not waits until somebody does.
async fn lane_of_others() {
    let world = World::new("verified").await;
    world.declare().await;
    let worker = world.worker().set("REVOKER_TOPOLOGY", "verify");
    let mut story = Story::begin("lane deleted, not ours to declare", &world, worker).await;
    world.broker.delete_queue("urgent").await;
    let name = format!("'{}'", world.broker.name("urgent"));
    story
        .check_away(&["the topology is not complete", &name])
        .await;
    world.broker.restore_queue("urgent").await;
    story.publish(1).await;
    story.end().await;
}

async fn rights() {
    let world = World::new("rights").await;
    let user = User::new("worker").await;
    let worker = world
        .worker()
        .set("REVOKER_AMQP_URL", user.of(&world.broker).url);
    let mut story = Story::begin("rights revoked", &world, worker).await;
    user.permit("^(?!.*\\.urgent$)").await;
    user.disconnect().await;
    story.publish(1).await;
    let name = format!("'{}'", world.broker.name("urgent"));
    story
        .check_away(&["the broker refused us", &name, &user.name])
        .await;
    user.permit(".*").await;
    story.end().await;
}

async fn password() {
    let world = World::new("password").await;
    let user = User::new("worker").await;
    let file = world.file("password");
    std::fs::write(&file, user.password()).unwrap();
    let worker = world
        .worker()
        .set("REVOKER_AMQP_URL", user.of(&world.broker).url);
    let worker = worker.set("REVOKER_AMQP_PASSWORD_FILE", file.display());
    let mut story = Story::begin("password changed", &world, worker).await;
    user.change_password("another-one").await;
    user.disconnect().await;
    story.publish(1).await;
    story.check_away(&["the broker refused us"]).await;
    std::fs::write(&file, "another-one").unwrap();
    story.end().await;
}

/// A policy for queues that nobody uses takes the dead letters' away: nobody consumes from it.
async fn policy() {
    let world = World::new("policy").await;
    world.declare().await;
    let worker = world.worker().set("REVOKER_TOPOLOGY", "verify");
    let mut story = Story::begin("policy expires a queue", &world, worker).await;
    let (name, queue) = (&world.broker.prefix, world.broker.name("dead"));
    let pattern = format!("^{}$", queue.replace('.', "\\."));
    let expires = r#"{"expires":1000}"#;
    ctl(&[
        "set_policy",
        name,
        &pattern,
        expires,
        "--apply-to",
        "queues",
    ])
    .await;
    wait::until("the queue is gone", PATIENCE, async || {
        world.broker.depth("dead").await.is_none()
    })
    .await;
    // Nothing is wrong until a dead letter has nowhere to go.
    story.publish(WRONG).await;
    story.publish(1).await;
    story
        .check_away(&["the topology is not complete", &format!("'{queue}'")])
        .await;
    let returned = [("to", "dead"), ("result", "returned")];
    let metrics = story.worker.metrics().await;
    assert!(metrics.sum("revoker_amqp_publishes_total", &returned) >= 1.0);
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    ctl(&["clear_policy", name]).await;
    world.broker.restore_queue("dead").await;
    story.end_after(2).await;
}

/// Connections that stand outlive a certificate; the next one is refused.
async fn certificate() {
    let certificates = Certificates::new();
    let port = free_port();
    let path = |name| certificates.path(name).display().to_string();
    let configuration = format!(
        "listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {}\n\
         ssl_options.certfile = {}\nssl_options.keyfile = {}\n",
        path("ca.pem"),
        path("server.pem"),
        path("server.key"),
    );
    let world = World::with_configured_node("tls", &configuration).await;
    let url = format!("amqps://guest:guest@127.0.0.1:{port}/%2f");
    let worker = world.worker().set("REVOKER_AMQP_URL", url);
    let worker = worker.set("SSL_CERT_FILE", path("ca.pem"));
    let mut story = Story::begin("certificate expired", &world, worker).await;
    let reload = ["eval", "ssl:clear_pem_cache()."];
    certificates.expire();
    world.node().ctl(&reload).await;
    world
        .node()
        .ctl(&["close_all_connections", "by a test"])
        .await;
    story.publish(1).await;
    story.check_away(&["certificate", "expired"]).await;
    certificates.renew();
    world.node().ctl(&reload).await;
    story.end().await;
}
