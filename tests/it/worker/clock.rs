//! The wall clock jumps: no timer cares, and nothing is refused, lost or spared for it.
//!
//! Everything that happens is told twice, with a clock that runs well and with one that jumps: the two
//! journals must be the same, to the millisecond.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    bulk, event,
    stytch::{Answer, token, user},
    world::{Setup, World, set_clock},
};

const SECOND: Duration = Duration::from_secs(1);
const OLD: &str = "2026-11-22T06:00:00Z";
/// When something happens and the clock is set anew, in seconds since the world began.
const STEPS: std::ops::Range<u64> = 0..60;

/// How far the clock is off at each step.
fn jumps() -> [SignedDuration; 6] {
    let (hour, day) = (
        SignedDuration::from_hours(1),
        SignedDuration::from_hours(24),
    );
    [SignedDuration::ZERO, hour, -hour, day, -day, hour]
}

/// One of every kind: by session, by token, for a user with his cutoff and with none.
fn publish(world: &World, step: u64) {
    let n = step * 4;
    for n in n..n + 4 {
        world.stytch.open(n, n, OLD);
    }
    world.publish(event(n, json!({})));
    world.publish(bulk(n + 1));
    let by_token = json!({"session_id": null, "session_token": token(n + 2)});
    world.publish(event(n + 2, by_token));
    let cutoff = match step % 2 {
        0 => json!("2026-11-22T06:30:00Z"),
        _ => Value::Null,
    };
    world.publish(event(
        n + 3,
        json!({"session_id": null, "user_id": user(n + 3), "cutoff": cutoff}),
    ));
}

/// An outage, a rate block, a new secret to wait for, and events with troubles of their own.
fn answers(world: &World) {
    world.stytch.fault(|asked| match asked.now.as_secs() {
        10..20 => Some(Answer::Says(503, "")),
        25..27 => Some(Answer::RetryAfter(4)),
        35..37 => Some(Answer::Says(401, "unauthorized_credentials")),
        _ if asked.call == "revoke s4" => Some(Answer::Says(500, "internal_server_error")),
        _ if asked.call == "revoke s9" && asked.nth < 3 => Some(Answer::Says(500, "")),
        _ => None,
    });
}

/// All that happened, with its time.
async fn story(setup: &Setup, clock: impl Fn(u64) -> SignedDuration) -> World {
    set_clock(SignedDuration::ZERO);
    let world = World::new(setup, 7);
    answers(&world);
    for step in STEPS {
        set_clock(clock(step));
        publish(&world, step);
        sleep(SECOND).await;
    }
    world.settled(SECOND * 4000).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_changes_nothing() {
    for offset in 0..2 {
        let setup = Setup::default();
        let well = story(&setup, |_| SignedDuration::ZERO).await;
        let jumping = story(&setup, |step| jumps()[(step as usize + offset) % 6]).await;
        let (lines, wanted) = (jumping.journal.timed(), well.journal.timed());
        let differing = lines
            .iter()
            .zip(&wanted)
            .find(|(line, wanted)| line != wanted);
        assert_eq!(differing, None, "the first line that is another");
        assert_eq!(lines.len(), wanted.len());
        let dead = jumping.broker.dead();
        assert_eq!(dead.len(), 1, "s4, which fails for ever: {dead:?}");
        let events = STEPS.end * 4;
        assert!((0..events).all(|n| n == 4 || !jumping.stytch.is_alive(n)));
        let outcomes = jumping.broker.outcomes();
        assert_eq!(outcomes.len() as u64, events);
        assert!(outcomes.iter().all(|o| o["outcome"] != "obsolete"));
    }
}
