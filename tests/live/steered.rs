//! Properties by which a publisher steers the broker: none of them steers what we publish.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use serde_json::json;

use crate::harness::{Event, PATIENCE, World, checks::text, read::Outcome, user::User, wait};

/// Everything a publisher can set that would have an effect if we published it again.
fn steering(world: &World, publisher: &User, properties: BasicProperties) -> BasicProperties {
    let bulk = vec![text(&world.broker.name("bulk")), text("bulk")];
    let mut headers = FieldTable::default();
    for name in ["CC", "BCC"] {
        headers.insert(name.into(), AMQPValue::FieldArray(bulk.clone().into()));
    }
    headers.insert("x-delay".into(), AMQPValue::LongInt(60_000));
    headers.insert("x-death".into(), AMQPValue::FieldArray(bulk.into()));
    headers.insert("tenant".into(), text("kept"));
    properties
        .with_headers(headers)
        .with_user_id(publisher.name.as_str().into())
        // Far off: it is taken in time, and must not come with us into a delay queue.
        .with_expiration("600000".into())
        .with_priority(9)
        .with_reply_to("somewhere".into())
        .with_cluster_id("elsewhere".into())
}

/// A foreign `user_id` in a republish would make the broker close our channel, for ever again.
#[tokio::test]
async fn what_a_publisher_sets_ends_with_the_delivery() {
    let world = World::new("steered").await;
    let mut worker = world
        .worker()
        .set("REVOKER_ATTEMPTS", 1)
        .set("REVOKER_RETRY_DELAYS", "1s")
        .start()
        .await;
    let publisher = User::new("publisher").await;
    let ids = world.sandbox.seed_sessions(2).await;
    let faults = json!({"by_id": {
        &ids[0]: {"fault": "500", "times": 1},
        &ids[1]: {"fault": "500", "times": 2},
    }});
    world.sandbox.faults(&faults).await;
    let events = [
        Event::session(&ids[0]).by("revoked"),
        Event::session(&ids[1]).by("given-up"),
        Event::raw("x").by("wrong"),
    ];
    let events = events.map(|event| event.with(|p| steering(&world, &publisher, p)));
    publisher.of(&world.broker).publish(&events).await;

    let given_up = world.letter_of("given-up").await;
    assert_eq!(given_up.ours("code"), "attempts_exhausted");
    assert_eq!(given_up.ours("retries"), "1");
    assert_eq!(given_up.headers["tenant"], "kept");
    let wrong = world.letter_of("wrong").await;
    for letter in [&given_up, &wrong] {
        let properties = &letter.properties;
        assert_eq!(*properties.user_id(), None);
        assert_eq!(*properties.expiration(), None);
        assert_eq!(*properties.reply_to(), None);
        assert_eq!(*properties.delivery_mode(), Some(2));
        for name in ["CC", "BCC", "x-delay", "x-death"] {
            assert!(!letter.headers.contains_key(name), "{name}");
        }
    }
    wait::until("the other is revoked", PATIENCE, async || {
        world.sandbox.revoked().await == 1
    })
    .await;
    let outcomes = wait::value("an outcome for each", PATIENCE, async || {
        let outcomes = world.broker.outcomes().await;
        (outcomes.len() >= events.len()).then_some(outcomes)
    })
    .await;
    // CC names the other lane, which is another exchange: it reaches nothing there.
    assert_eq!(outcomes.len(), events.len(), "{outcomes:?}");
    assert!(outcomes.iter().all(|o| o.body["lane"] == "urgent"));
    let verified = |o: &&Outcome| o.body["publisher_verified"] == true;
    assert_eq!(outcomes.iter().filter(verified).count(), events.len());
    world.check_unharmed(&mut worker).await;
}
