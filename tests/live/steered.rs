//! Properties by which a publisher steers the broker: none of them steers what we publish.

use lapin::BasicProperties;
use serde_json::json;

use crate::harness::{Event, PATIENCE, World, wait};

#[tokio::test]
async fn an_expiration_ends_as_a_dead_letter() {
    let world = World::new("expired").await;
    let (keys, ring) = world.key_ring();
    world.declare().await;
    let secret = "SECRET_CANARY_Xq7bV0pLdE3sN-h9Tz";
    let body = json!({ "session_token": secret });
    for lane in ["urgent", "bulk"] {
        let event = Event::new(body.clone()).by(lane).in_exchange(lane);
        let short: BasicProperties = event.properties.clone().with_expiration("1".into());
        world.broker.publish_one(&event.with(|_| short)).await;
    }
    wait::until("the broker dead-letters both", PATIENCE, async || {
        world.broker.depth("unhandled").await == Some(2)
    })
    .await;

    let keys = keys.display().to_string();
    let mut worker = world
        .worker()
        .set("REVOKER_SEAL_KEY_FILE", keys)
        .start()
        .await;
    for lane in ["urgent", "bulk"] {
        let letter = world.letter_of(lane).await;
        assert_eq!(letter.ours("code"), "expired");
        assert_eq!(letter.ours("lane"), lane);
        assert!(letter.ours("text").starts_with("expired: "), "{letter:?}");
        assert!(letter.properties.expiration().is_none());
        letter.assert_withholds(secret);
        let (_, body) = letter.opened(&ring);
        assert!(String::from_utf8(body).unwrap().contains(secret));
    }
    let dead = worker
        .metrics()
        .await
        .sum("revoker_dead_letters_total", &[("code", "expired")]);
    assert_eq!(dead, 2.0);
    worker.assert_withholds(secret).await;
    assert_eq!(world.sandbox.revoked().await, 0);
    world.check_unharmed(&mut worker).await;
}
