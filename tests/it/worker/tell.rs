//! What a worker tells of itself among the outcomes: while it has to do with a campaign, and not else.

use std::time::Duration;

use revoker::{campaign::WorkerState, event::Lane, event::Message, revoke::outcome::Failure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    bulk, event,
    posted::Fate,
    stytch::Answer,
    world::{Setup, World, wall},
};

const SECOND: Duration = Duration::from_secs(1);
/// How long the worker may take to see a change.
const LOOK_MAX: Duration = Duration::from_secs(4);

fn of_campaign(n: u64) -> Message {
    Message {
        lane: Lane::Bulk,
        ..event(n, json!({"campaign_id": "breach"}))
    }
}

fn told(world: &World) -> Vec<WorkerState> {
    let states = world.broker.states();
    let read = states.iter().map(|message| {
        let state = WorkerState::read(&message.body).expect("it is what it says");
        assert_eq!(message.routing_key, format!("worker.{}", state.state));
        state
    });
    read.collect()
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_a_campaign_writes_nothing() {
    let world = World::plain();
    world.publish(bulk(1));
    // Urgent events obey no campaign, whatever they are called.
    world.publish(event(2, json!({"campaign_id": "breach"})));
    world.settled(SECOND).await;
    sleep(120 * SECOND).await;
    assert_eq!(told(&world), []);
}

#[tokio::test(start_paused = true)]
async fn it_tells_again_and_again_until_a_minute_after_the_last_event() {
    let world = World::plain();
    world.publish(of_campaign(1));
    sleep(600 * SECOND).await;
    let told = told(&world);
    assert_eq!(told.len(), 2, "at once and half a minute later: {told:#?}");
    assert_eq!(
        (told[0].state.as_str(), &told[0].worker),
        ("running", &told[1].worker)
    );
    assert_eq!(told[0].worker, world.worker.teller.worker());
    assert!(told[0].rate > 0.0 && told[0].at < wall());
    // One event a second: a state each half minute.
    for n in 2..=121 {
        world.publish(of_campaign(n));
        sleep(SECOND).await;
    }
    let more = world.broker.states().len() - told.len();
    assert!((4..=5).contains(&more), "{more}");
}

/// An outage lets no event come: what it interrupts is told to its end.
#[tokio::test(start_paused = true)]
async fn what_interrupts_a_campaign_is_told_to_its_end() {
    let world = World::plain();
    world.publish(of_campaign(1));
    sleep(LOOK_MAX).await;
    world
        .stytch
        .fault(|_| Some(Answer::Fails(Failure::Network)));
    (2..=20).for_each(|n| world.publish(of_campaign(n)));
    sleep(600 * SECOND).await;
    let during = told(&world);
    let last = during.last().unwrap();
    assert_eq!(last.state, "outage");
    assert!(last.why.starts_with("Stytch cannot be reached"), "{last:?}");
    assert!(last.next_probe.is_some() && last.since < last.at);
    assert!((19..=23).contains(&during.len()), "{}", during.len());
    world.stytch.heal();
    sleep(30 * SECOND).await;
    assert_eq!(told(&world).last().unwrap().state, "running");
}

/// What tells is in nobody's way, and what is not told is not told again.
#[tokio::test(start_paused = true)]
async fn a_state_that_is_not_taken_is_let_go() {
    let world = World::plain();
    world
        .broker
        .fault(|posted| posted.text.starts_with("tells").then_some(Fate::Swallowed));
    world.publish(of_campaign(1));
    world.settled(SECOND).await;
    sleep(10 * SECOND).await;
    assert_eq!(world.journal.count("failed tells worker.running"), 1);
    let outcome: Value = world.broker.outcomes().remove(0);
    assert_eq!(outcome["campaign_id"], "breach");
}

#[tokio::test(start_paused = true)]
async fn without_outcomes_nothing_is_told() {
    let mut setup = Setup::default();
    setup.settle.outcomes = false;
    let world = World::new(&setup, 1);
    world.publish(of_campaign(1));
    world.settled(SECOND).await;
    sleep(60 * SECOND).await;
    assert_eq!(told(&world), []);
}
