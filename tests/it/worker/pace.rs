//! The whole worker against an unknown limit, on a paused clock: as fast as the rate control alone in
//! its simulation, and nothing is lost on the way.

use std::time::Duration;

use super::{
    bulk,
    stytch::Answer,
    world::{Setup, World},
};

const EVENTS: u64 = 4_000;
/// Calls a second that are let through, in windows of a full second.
const LIMIT: u32 = 100;
/// The least time that so many calls need: the first window is free.
const IDEAL_S: f64 = EVENTS as f64 / LIMIT as f64;

#[tokio::test(start_paused = true)]
async fn a_limit_that_nobody_told_is_found_and_used() {
    let mut setup = Setup::default();
    setup.gate.start_rate = 10.0;
    let world = World::new(&setup, 1);
    let (mut window, mut taken) = (0, 0);
    world.stytch.fault(move |asked| {
        if window != asked.now.as_secs() {
            (window, taken) = (asked.now.as_secs(), 0);
        }
        taken += 1;
        (taken > LIMIT).then_some(Answer::Says(429, "too_many_requests"))
    });
    for n in 1..=EVENTS {
        world.stytch.open(n, n, "2026-11-22T06:00:00Z");
        world.publish(bulk(n));
    }
    world.settled(Duration::from_secs(200)).await;

    let took = world.journal.now().as_secs_f64();
    let calls = world.total("revoker_stytch_requests_total", &[]);
    let refused = world.total("revoker_stytch_requests_total", &["rate_limited"]);
    let wasted = refused / calls * 100.0;
    // The cold start from 10 a second costs four seconds; the rest is used but for a few hundredths.
    assert!(took <= IDEAL_S * 1.07 + 4.0, "{took:.1} s");
    assert!(wasted <= 0.9, "{wasted:.2} % of the calls were refused");
    assert_eq!(world.total("revoker_dead_letters_total", &[]), 0.0);
    assert_eq!(
        world.total("revoker_events_completed_total", &["revoked"]),
        EVENTS as f64
    );
}
