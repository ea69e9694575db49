//! Which events say how fast we are, and which say only that somebody's clock or list is old.

use std::time::Duration;

use jiff::Timestamp;
use revoker::{
    broker::{Depth, Fact},
    event::{History, Message},
    worker::watch,
};
use serde_json::json;

use super::{
    event,
    stytch::Answer,
    world::{World, wall},
};

const MINUTE: Duration = Duration::from_secs(60);
/// Twenty minutes before the world begins.
const OLD: &str = "2026-11-22T06:10:00Z";

/// The queue of urgent events was asked: so many wait in it.
fn waiting(world: &World, messages: u64) {
    let (board, backlog) = (&world.worker.board, &world.worker.backlog);
    let fact = Fact::Depth(Depth::Urgent, messages);
    watch(&world.metrics, board, backlog, fact, wall());
}

/// What one event comes to: `late`, or the cause for which it is kept out.
async fn measured(world: &World, message: Message) -> String {
    world.stytch.open(1, 1, OLD);
    let count = |cause: &str| {
        let of = format!("cause=\"{cause}\"");
        world.total("revoker_exposure_unmeasured_total", &["urgent", &of])
    };
    let late = || {
        let within = ["urgent", "le=\"900\""];
        world.total("revoker_exposure_seconds_count", &["urgent"])
            - world.total("revoker_exposure_seconds_bucket", &within)
    };
    world.publish(message);
    world.settled(MINUTE).await;
    let causes = ["future", "backdated", "replay"].map(|cause| (cause, count(cause)));
    let found = [("late", late())].into_iter().chain(causes);
    let found: Vec<_> = found.filter(|(_, n)| *n > 0.0).map(|(w, _)| w).collect();
    found.join(", ")
}

#[tokio::test(start_paused = true)]
async fn an_age_that_no_queue_explains_is_counted_apart() {
    let world = World::plain();
    waiting(&world, 0);
    let backdated = event(1, json!({ "occurred_at": OLD }));
    assert_eq!(measured(&world, backdated).await, "backdated");
}

/// The queue held it while nobody consumed: that is what the objective is for.
#[tokio::test(start_paused = true)]
async fn an_age_that_the_queue_explains_is_ours() {
    let world = World::plain();
    waiting(&world, 12);
    let late = event(1, json!({ "occurred_at": OLD }));
    assert_eq!(measured(&world, late).await, "late");
}

#[tokio::test(start_paused = true)]
async fn a_fast_clock_and_a_replay_are_counted_apart() {
    let world = World::plain();
    let future = event(1, json!({ "occurred_at": "2026-11-22T08:30:00Z" }));
    assert_eq!(measured(&world, future).await, "future");

    let world = World::plain();
    let replayed = Message {
        history: History {
            replays: 1,
            returned: true,
            ..History::default()
        },
        ..event(1, json!({ "occurred_at": OLD }))
    };
    assert_eq!(measured(&world, replayed).await, "replay");
}

/// What is counted apart is no sign of a worker that hangs.
#[tokio::test(start_paused = true)]
async fn the_oldest_in_hand_is_one_whose_age_counts() {
    let world = World::plain();
    waiting(&world, 0);
    // No answer for long: both stay in hand.
    world.stytch.fault(|_| Some(Answer::Slow(10 * MINUTE)));
    world.publish(event(1, json!({ "occurred_at": OLD })));
    world.publish(event(2, json!({})));
    let begun = "2026-11-22T06:29:58Z".parse::<Timestamp>().unwrap();
    world
        .until(MINUTE, "shown", |world| {
            let oldest = world.total(
                "revoker_oldest_unfinished_event_timestamp_seconds",
                &["urgent"],
            );
            oldest == begun.as_second() as f64
        })
        .await;
    assert_eq!(
        world.total("revoker_inflight_events", &["urgent"]),
        2.0,
        "both are in hand"
    );
}
