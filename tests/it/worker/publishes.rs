//! What follows from an event is confirmed before the event is acked, whatever the broker does meanwhile.

use std::time::Duration;

use revoker::{settle::PublishError, telemetry::state::State};
use serde_json::json;
use tokio::time::sleep;

use super::{
    bulk, event,
    posted::Fate,
    stytch::Answer,
    world::{Setup, World},
};

/// How long the broker refuses.
const FAULT: Duration = Duration::from_secs(20);
const OLD: &str = "2026-11-22T06:00:00Z";
/// Every way in which a publish goes wrong while the link stands.
const FATES: [Fate; 4] = [
    Fate::Refused(PublishError::Returned),
    Fate::Refused(PublishError::Nacked),
    Fate::Swallowed,
    Fate::KeptInSilence,
];

/// Event 1 is answered so, and its publish (of that beginning) goes wrong for 20 s: no ack before
/// it is confirmed, and at the end these lines.
async fn check(setup: &Setup, answer: Option<Answer>, beginning: &'static str, wanted: &[&str]) {
    for (seed, fate) in (1..).zip(FATES) {
        let world = World::new(setup, seed);
        world.stytch.open(1, 1, OLD);
        world
            .stytch
            .fault(move |asked| answer.filter(|_| asked.call != "canary" && asked.nth <= 6));
        world.broker.fault(move |posted| {
            (posted.text.starts_with(beginning) && posted.now < FAULT).then_some(fate)
        });
        world.publish(event(1, json!({})));
        sleep(FAULT).await;
        assert_eq!(
            world.journal.count("ack"),
            0,
            "{fate:?}: {:?}",
            world.journal.lines()
        );
        assert_eq!(world.broker.left()[1], 1, "{fate:?}");
        let failed = world.journal.count(&format!("failed {beginning}"));
        assert!(
            (1..20).contains(&failed),
            "{fate:?}: {failed} failed publishes in 20 s"
        );
        world
            .until(Duration::from_secs(60), "acked", |w| {
                w.journal.count("ack") > 0
            })
            .await;
        let lines = world.journal.lines().into_iter();
        let ours = lines.filter(|line| !line.starts_with("failed") && line.ends_with("e1"));
        assert_eq!(
            ours.take(wanted.len()).collect::<Vec<_>>(),
            wanted,
            "{fate:?}"
        );
        world.assert_conserved();
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_confirmed_before_the_ack() {
    let mut setup = Setup::default();
    let wanted = ["outcome urgent.revoked e1", "ack e1"];
    check(&setup, None, "outcome", &wanted).await;
    // Without outcomes there is nothing to wait for.
    setup.settle.outcomes = false;
    let world = World::new(&setup, 1);
    world.publish(event(1, json!({})));
    world.settled(Duration::from_secs(5)).await;
    assert_eq!(world.journal.lines(), ["revoke s1", "ack e1"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_confirmed_before_its_outcome_and_the_ack() {
    let answer = Some(Answer::Says(400, "invalid_session_id"));
    let wanted = [
        "dead invalid_session_id e1",
        "outcome urgent.dead_lettered e1",
        "ack e1",
    ];
    check(&Setup::default(), answer, "dead", &wanted).await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_confirmed_before_the_ack() {
    let answer = Some(Answer::Says(500, "internal_server_error"));
    check(
        &Setup::default(),
        answer,
        "retry",
        &["retry 60s e1", "ack e1"],
    )
    .await;
}

/// While outcomes cannot be confirmed: urgent goes on after 30 s, unrecorded; bulk waits for its proof.
#[tokio::test(start_paused = true)]
async fn without_an_audit_stream_urgent_goes_on_and_bulk_waits() {
    let world = World::plain();
    let broken = Duration::from_secs(100);
    world.broker.fault(move |posted| {
        let fails = posted.text.starts_with("outcome") && posted.now < broken;
        fails.then_some(Fate::Refused(PublishError::Returned))
    });
    for n in 1..=3 {
        world.stytch.open(n, 1, OLD);
    }
    world.publish(event(1, json!({})));
    world.publish(bulk(2));
    sleep(Duration::from_secs(29)).await;
    assert_eq!(world.journal.count("ack"), 0);
    assert_eq!(world.worker.board.snapshot().state, State::Running);
    sleep(Duration::from_secs(8)).await;
    assert_eq!(
        world.journal.count("ack e1"),
        1,
        "urgent waits no longer than 30 s and a publish"
    );
    assert_eq!(world.worker.board.snapshot().state, State::Audit);
    world.publish(event(3, json!({})));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        world.journal.count("ack e3"),
        1,
        "the next one does not wait at all"
    );
    assert_eq!(
        world.total("revoker_outcomes_unrecorded_total", &["lane=\"urgent\""]),
        2.0
    );
    sleep(broken - world.journal.now()).await;
    assert_eq!(world.journal.count("ack e2"), 0, "bulk waits");
    world.settled(Duration::from_secs(10)).await;
    assert_eq!(world.journal.lines().last().unwrap(), "ack e2");
    assert_eq!(world.journal.count("outcome bulk.revoked e2"), 1);
    assert_eq!(world.total("revoker_outcomes_unrecorded_total", &[]), 2.0);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.worker.board.snapshot().state, State::Running);
}

#[tokio::test(start_paused = true)]
async fn without_an_audit_stream_a_dead_letter_is_still_one() {
    let world = World::plain();
    let refused = Fate::Refused(PublishError::Nacked);
    world
        .broker
        .fault(move |posted| posted.text.starts_with("outcome").then_some(refused));
    world.publish(event(1, json!({"session_id": null})));
    world.settled(Duration::from_secs(60)).await;
    assert_eq!(world.broker.dead().len(), 1, "published once");
    assert_eq!(world.total("revoker_outcomes_unrecorded_total", &[]), 1.0);
}
