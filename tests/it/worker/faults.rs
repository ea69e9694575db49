//! Faults that are no event's own: the rate, an outage, our credentials. None may cost an event anything.

use std::time::Duration;

use revoker::{
    gate::breaker::{CREDENTIALS_PROBE, FAILURES_TO_PROBE},
    revoke::outcome::Failure,
    telemetry::state::State,
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    bulk, event,
    stytch::{Answer, LATENCY},
    world::{Setup, World},
};

/// How long each fault lasts.
const FAULT: Duration = Duration::from_secs(20);
/// Events in hand meanwhile: half of them urgent.
const EVENTS: u64 = 60;
const OLD: &str = "2026-11-22T06:00:00Z";

/// Every call gets this answer until the fault is over; events come before and during it.
async fn begin(seed: u64, answer: Answer, lasting: Duration) -> World {
    let world = World::new(&Setup::default(), seed);
    world
        .stytch
        .fault(move |asked| (asked.now < lasting).then_some(answer));
    for n in 1..=EVENTS {
        world.stytch.open(n, 1, OLD);
        world.publish(if n % 2 == 0 {
            bulk(n)
        } else {
            event(n, json!({}))
        });
        sleep(Duration::from_millis(100)).await;
    }
    world
}

/// All are revoked within `max`, and nothing is lost, deferred or dead-lettered.
async fn assert_all_revoked(world: &World, max: Duration) {
    world.settled(max).await;
    assert_eq!(
        world.journal.count("outcome urgent.revoked"),
        EVENTS as usize / 2
    );
    assert_eq!(
        world.journal.count("outcome bulk.revoked"),
        EVENTS as usize / 2
    );
    assert!((1..=EVENTS).all(|n| !world.stytch.is_alive(n)));
    assert_eq!(world.total("revoker_dead_letters_total", &[]), 0.0);
    assert_eq!(world.total("revoker_events_deferred_total", &[]), 0.0);
    assert_eq!(world.total("revoker_events_returned_total", &[]), 0.0);
}

/// All attempts that the outcomes tell of.
fn attempts(world: &World) -> u64 {
    let outcomes = world.broker.outcomes();
    outcomes
        .iter()
        .map(|outcome| outcome["attempts"].as_u64().unwrap())
        .sum()
}

