//! Stytch answers 429 for long, or says so: no spin, nothing lost, and nobody waits for years.

use std::time::Duration;

use serde_json::json;

use super::{
    bulk, event,
    stytch::Answer,
    world::{Setup, World},
};

/// Events in hand meanwhile: half of them urgent.
const EVENTS: u64 = 100;
const MINUTE: Duration = Duration::from_secs(60);

/// The same answer to every call until then, with events of both lanes waiting.
fn blocked(seed: u64, answer: Answer, until: Duration) -> World {
    let world = World::new(&Setup::default(), seed);
    world
        .stytch
        .fault(move |asked| (asked.now < until).then_some(answer));
    for n in 1..=EVENTS {
        world.stytch.open(n, n, "2026-11-22T06:00:00Z");
        world.publish(if n % 2 == 0 {
            bulk(n)
        } else {
            event(n, json!({}))
        });
    }
    world
}

/// All are revoked by then; no event was dead-lettered or counted as failed.
async fn assert_all_revoked(world: &World, max: Duration, events: u64) {
    world.settled(max).await;
    assert!((1..=events).all(|n| !world.stytch.is_alive(n)));
    assert_eq!(world.total("revoker_dead_letters_total", &[]), 0.0);
    let outcomes = world.broker.outcomes();
    assert_eq!(outcomes.len() as u64, events);
    assert!(outcomes.iter().all(|outcome| outcome["attempts"] == 0));
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_nothing_allowed_are_no_spin() {
    for seed in 1..=3 {
        let world = blocked(seed, Answer::Says(429, "too_many_requests"), MINUTE * 10);
        tokio::time::sleep(MINUTE * 10).await;
        let refused = world.total(
            "revoker_stytch_requests_total",
            &["result=\"rate_limited\""],
        );
        // A call in five seconds finds out whether the way is free; urgent may ask a little more.
        assert!((60.0..400.0).contains(&refused), "{refused} calls");
        assert_all_revoked(&world, MINUTE, EVENTS).await;
    }
}

/// Nobody means three years: whom it was said of asks again within minutes, who comes later at once.
#[tokio::test(start_paused = true)]
async fn a_retry_after_of_years_is_not_believed() {
    for (seed, seconds) in [(1, 99_999_999), (2, u64::from(u32::MAX)), (3, u64::MAX)] {
        let world = blocked(seed, Answer::RetryAfter(seconds), Duration::from_secs(1));
        tokio::time::sleep(MINUTE / 2).await;
        assert_eq!(world.journal.count("outcome"), 0, "it is kept to");
        let late = EVENTS + 1;
        world.stytch.open(late, late, "2026-11-22T06:00:00Z");
        world.publish(event(late, json!({})));
        let is_revoked = |world: &World| !world.stytch.is_alive(late);
        let soon = Duration::from_secs(5);
        world.until(soon, "revoked the late one", is_revoked).await;
        assert_all_revoked(&world, MINUTE * 7, late).await;
    }
}
