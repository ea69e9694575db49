//! The exchange is the lane and the routing key is the publisher: what the worker makes of messages that
//! came another way, with all that RabbitMQ lets a publisher try.

use lapin::{
    BasicProperties,
    options::{QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::json;

use crate::harness::{
    Event, PATIENCE, World, checks::text, read::Outcome, user::User, wait, worker::Worker,
};

const PAST: &str = "an event came past the exchange of its lane, so that nobody knows whose it is";

/// Names further routing keys, by one of RabbitMQ's two headers for that.
fn copied(event: Event, header: &str, keys: &[String]) -> Event {
    let keys: Vec<AMQPValue> = keys.iter().map(|key| text(key)).collect();
    event.headers([(header, AMQPValue::FieldArray(keys.into()))])
}

async fn outcomes(world: &World, count: usize) -> Vec<Outcome> {
    wait::value("an outcome for each", PATIENCE, async || {
        let outcomes = world.broker.outcomes().await;
        (outcomes.len() >= count).then_some(outcomes)
    })
    .await
}

/// The outcome and its publisher, in each lane that the event came to.
fn of(outcomes: &[Outcome], event: &Event) -> Vec<String> {
    let of_it = outcomes.iter().filter(|o| o.event_id() == event.id);
    let mut keys: Vec<_> = of_it.map(|o| o.routing_key.clone()).collect();
    keys.sort_unstable();
    keys
}

/// The default exchange, which every user with rights on `amq.default` may publish to, past the lanes.
#[tokio::test]
async fn events_past_the_exchange() {
    let world = World::new("past").await;
    let mut worker: Worker = world.worker().start().await;
    let (urgent, bulk) = (world.broker.name("urgent"), world.broker.name("bulk"));
    let ids = world.sandbox.seed_sessions(5).await;
    let session = |n: usize| Event::session(&ids[n]).in_default_exchange();
    // By the queue's name, which is what a shovel to a queue does.
    let direct = session(0).by(&urgent);
    // It has a right to one lane's queue, or to none, and names another beside it.
    let both = copied(session(1).by(&bulk), "CC", std::slice::from_ref(&urgent));
    let hidden = copied(session(2).by(&bulk), "BCC", std::slice::from_ref(&urgent));
    let again = session(3).by(&urgent);
    let wrong = Event::raw("x").in_default_exchange().by(&urgent);
    world
        .broker
        .publish(&[direct.clone(), both.clone(), hidden.clone(), again.clone()])
        .await;
    world.broker.publish_one(&wrong).await;

    let told = outcomes(&world, 7).await;
    assert_eq!(of(&told, &direct), ["urgent.revoked.unknown"]);
    assert_eq!(of(&told, &again), ["urgent.revoked.unknown"]);
    for event in [&both, &hidden] {
        let wanted = ["bulk.revoked.unknown", "urgent.dead_lettered.unknown"];
        assert_eq!(of(&told, event), wanted);
    }
    let letters = world.broker.dead_letters().await;
    let code = |letter: &&crate::harness::read::DeadLetter| letter.ours("code").to_owned();
    let mut codes: Vec<_> = letters.iter().map(|letter| code(&letter)).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["lane_mismatch", "lane_mismatch", "malformed_json"]);
    let astray = letters.iter().find(|l| l.ours("event-id") == hidden.id);
    let astray = astray.expect("its dead letter names it");
    assert_eq!(astray.ours("lane"), "urgent");
    assert!(astray.ours("text").contains("CC or BCC"), "{astray:?}");
    assert_eq!(astray.body, hidden.body, "it holds no credential");
    assert_eq!(
        worker.logged(PAST).len(),
        1,
        "told once in a process's life"
    );

    // The operator who replays one has decided: it comes back by the lane's own way.
    let arguments = ["dead-letters", "replay", "--code", "lane_mismatch"];
    let replayed = world
        .worker()
        .once(&[&arguments[..], &["--yes", "--why", "a test", "--json"]].concat())
        .await;
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    let told = outcomes(&world, 9).await;
    for event in [&both, &hidden] {
        let wanted = [
            "bulk.revoked.unknown",
            "urgent.dead_lettered.unknown",
            "urgent.revoked.unknown",
        ];
        assert_eq!(of(&told, event), wanted);
    }
    world.check_unharmed(&mut worker).await;
}

/// What works stays: further keys that lead nowhere, another exchange that an operator has bound, what
/// expires, and what is tried again after it came past the exchange.
#[tokio::test]
async fn ways_that_lead_here() {
    let world = World::new("ways").await;
    let mut worker = world.worker().set("REVOKER_ATTEMPTS", 1).start().await;
    let publisher = User::new("accounts").await;
    let urgent = world.broker.name("urgent");
    let ids = world.sandbox.seed_sessions(4).await;
    let faults = json!({"by_id": {&ids[2]: {"fault": "500", "times": 1}}});
    world.sandbox.faults(&faults).await;
    bind(&world, "company", "session.revoke").await;

    let keys = ["somebody-else".to_owned(), world.broker.name("bulk")];
    let user =
        |properties: BasicProperties| properties.with_user_id(publisher.name.as_str().into());
    let cc = copied(Event::session(&ids[0]), "CC", &keys);
    let cc = cc.by("accounts").with(user);
    let bcc = copied(Event::session(&ids[1]), "BCC", &keys).by("accounts");
    let later = Event::session(&ids[2]).in_default_exchange().by(&urgent);
    let later = later.with(user);
    let bound = Event::session(&ids[3]).in_exchange("company");
    let bound = bound.by("session.revoke");
    let events = [&cc, &bcc, &later, &bound].map(Clone::clone);
    publisher.of(&world.broker).publish(&events).await;

    let told = outcomes(&world, 4).await;
    assert_eq!(of(&told, &cc), ["urgent.revoked.accounts"]);
    assert_eq!(of(&told, &bcc), ["urgent.revoked.accounts"]);
    assert_eq!(of(&told, &later), ["urgent.revoked.unknown"]);
    assert_eq!(of(&told, &bound), ["urgent.revoked.unknown"]);
    for (event, verified) in [(&cc, true), (&bcc, false), (&later, true), (&bound, false)] {
        let outcome = told.iter().find(|o| o.event_id() == event.id).unwrap();
        assert_eq!(outcome.body["publisher_verified"], verified, "{outcome:?}");
    }
    assert_eq!(told.len(), 4, "nothing came to another lane: {told:?}");
    world.check_unharmed(&mut worker).await;

    // Nobody takes it before it expires.
    let expired = Event::verify().in_default_exchange().by(&urgent);
    let expired = expired.with(|properties| properties.with_expiration("1".into()));
    world.broker.publish_one(&expired).await;
    let mut worker = world.worker().start().await;
    let letter = world.letter_of("unknown").await;
    assert_eq!(letter.ours("code"), "expired");
    world.check_unharmed(&mut worker).await;
    delete(&world, "company").await;
}

/// As an operator binds an exchange of the company's to a lane.
async fn bind(world: &World, exchange: &str, key: &str) {
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let (name, none) = (world.broker.name(exchange), FieldTable::default);
    let declared = channel.exchange_declare(
        name.as_str().into(),
        lapin::ExchangeKind::Topic,
        lapin::options::ExchangeDeclareOptions::default(),
        none(),
    );
    declared.await.unwrap();
    let lane = world.broker.name("urgent");
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let there = channel.queue_declare(lane.as_str().into(), passive, none());
    there.await.unwrap();
    let options = QueueBindOptions::default();
    let bound = channel.queue_bind(
        lane.as_str().into(),
        name.as_str().into(),
        key.into(),
        options,
        none(),
    );
    bound.await.unwrap();
}

async fn delete(world: &World, exchange: &str) {
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let name = world.broker.name(exchange);
    let deleted = channel.exchange_delete(name.as_str().into(), Default::default());
    deleted.await.unwrap();
}
