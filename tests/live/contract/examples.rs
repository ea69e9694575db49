//! The examples that people copy from the guide for publishers, run as they stand: what they publish is done,
//! and what is not accepted they say, and end with it.

use std::{process::Stdio, time::Duration};

use futures_util::future::join_all;
use lapin::{ExchangeKind, options::ExchangeDeclareOptions, types::FieldTable};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    time::timeout,
};

use super::{
    client::{
        Client::{self, Rust, Shell},
        clients, with,
    },
    full::Full,
    installed::{PYTHON, repository},
};
use crate::harness::{Event, PATIENCE, World, sandbox::new_id, user::User, wait};

/// For each example, at the same time.
async fn each<F: Future<Output = ()>>(clients: &[Client], check: impl Fn(Client) -> F) {
    join_all(clients.iter().map(|client| check(*client))).await;
}

#[tokio::test]
async fn what_they_publish_is_done() {
    let world = World::new("examples").await;
    let mut worker = world.worker().start().await;
    let urgent = world.broker.name("urgent");
    each(&clients(), async |client| {
        let session = world.sandbox.seed_sessions(1).await.remove(0);
        let started = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
        let (user, of_user) = world.sandbox.seed_user(2, started).await;
        let url = client.url(&world.broker);
        let mut ids = Vec::new();
        for target in [&session, &user] {
            let ran = client.publish(&url, target, &urgent).await;
            let id = ran.out.strip_prefix("published ");
            let id = id
                .filter(|_| ran.code == 0)
                .unwrap_or_else(|| panic!("{client:?}: {ran:?}"));
            ids.push(id.trim().to_owned());
        }
        let revoked = [vec![session], of_user].concat();
        wait::until("its sessions are revoked", PATIENCE, async || {
            let sessions = world.sandbox.sessions().await;
            revoked
                .iter()
                .all(|id| sessions[id].revoked_at_ms.is_some())
        })
        .await;
        assert_eq!(world.sandbox.listed(&user).await, [""; 0]);
        let outcomes = wait::value("its outcomes", PATIENCE, async || {
            let mut outcomes = world.broker.outcomes().await;
            outcomes.retain(|outcome| ids.iter().any(|id| id == outcome.event_id()));
            (outcomes.len() == ids.len()).then_some(outcomes)
        })
        .await;
        for outcome in outcomes {
            assert_eq!(
                outcome.routing_key, "urgent.revoked.password-reset",
                "{client:?}"
            );
        }
    })
    .await;
    world.check_unharmed(&mut worker).await;
}

#[tokio::test]
async fn what_no_queue_takes_they_say_at_once() {
    let world = World::new("nowhere").await;
    let missing = world.broker.name("urgent");
    let no_queue = world.broker.name("empty");
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let (name, kind) = (no_queue.as_str().into(), ExchangeKind::Topic);
    let options = ExchangeDeclareOptions {
        auto_delete: true,
        ..ExchangeDeclareOptions::default()
    };
    let declared = channel.exchange_declare(name, kind, options, FieldTable::default());
    declared.await.unwrap();
    let user = User::new("publisher").await;
    user.permit_each("^$", "^$", "^$").await;
    let forbidden = user.of(&world.broker);
    each(&clients(), async |client| {
        let url = client.url(&world.broker);
        // The management API of RabbitMQ 4 has a word of its own for it.
        let missed = match client {
            Shell => "exchange",
            _ => "NOT_FOUND - no exchange",
        };
        client.check_refused(&url, &missing, &[missed]).await;
        let says = [
            "returned: no queue takes what is published to",
            "does a worker run",
        ];
        client.check_refused(&url, &no_queue, &says).await;
        // The shell's user must be one of the management API's.
        if client != Shell {
            let says = ["ACCESS_REFUSED"];
            client.check_refused(&forbidden.url, &no_queue, &says).await;
        }
    })
    .await;
    let gone = channel.exchange_delete(no_queue.as_str().into(), Default::default());
    gone.await.unwrap();
}

