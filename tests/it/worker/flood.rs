//! One publisher floods the urgent lane: the urgent events of others that are in hand pass it by, and so does
//! bulk in time. Here all is in hand at once; how a prefetch bounds that is seen against a real broker.

use std::time::Duration;

use serde_json::json;

use super::{
    bulk, event,
    world::{Setup, World},
};

const FLOOD: u64 = 10_000;

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_publisher_holds_up_nobody_else() {
    let mut setup = Setup::default();
    setup.gate.max_rate = Some(100.0);
    let world = World::new(&setup, 1);
    for n in 1..=FLOOD + 2 {
        world.stytch.open(n, n, "2026-11-22T06:00:00Z");
    }
    for n in 1..=FLOOD / 2 {
        let mut flood = event(n, json!({}));
        flood.publisher = "flood".into();
        world.publish(flood);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.publish(bulk(FLOOD + 1));
    for n in FLOOD / 2 + 1..=FLOOD {
        let mut flood = event(n, json!({}));
        flood.publisher = "flood".into();
        world.publish(flood);
    }
    let asked = world.journal.now();
    world.publish(event(FLOOD + 2, json!({})));
    world.settled(Duration::from_secs(150)).await;

    let done = |n: u64| world.journal.times(&format!("revoke s{n}"))[0];
    let waited = done(FLOOD + 2) - asked;
    assert!(
        waited < Duration::from_secs(1),
        "urgent of another publisher waited {waited:?}"
    );
    assert!(
        done(FLOOD + 1) < done(FLOOD),
        "bulk goes before what floods in after it"
    );
    assert_eq!(
        world.total("revoker_events_completed_total", &["revoked"]),
        (FLOOD + 2) as f64
    );
}
