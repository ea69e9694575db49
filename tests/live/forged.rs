//! A message that passes for our own: what only we seal is opened only where only we can write.

use lapin::types::AMQPValue;
use revoker::settle::seal;

use crate::harness::{Event, World, checks::text};

#[tokio::test]
async fn a_sealed_body_from_a_publisher_is_not_opened() {
    let world = World::new("fake-seal").await;
    let (keys, ring) = world.key_ring();
    let keys = keys.display().to_string();
    let mut worker = world
        .worker()
        .set("REVOKER_SEAL_KEY_FILE", keys)
        .start()
        .await;
    let id = world.sandbox.seed_sessions(1).await.remove(0);
    let event = Event::session(&id).by("fake");
    // Sealed with our own key for the very queue it is published to: a copy of what we wrote.
    let queue = world.broker.name("urgent");
    let body = ring.seal(
        &queue,
        &event.id,
        &revoker::event::Properties::default(),
        &event.body,
    );
    let headers = [
        ("revoker-version", AMQPValue::LongLongInt(1)),
        ("revoker-queue", text(&queue)),
        ("revoker-event-id", text(&event.id)),
    ];
    let mut event = event.headers(headers);
    event.body = body.clone();
    let event = event.with(|p| p.with_content_type(seal::CONTENT_TYPE.into()));
    world.broker.publish_one(&event).await;

    let letter = world.letter_of("fake").await;
    assert_eq!(letter.ours("code"), "unsupported_content_type");
    let (properties, opened) = letter.opened(&ring);
    assert_eq!(opened, body);
    assert_eq!(properties.content_type.as_deref(), Some(seal::CONTENT_TYPE));
    assert_eq!(world.sandbox.revoked().await, 0);
    world.check_unharmed(&mut worker).await;
}
