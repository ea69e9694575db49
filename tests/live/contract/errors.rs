//! What a beginner hears from RabbitMQ, as the guide for publishers quotes it.

use std::{path::Path, time::Duration};

use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::time::timeout;

use crate::harness::{
    PATIENCE, World,
    broker::Broker,
    user::{User, ctl},
};

/// The names that the guide uses in place of a test's.
const GUIDE: &str = "deploy/PUBLISHING.md";

/// What the broker says to a publish, or to nothing when it confirms it.
async fn told(broker: &Broker, key: &str, properties: BasicProperties) -> String {
    let connection = broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let options = ConfirmSelectOptions::default();
    channel.confirm_select(options).await.unwrap();
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let exchange = broker.name("urgent");
    let publish = channel.basic_publish(
        exchange.as_str().into(),
        key.into(),
        mandatory,
        b"{}",
        properties,
    );
    let confirm = timeout(PATIENCE, async { publish.await?.await }).await;
    match confirm.expect("the broker answers") {
        Ok(Confirmation::Ack(Some(returned))) => {
            format!("{} {}", returned.reply_code, returned.reply_text)
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => text(&error),
    }
}

async fn declared(channel: &Channel, queue: &str) -> String {
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declare = channel.queue_declare(queue.into(), durable, FieldTable::default());
    let declare = timeout(Duration::from_secs(30), declare).await.unwrap();
    text(&declare.expect_err("it was declared otherwise"))
}

/// What is said instead of a connection.
async fn no_connection(world: &World, url: &str) -> String {
    let broker = Broker::new(url.to_owned(), world.broker.prefix.clone());
    let error = timeout(PATIENCE, broker.try_connect()).await.unwrap();
    text(&error.expect_err("there is no such login"))
}

/// Code and text, without what the library puts around them.
fn text(error: &lapin::Error) -> String {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(amqp) => {
            format!("{} {}", amqp.get_id(), amqp.get_message())
        }
        other => panic!("{other:?}"),
    }
}

/// The guide must quote it, with its own names.
fn check(said: &str, names: &[(&str, &str)]) {
    let mut shown = said.to_owned();
    for (ours, the_guides) in names {
        shown = shown.replace(ours, the_guides);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE);
    let guide = std::fs::read_to_string(path).unwrap();
    assert!(
        guide.contains(&format!("`{shown}`")),
        "not in {GUIDE}: {shown}"
    );
}

#[tokio::test]
async fn the_guide_has_the_brokers_own_words() {
    let world = World::new("errors").await;
    let (user, none) = (User::new("password-reset").await, BasicProperties::default);
    let names = [
        (world.broker.prefix.as_str(), "revocation"),
        (user.name.as_str(), "password-reset"),
    ];
    let publisher = user.of(&world.broker);
    check(&told(&publisher, "password-reset", none()).await, &names);

    world.declare().await;
    user.permit_each("^$", "^$", "^$").await;
    check(&told(&publisher, "password-reset", none()).await, &names);
    user.permit_each("^$", ".*", "^$").await;
    let exchange = world.broker.name("urgent");
    ctl(&[
        "set_topic_permissions",
        &user.name,
        &exchange,
        "^password-reset$",
        "^$",
    ])
    .await;
    check(&told(&publisher, "accounts", none()).await, &names);

    let foreign = none().with_user_id("accounts".into());
    check(&told(&publisher, "password-reset", foreign).await, &names);
    let refused = publisher.url.replace('@', "-wrong@");
    check(&no_connection(&world, &refused).await, &names);
    let (elsewhere, _) = publisher.url.rsplit_once('/').unwrap();
    check(
        &no_connection(&world, &format!("{elsewhere}/nowhere")).await,
        &names,
    );

    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    check(&declared(&channel, &exchange).await, &names);
    // Only its binding is gone, which takes no right: the exchange is there and leads nowhere.
    let channel = connection.create_channel().await.unwrap();
    let unbind = channel.queue_unbind(
        exchange.as_str().into(),
        exchange.as_str().into(),
        "#".into(),
        FieldTable::default(),
    );
    unbind.await.unwrap();
    check(&told(&world.broker, "password-reset", none()).await, &names);
}
