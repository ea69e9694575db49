//! Events that came to their lane another way than through its exchange.

use revoker::{
    event::{Message, Route, UNKNOWN_PUBLISHER},
    gate::trial::SUSPECT_AFTER,
};
use serde_json::json;
use tokio::time::sleep;

use super::{event, posted::header, stytch::token, world::World};

const OLD: &str = "2026-11-22T06:00:00Z";

fn by(route: Route, message: Message) -> Message {
    Message {
        route,
        publisher: UNKNOWN_PUBLISHER.into(),
        ..message
    }
}

/// Publishes it, and gives back what has happened.
async fn check(message: Message, happens: &[&str]) -> World {
    let world = World::plain();
    world.stytch.open(1, 1, OLD);
    world.publish(message);
    sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(world.journal.lines(), happens);
    world
}

#[tokio::test(start_paused = true)]
async fn past_the_exchange_is_done() {
    let happens = ["revoke s1", "outcome urgent.revoked e1", "ack e1"];
    check(by(Route::Past, event(1, json!({}))), &happens).await;
}

#[tokio::test(start_paused = true)]
async fn astray_is_dead_lettered_without_a_call() {
    let astray = |changes| by(Route::Astray, event(1, changes));
    let outcome = "outcome urgent.dead_lettered e1";
    let happens = ["dead lane_mismatch e1", outcome, "ack e1"];
    let world = check(astray(json!({})), &happens).await;
    let text = header(&world.broker.dead()[0], "revoker-text").unwrap();
    assert!(text.starts_with("lane_mismatch: "), "{text}");
    assert_eq!(world.broker.outcomes()[0]["publisher"], UNKNOWN_PUBLISHER);
    // A credential in it is kept as in any other.
    let secret = astray(json!({"session_id": null, "session_token": token(1)}));
    let happens = ["dead lane_mismatch e1 sealed", outcome, "ack e1"];
    check(secret, &happens).await;
    // What is wrong with the event itself is told first.
    let wrong = astray(json!({"session_id": null}));
    let happens = ["dead target_missing e1 sealed", outcome, "ack e1"];
    check(wrong, &happens).await;
}

/// On trial it would be sent on, and come back by the lane's own way.
#[tokio::test(start_paused = true)]
async fn astray_is_never_put_on_trial() {
    let mut message = by(Route::Astray, event(1, json!({})));
    (message.redelivered, message.delivery_count) = (true, SUSPECT_AFTER + 1);
    let outcome = "outcome urgent.dead_lettered ?";
    let happens = ["dead lane_mismatch ? sealed", outcome, "ack e1"];
    check(message, &happens).await;
}
