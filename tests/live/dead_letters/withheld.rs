//! A session token on its way to the dead letters and on every screen: it is read nowhere but where it
//! was asked for.

use serde_json::json;

use crate::harness::{Event, PATIENCE, World, secret::assert_withheld, wait};

#[tokio::test]
async fn no_record_log_metric_or_screen_holds_the_token() {
    let world = World::new("withheld").await;
    let (keys, _) = world.key_ring();
    let settings = || {
        let settings = world.worker().set("REVOKER_SEAL_KEY_FILE", keys.display());
        settings
            .set("REVOKER_ATTEMPTS", 1)
            .set("REVOKER_RETRY_DELAYS", "4s")
    };
    let worker = settings().start().await;
    let (_, token) = world.sandbox.seed_token().await;
    world
        .sandbox
        .faults(&json!({"by_id": {&token: "500"}}))
        .await;
    let event = Event::new(json!({ "session_token": token }));
    world.broker.publish_one(&event).await;

    let retries = wait::value("it is delayed", PATIENCE, async || {
        let found = world.broker.lying_in("urgent.retry.4s").await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    let letter = world.letter_of("live-test").await;
    assert!(letter.is_sealed() && retries[0].is_sealed());
    letter.assert_withholds(&token);
    retries[0].assert_withholds(&token);
    worker.assert_withholds(&token).await;
    for outcome in world.broker.outcomes().await {
        assert_withheld("an outcome", outcome.body.to_string(), &token);
    }
    let id = event.id.as_str();
    for arguments in [
        &["list"][..],
        &["list", "--each"],
        &["list", "--each", "--json"],
        &["show", id],
        &["show", id, "--json"],
        &["replay"],
        &["purge", "--event-id", id],
    ] {
        let ended = settings()
            .once(&[&["dead-letters"], arguments].concat())
            .await;
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_withheld("a screen", ended.out + &ended.err, &token);
    }
    let revealed = settings()
        .once(&["dead-letters", "show", id, "--reveal"])
        .await;
    assert!(revealed.out.contains(&token), "{revealed:?}");
}
