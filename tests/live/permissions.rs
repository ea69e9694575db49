//! The definitions that we recommend, imported into a real broker: what each user may do, and what not.
//!
//! A node of its own: the users of the definitions have names that everybody would share.

mod deed;

use serde_json::json;

use deed::Deed::{self, Bind, Declare, Delete, Purge, Read, Write};

use crate::harness::{Event, PATIENCE, World, broker::Broker, wait, worker::Settings};

/// As the definitions name it.
const VHOST: &str = "revoker";
const PUBLISHER: &str = "publisher-example";
/// All queues but those of the delays, without the prefix.
const QUEUES: [&str; 6] = ["urgent", "bulk", "unhandled", "dead", "audit", "control"];

/// The broker as its users see it, after the import.
struct Cast {
    world: World,
    admin: Broker,
    worker: Broker,
    publisher: Broker,
    operator: Broker,
}

impl Cast {
    /// Imports the definitions for the names of a test and gives every user a password.
    async fn new(name: &str) -> Self {
        let world = World::with_own_node(name).await;
        let settings = world.worker();
        let made = settings.once(&["definitions", "--vhost", VHOST]).await;
        assert_eq!((made.code, made.err.as_str()), (0, ""));
        let node = world.node();
        let file = node.file("definitions.json");
        std::fs::write(&file, &made.out).unwrap();
        node.ctl(&["import_definitions", file.to_str().unwrap()])
            .await;
        let all = ["set_permissions", "-p", VHOST, "guest", ".*", ".*", ".*"];
        node.ctl(&all).await;
        let (_, address) = world.broker.url.split_once('@').unwrap();
        let address = address.replace("%2f", VHOST);
        let of = |user: &str, password: &str| {
            let url = format!("amqp://{user}:{password}@{address}");
            Broker::new(url, world.broker.prefix.clone())
        };
        for user in ["revoker", PUBLISHER, "operator"] {
            for guess in ["", "guest", user] {
                let tried = of(user, guess).connect_once().await;
                assert!(
                    tried.is_err(),
                    "{user} has a password before it is given one"
                );
            }
            node.ctl(&["change_password", user, "secret"]).await;
        }
        Self {
            admin: of("guest", "guest"),
            worker: of("revoker", "secret"),
            publisher: of(PUBLISHER, "secret"),
            operator: of("operator", "secret"),
            world,
        }
    }

    /// A worker with the rights of the definitions and no more.
    fn worker(&self) -> Settings<'_> {
        let settings = self.world.worker();
        settings
            .set("REVOKER_AMQP_URL", &self.worker.url)
            .set("REVOKER_TOPOLOGY", "verify")
            .set("REVOKER_ATTEMPTS", 1)
    }
}

