//! A CloudEvent on its way through every retry: what comes back out of a delay queue is the same event.

use std::time::Duration;

use revoker::event::{HeaderValue, Message};
use serde_json::json;

use super::{
    message,
    stytch::{Answer, session},
    world::{Setup, World},
};

const OLD: &str = "2026-11-22T06:00:00Z";
const TOKEN: &str = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT800000001";
/// Long enough for every retry delay.
const LONG: Duration = Duration::from_secs(3600);

fn structured() -> Message {
    let body = json!({"specversion": "1.0", "type": "session.revoke.v1", "id": "cloud", "source": "/s",
        "time": "2026-11-22T06:29:58Z", "data": {"reason": "policy", "session_id": session(1)}});
    let mut structured = message("m", body.to_string());
    structured.properties.content_type = Some("application/cloudevents+json".into());
    structured
}

fn binary(prefix: &str, target: (&str, &str)) -> Message {
    let mut binary = message(
        "m",
        json!({"reason": "policy", target.0: target.1}).to_string(),
    );
    let attributes = [
        ("id", "cloud"),
        ("source", "/s"),
        ("specversion", "1.0"),
        ("time", "2026-11-22T06:29:58Z"),
        ("type", "session.revoke.v1"),
    ];
    for (name, value) in attributes {
        let value = HeaderValue::Text(value.into());
        binary
            .properties
            .headers
            .push((format!("{prefix}{name}"), value));
    }
    binary
}

/// In clear and sealed, since a body with a token is stored with its headers inside.
#[tokio::test(start_paused = true)]
async fn a_cloud_event_is_the_same_after_every_retry() {
    let session = session(1);
    let messages = [
        structured(),
        binary("ce-", ("session_id", &session)),
        binary("cloudEvents_", ("session_token", TOKEN)),
        binary("cloudEvents:", ("session_token", TOKEN)),
    ];
    for message in messages {
        let world = World::new(&Setup::default(), 1);
        // Every attempt in memory fails, and the one after each delay but the last.
        world.stytch.fault(|asked| {
            let fails = asked.call != "canary" && asked.nth <= 8;
            fails.then_some(Answer::Says(500, ""))
        });
        world.stytch.open(1, 1, OLD);
        world.publish(message.clone());
        world.settled(LONG).await;
        assert!(!world.stytch.is_alive(1), "{message:?}");
        assert_eq!(world.journal.count("retry 600s cloud"), 2, "{message:?}");
        let outcome = &world.broker.outcomes()[0];
        assert_eq!(outcome["outcome"], "revoked");
        assert_eq!(outcome["event_id"], "cloud");
        assert_eq!(outcome["attempts"], 8);
        assert_eq!(outcome["publisher"], "auth", "not the source");
    }
}