/// It listens before and after the broker has ended its connection, and tells of nobody else's events.
#[tokio::test]
async fn a_publisher_hears_of_its_own_events() {
    const PUBLISHER: &str = "password-reset";
    let world = World::new("heard").await;
    let mut worker = world.worker().start().await;
    let user = User::new(PUBLISHER).await;
    let url = user.of(&world.broker).url;
    let script = repository("deploy/examples/publish/outcomes.py");
    let mut command = with(PYTHON, &[script]);
    command
        .args([&url, &world.broker.prefix])
        .kill_on_drop(true);
    let mut listener = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    let queue = format!("{PUBLISHER}.outcomes");
    let is_bound = async || {
        // Its own outcome comes back to it only when it listens.
        let event = Event::verify().by(PUBLISHER);
        world
            .broker
            .publish_one(&Event::verify().by("somebody-else"))
            .await;
        world.broker.publish_one(&event).await;
        let line = timeout(Duration::from_secs(2), lines.next_line()).await;
        line.ok()
            .map(|line| (event.id, line.unwrap().expect("it listens on")))
    };
    let (_, told) = wait::value("the first outcome", PATIENCE, is_bound).await;
    assert!(told.trim().ends_with(" verified"), "{told}");
    user.disconnect().await;
    let last = Event::verify().by(PUBLISHER);
    world.broker.publish_one(&last).await;
    let until_last = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with(&last.id) {
                return;
            }
        }
    };
    let heard = timeout(PATIENCE, until_last).await;
    assert!(heard.is_ok(), "the last event was not told of");
    listener.kill().await.unwrap();
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let deleted = channel.queue_delete(queue.as_str().into(), Default::default());
    deleted.await.unwrap();
    world.check_unharmed(&mut worker).await;
}

/// A full queue refuses, a broker that does not answer is waited for: three times, with the same event.
#[tokio::test]
async fn what_is_not_confirmed_they_publish_again() {
    let world = World::new("unconfirmed").await;
    let full = Full::new(&world).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let targets: Vec<_> = clients().iter().map(|_| new_id("user")).collect();
    let target = |client| {
        let at = clients().iter().position(|other| *other == client);
        targets[at.expect("it is one of them")].as_str()
    };

    each(&clients(), async |client| {
        let url = client.url(&world.broker);
        if client == Shell {
            // It tries once. RabbitMQ's management API waits for the confirm, which no document promises.
            let ran = client.publish(&url, target(client), &full.name).await;
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
            assert!(ran.err.starts_with("refused: "), "{ran:?}");
            return;
        }
        for url in [url, format!("amqp://guest:guest@{address}")] {
            let ran = client.publish(&url, target(client), &full.name).await;
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{client:?}: {ran:?}");
            let given_up = ran.err.contains("given up: the event stays in the outbox");
            assert!(given_up, "{client:?}: {ran:?}");
            let tries = ran.err.matches("not confirmed: ").count();
            // That in Rust tells of its tries on the tests' own standard error.
            assert!(tries == 3 || client == Rust, "{client:?}: {ran:?}");
        }
    })
    .await;

    let refused = full.refused().await;
    for client in clients() {
        let its = refused
            .iter()
            .filter(|(_, event)| event["user_id"] == target(client));
        let its: Vec<_> = its.collect();
        let tries = if client == Shell { 1 } else { 3 };
        assert_eq!(its.len(), tries, "{client:?}: {its:?}");
        for (delivery, event) in &its {
            let properties = &delivery.properties;
            assert_eq!(event, &its[0].1, "{client:?}: the same event each time");
            assert_eq!(*properties.delivery_mode(), Some(2), "{client:?}");
            let content_type = properties.content_type().as_ref();
            assert_eq!(content_type.unwrap().as_str(), "application/json");
            let id = properties.message_id().as_ref();
            assert_eq!(id.unwrap().as_str(), event["id"], "{client:?}");
        }
    }
}