/// Not in a lane, not as somebody else, not from any queue.
#[tokio::test]
async fn nobody_may_do_more_than_their_part() {
    let cast = Cast::new("rights").await;
    let everywhere = QUEUES.iter().flat_map(|q| [Read(q), Delete(q), Purge(q)]);
    let mut never: Vec<Deed> = everywhere.collect();
    let elsewhere = [
        "urgent.return",
        "bulk.return",
        "dead",
        "outcomes",
        "control",
        "unhandled",
        "urgent.retry.1s",
    ];
    never.extend(elsewhere.map(|exchange| Write(exchange, PUBLISHER)));
    never.extend(["urgent", "bulk"].map(|lane| Write(lane, "password-reset")));
    never.extend([
        Declare("mine"),
        Declare("dead.lock"),
        Bind("dead", "urgent", "#"),
    ]);
    let may = ["urgent", "bulk"].map(|lane| Write(lane, PUBLISHER));
    let mut wrong = cast.publisher.wrong(PUBLISHER, &may, &never).await;

    let lanes = ["urgent", "bulk"];
    let may = [
        Read("urgent"),
        Read("bulk"),
        Read("unhandled"),
        Read("control"),
    ];
    let mut never: Vec<Deed> = QUEUES.iter().map(|queue| Delete(queue)).collect();
    never.extend(lanes.map(|lane| Write(lane, "x")));
    never.extend(["urgent.return", "control", "unhandled"].map(|to| Write(to, "x")));
    never.extend([Read("dead"), Read("audit"), Purge("dead"), Declare("mine")]);
    never.push(Declare("dead.lock"));
    wrong.extend(cast.worker.wrong("revoker", &may, &never).await);

    let mut may = ["dead", "audit", "control"].map(Read).to_vec();
    may.extend(
        ["control", "urgent", "bulk", "urgent.return", "bulk.return"].map(|to| Write(to, "x")),
    );
    may.push(Declare("dead.lock"));
    let mut never: Vec<Deed> = QUEUES.iter().map(|queue| Delete(queue)).collect();
    never.extend(["urgent", "bulk", "unhandled", "urgent.retry.1s"].map(Read));
    never.extend(["dead", "outcomes", "unhandled", "bulk.retry.2s"].map(|to| Write(to, "x")));
    never.extend([Declare("mine"), Purge("urgent")]);
    wrong.extend(cast.operator.wrong("operator", &may, &never).await);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The rights are few and enough: an event is revoked, another is tried again and dead-lettered.
#[tokio::test]
async fn a_worker_of_few_rights_does_all_its_work() {
    let cast = Cast::new("few").await;
    let mut worker = cast.worker().start().await;
    let ids = cast.world.sandbox.seed_sessions(2).await;
    let broken = json!({ "by_id": { &ids[1]: "500" } });
    cast.world.sandbox.faults(&broken).await;
    let events: Vec<_> = ids
        .iter()
        .map(|id| Event::session(id).by(PUBLISHER))
        .collect();
    cast.publisher.publish(&events).await;
    let letter = wait::value("the broken one is dead-lettered", PATIENCE, async || {
        cast.operator.dead_letters().await.pop()
    })
    .await;
    assert_eq!(letter.ours("code"), "attempts_exhausted");
    assert_eq!(letter.ours("retries"), "2", "it went through both delays");
    assert_eq!(cast.world.sandbox.revoked().await, 1);
    let outcomes = cast.admin.outcomes().await;
    let mut keys: Vec<_> = outcomes.iter().map(|o| o.routing_key.as_str()).collect();
    keys.sort_unstable();
    let key = |outcome: &str| format!("urgent.{outcome}.{PUBLISHER}");
    assert_eq!(keys, [key("dead_lettered"), key("revoked")]);
    let metrics = worker.metrics().await;
    assert_eq!(metrics.sum("revoker_amqp_reconnects_total", &[]), 0.0);

    // As the worker's user all is well, as far as a user may see who may declare nothing.
    let ended = cast.worker().once(&["check", "--json"]).await;
    assert_eq!(ended.code, 0, "{}", ended.out);
    // And what was imported is what a worker would have declared: whoever may declare it compares it all.
    let whole = cast.worker().set("REVOKER_AMQP_URL", &cast.admin.url);
    let ended = whole.once(&["check", "--json"]).await;
    assert_eq!(ended.code, 0, "{}", ended.out);
    let report = ended.json();
    let lines = report["lines"].as_array().unwrap().iter();
    let compared: Vec<_> = lines
        .filter(|line| {
            ["owner lock", "exchanges", "queues"]
                .map(Into::into)
                .contains(&line["check"])
        })
        .map(|line| line["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(compared, ["ok"; 3], "{report:#}");
    assert!(worker.terminate().await.0.success());
    assert_eq!(cast.admin.queued().await, 0);
}

/// What the document says of a publisher that wants its outcomes.
#[tokio::test]
async fn a_publisher_may_be_let_to_its_own_outcomes() {
    let cast = Cast::new("outcomes").await;
    let prefix = &cast.admin.prefix;
    let own = format!("{prefix}\\.mine$|{PUBLISHER}\\.verify\\.");
    let write = format!("^({prefix}\\.(urgent|bulk)$|{own})");
    let read = format!("^({prefix}\\.outcomes$|{own})");
    let own = format!("^({own})");
    let node = cast.world.node();
    let all = [
        "set_permissions",
        "-p",
        VHOST,
        PUBLISHER,
        &own,
        &write,
        &read,
    ];
    node.ctl(&all).await;
    let outcomes = cast.admin.name("outcomes");
    let topic = ["set_topic_permissions", "-p", VHOST, PUBLISHER, &outcomes];
    node.ctl(&[&topic[..], &["^$", "^\\*\\.\\*\\.{username}$"]].concat())
        .await;
    let connection = cast.publisher.connect().await;
    let channel = connection.create_channel().await.unwrap();
    cast.publisher
        .attempt(&channel, Declare("mine"))
        .await
        .unwrap();
    let bind = Bind("mine", "outcomes", "*.*.publisher-example");
    cast.publisher.attempt(&channel, bind).await.unwrap();
    let others = Bind("mine", "outcomes", "#");
    let refused = cast.publisher.attempt(&channel, others).await.unwrap_err();
    assert!(refused.to_string().contains("ACCESS"), "{refused}");
    assert!(
        !cast
            .publisher
            .lets(Write("outcomes", "urgent.revoked.x"))
            .await
    );

    // With these rights it may also try its whole way.
    let mut worker = cast.worker().start().await;
    let its = cast.world.worker();
    let its = its.set("REVOKER_AMQP_URL", &cast.publisher.url);
    let ended = its.once(&["publish", "--verify", "--publisher", PUBLISHER]);
    let ended = ended.await;
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(worker.terminate().await.0.success());
}