#[tokio::test(start_paused = true)]
async fn a_429_for_all_costs_no_attempt() {
    for (seed, answer) in [
        (1, Answer::Says(429, "too_many_requests")),
        (2, Answer::Says(429, "")),
    ] {
        let world = begin(seed, answer, FAULT).await;
        assert_eq!(world.worker.board.snapshot().state, State::Throttled);
        assert_all_revoked(&world, FAULT * 2).await;
        assert_eq!(attempts(&world), 0);
        let limited = world.total(
            "revoker_stytch_requests_total",
            &["result=\"rate_limited\""],
        );
        assert!(limited < 60.0, "{limited} calls into a rate block of 20 s");
        assert!(world.total("revoker_rate_blocked_seconds_total", &[]) > 5.0);
        // A canary may stand in for messages that were refused again and again, but asks for no life.
        assert_eq!(world.total("revoker_breaker_transitions_total", &[]), 0.0);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.worker.board.snapshot().state, State::Running);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_kept_to() {
    let world = begin(1, Answer::RetryAfter(7), Duration::from_millis(1)).await;
    assert_all_revoked(&world, FAULT).await;
    assert_eq!(attempts(&world), 0);
    // The bulk lane keeps to it; a few urgent calls a second may ask again, and find the way free.
    let first = |line: &str| world.journal.times(line)[0];
    assert!(first("outcome bulk.revoked") >= Duration::from_secs(7));
    assert!(first("outcome urgent.revoked") < Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_event_anything() {
    let answers = [
        Answer::Says(500, "internal_server_error"),
        Answer::Says(503, ""),
        Answer::Fails(Failure::Timeout),
        Answer::Fails(Failure::Network),
        Answer::Fails(Failure::InvalidResponse),
    ];
    for (seed, answer) in (1..).zip(answers) {
        let world = begin(seed, answer, FAULT).await;
        assert_eq!(world.worker.board.snapshot().state, State::Outage);
        assert_all_revoked(&world, FAULT * 2).await;
        assert!(
            attempts(&world) <= FAILURES_TO_PROBE.into(),
            "{}",
            attempts(&world)
        );
        let canaries = world.journal.times("canary");
        for (two, wait) in canaries.windows(2).zip([1.0, 2.0, 4.0, 5.0, 5.0, 5.0]) {
            let latency = LATENCY.as_secs_f64();
            let gap = (two[1] - two[0]).as_secs_f64() - latency;
            assert!(
                (0.79 * wait..1.21 * wait).contains(&gap),
                "{gap} for {wait}"
            );
        }
        // From the first canary's answer to the last canary's, nothing else is sent.
        let (first, last) = (canaries[0] + LATENCY * 2, *canaries.last().unwrap());
        assert!(last > FAULT, "the last canary finds the fault over");
        let between = |at: &&Duration| (first..last).contains(*at);
        assert_eq!(
            world.journal.times("revoke").iter().filter(between).count(),
            0
        );
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.worker.board.snapshot().state, State::Running);
    }
}

/// 401 and the forms of 400 and others that mean the same.
const REFUSALS: &[(u16, &str)] = &[
    (401, "unauthorized_credentials"),
    (401, ""),
    (401, "cname_not_verified"),
    (400, "invalid_secret_authentication"),
    (400, "invalid_project_id_authentication"),
    (400, "invalid_authorization_header"),
    (400, "unauthorized_project_id_for_member"),
    (400, "invalid_project_id"),
    (400, "invalid_secret_id"),
    (404, "project_not_found"),
    (404, "route_not_found"),
    (405, "method_not_allowed"),
    (403, "use_https"),
    (302, ""),
];

#[tokio::test(start_paused = true)]
async fn refused_credentials_cost_no_event_anything() {
    for (status, word) in REFUSALS {
        let world = begin(1, Answer::Says(*status, word), FAULT).await;
        assert_eq!(
            world.worker.board.snapshot().state,
            State::Credentials,
            "{word}"
        );
        assert_all_revoked(&world, CREDENTIALS_PROBE * 2).await;
        assert_eq!(attempts(&world), 0, "{word}");
        let canaries = world.journal.times("canary");
        assert_eq!(canaries.len(), 1, "{word}");
        assert!(canaries[0] >= CREDENTIALS_PROBE && canaries[0] < CREDENTIALS_PROBE + LATENCY * 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_is_tried_within_five_seconds() {
    let world = begin(1, Answer::Says(401, "unauthorized_credentials"), FAULT).await;
    sleep(FAULT - world.journal.now()).await;
    assert_eq!(world.journal.count("canary"), 0);
    world.stytch.change_secret();
    assert_all_revoked(&world, Duration::from_secs(5)).await;
    assert_eq!(world.journal.count("canary"), 1);
}

#[tokio::test(start_paused = true)]
async fn while_credentials_are_refused_one_canary_goes_each_half_minute() {
    let lasting = CREDENTIALS_PROBE * 4;
    let world = begin(1, Answer::Says(401, "unauthorized_credentials"), lasting).await;
    assert_all_revoked(&world, CREDENTIALS_PROBE * 6).await;
    let canaries = world.journal.times("canary");
    assert_eq!(canaries.len(), 4, "{canaries:?}");
    for two in canaries.windows(2) {
        let gap = two[1] - two[0];
        assert!(
            gap >= CREDENTIALS_PROBE && gap < CREDENTIALS_PROBE + LATENCY * 2,
            "{gap:?}"
        );
    }
    // Only what was on the wire when the first refusal came.
    assert!(world.journal.count("revoke") < EVENTS as usize + 5);
}

#[tokio::test(start_paused = true)]
async fn an_outage_forgives_what_was_counted_before_it() {
    let world = World::plain();
    let answer = Answer::Says(500, "internal_server_error");
    // Event 1 fails five times, an outage begins, and after it event 1 fails twice more.
    world.stytch.fault(move |asked| match asked.call {
        "canary" if asked.nth == 1 => Some(answer),
        "revoke s1" if asked.nth <= 7 => Some(answer),
        _ => None,
    });
    world.stytch.open(1, 1, OLD);
    world.publish(event(1, json!({})));
    world.settled(Duration::from_secs(60)).await;
    assert_eq!(world.journal.count("revoke s1"), 8);
    assert_eq!(world.journal.count("outcome urgent.revoked e1"), 1);
    assert_eq!(attempts(&world), 2);
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_panics_is_not_the_last() {
    let world = World::plain();
    let answer = Answer::Says(503, "");
    world
        .stytch
        .fault(move |asked| match (asked.call, asked.nth) {
            ("canary", 1) => Some(Answer::Panics),
            _ => (asked.now < FAULT).then_some(answer),
        });
    world.stytch.open(1, 1, OLD);
    world.publish(event(1, json!({})));
    world.settled(FAULT * 3).await;
    assert_eq!(world.journal.count("outcome urgent.revoked e1"), 1);
    assert_eq!(world.total("revoker_task_panics_total", &[]), 1.0);
}

/// An outage may begin while events are in their last round.
#[tokio::test(start_paused = true)]
async fn an_outage_kills_no_event_in_its_last_round() {
    let world = World::plain();
    world
        .stytch
        .fault(|asked| (asked.now < FAULT).then_some(Answer::Says(503, "")));
    for n in 1..=EVENTS {
        world.stytch.open(n, 1, OLD);
        let mut last = event(n, json!({}));
        last.history.returned = true;
        (last.history.attempts, last.history.retries) = (8, 3);
        world.publish(last);
    }
    world.settled(FAULT * 3).await;
    assert_eq!(world.broker.dead().len(), 0);
}
