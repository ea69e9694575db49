//! A message that ends every worker that calls for it: found out among its innocent neighbours, handled
//! alone, given up in the end; and what only looks like one, which never is.

use std::{ops::RangeInclusive, time::Duration};

use revoker::{
    event::{Lane, Message},
    gate::trial::{FAILURES_MAX, SUSPECT_AFTER},
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    event,
    posted::header,
    stytch::{Answer, token},
    world::{Setup, World},
};

const OLD: &str = "2026-11-22T06:00:00Z";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// The event whose call ends the worker.
const KILLER: u64 = 500;
const KILLING: &str = "revoke s500";

/// An event that was given out so often.
fn given_out(n: u64, times: u64) -> Message {
    let mut message = event(n, json!({}));
    message.delivery_count = times;
    message.redelivered = times > 0;
    message
}

fn open(world: &World, sessions: RangeInclusive<u64>) {
    for n in sessions {
        world.stytch.open(n, n, OLD);
    }
}

/// Ends the worker whenever it makes that call, until nothing is left or so much time has passed.
/// Returns how often.
async fn kill(world: &mut World, max: Duration) -> u64 {
    let end = world.journal.now() + max;
    let mut kills = 0;
    while world.broker.left() != [0, 0, 0] && world.journal.now() < end {
        if world.journal.count(KILLING) as u64 > kills {
            kills += 1;
            world.broker.cut();
            sleep(SECOND).await;
            world.start_again(&Setup::default());
        }
        sleep(SECOND / 100).await;
    }
    kills
}

#[tokio::test(start_paused = true)]
async fn what_ends_the_workers_is_found_out_among_its_neighbours() {
    for seed in 1..=3 {
        let mut world = World::new(&Setup::default(), seed);
        world.stytch.fault(|asked| {
            // The call of a worker that has ended is answered to nobody.
            (asked.call == KILLING).then_some(Answer::Slow(MINUTE * 60))
        });
        open(&world, 1..=100);
        for n in (1..=50).chain([KILLER]).chain(51..=100) {
            world.publish(given_out(n, SUSPECT_AFTER));
        }
        let kills = kill(&mut world, MINUTE * 60).await;
        // Once among all, which makes them suspects, and then alone.
        assert_eq!(kills, 1 + FAILURES_MAX + 1, "seed {seed}");
        assert_eq!(world.journal.count("dead delivery_limit ? sealed"), 1);
        assert_eq!(world.broker.dead().len(), 1, "seed {seed}");
        assert!((1..=100).all(|n| !world.stytch.is_alive(n)), "seed {seed}");
        let letter = &world.broker.dead()[0];
        assert_eq!(header(letter, "revoker-attempts").unwrap(), "0");
        assert!(
            header(letter, "revoker-text")
                .unwrap()
                .contains("the worker ended")
        );
        let outcomes = world.broker.outcomes();
        let last = outcomes.iter().find(|o| o["outcome"] == "dead_lettered");
        assert_eq!(last.unwrap()["code"], "delivery_limit");
    }
}

#[tokio::test(start_paused = true)]
async fn on_trial_nobody_of_its_lane_is_in_hand_beside_it() {
    let world = World::plain();
    world.stytch.fault(|_| Some(Answer::Slow(SECOND * 2)));
    open(&world, 1..=60);
    open(&world, KILLER..=KILLER);
    world.publish(given_out(KILLER, SUSPECT_AFTER + 1));
    sleep(MINUTE - SECOND).await;
    for n in 1..=60 {
        world.publish(given_out(n, 0));
        sleep(SECOND / 10).await;
    }
    world.settled(MINUTE).await;
    let begun = world.journal.times(KILLING)[0];
    let ended = world.journal.times("outcome urgent.revoked e500")[0];
    let others = world.journal.lines().len() - world.journal.count(KILLING);
    assert!(others > 100);
    for line in ["revoke", "outcome", "ack"] {
        let beside = world.journal.times(line);
        let beside = beside.iter().filter(|at| **at > begun && **at < ended);
        assert_eq!(beside.count(), 0, "{line}");
    }
    assert_eq!(world.broker.dead().len(), 0);
}

/// The count rises at every lost connection for all that is in hand.
#[tokio::test(start_paused = true)]
async fn no_count_is_proof() {
    let world = World::plain();
    open(&world, 1..=30);
    for n in 1..=30 {
        world.publish(given_out(n, 1_000 * n));
    }
    world.settled(MINUTE * 2).await;
    assert_eq!(world.journal.count("retry 60s ? sealed"), 30);
    assert_eq!(world.journal.count("outcome urgent.revoked"), 30);
    assert_eq!(world.broker.dead().len(), 0);
    let cause = ["cause=\"on_trial\""];
    assert_eq!(world.total("revoker_retries_total", &cause), 30.0);
}

/// Nothing can be sent for long and the link falls all the time: nobody has ended a worker.
#[tokio::test(start_paused = true)]
async fn neither_an_outage_nor_a_bad_link_fails_a_trial() {
    let mut world = World::plain();
    world
        .stytch
        .fault(|asked| (asked.now < MINUTE * 60).then_some(Answer::Says(503, "")));
    open(&world, 1..=20);
    for n in 1..=20 {
        world.publish(given_out(n, SUSPECT_AFTER + 1));
    }
    for _ in 0..360 {
        sleep(SECOND * 9).await;
        world.reconnect().await;
    }
    world.settled(MINUTE * 10).await;
    assert_eq!(world.journal.count("outcome urgent.revoked"), 20);
    assert_eq!(world.broker.dead().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_fails_no_trial() {
    let world = World::plain();
    world.stytch.fault(|_| Some(Answer::RetryAfter(600)));
    world.publish(event(9, json!({})));
    world.publish(given_out(1, SUSPECT_AFTER + 1));
    // On trial, and at once sent back: either is as good.
    sleep(MINUTE + SECOND * 2).await;
    let retries = world.journal.count("retry 60s");
    world.shut_down(SECOND * 25).await;
    assert!(world.journal.count("retry 60s") >= retries.max(2));
    assert_eq!(world.broker.left(), [1, 0, 1], "only e9 comes again");
}

#[tokio::test(start_paused = true)]
async fn a_trial_leaves_the_event_as_it_was() {
    let world = World::plain();
    world.stytch.open(1, 1, OLD);
    world.stytch.fault(|asked| {
        (asked.nth <= 6)
            .then_some(Answer::Says(500, ""))
            .filter(|_| asked.call != "canary")
    });
    let mut original = event(1, json!({"session_id": null, "session_token": token(1)}));
    original.delivery_count = SUSPECT_AFTER + 1;
    original.redelivered = true;
    world.publish(original);
    world.settled(MINUTE * 30).await;
    // Sealed unread, opened, tried six times, sealed for another delay, still on trial, and revoked.
    let wanted = ["retry 60s ? sealed", "retry 60s e1 sealed"];
    for line in wanted {
        assert_eq!(world.journal.count(line), 1, "{line}");
    }
    assert!(world.broker.last_deferred().unwrap().history.on_trial);
    let outcome = &world.broker.outcomes()[0];
    assert_eq!(
        (outcome["outcome"].as_str(), outcome["attempts"].as_u64()),
        (Some("revoked"), Some(6))
    );
    assert!(!world.stytch.is_alive(1));
}

/// What came sealed goes on as it is, and is opened when its time has come.
#[tokio::test(start_paused = true)]
async fn a_sealed_retry_is_put_on_trial_as_it_is() {
    let world = World::plain();
    world.stytch.open(1, 1, OLD);
    world.stytch.fault(|asked| {
        (asked.nth <= 6)
            .then_some(Answer::Says(500, ""))
            .filter(|_| asked.call != "canary")
    });
    world.publish(event(
        1,
        json!({"session_id": null, "session_token": token(1)}),
    ));
    let deferred = |world: &World| world.broker.last_deferred().is_some();
    world.until(MINUTE * 3, "deferred", deferred).await;
    let mut sealed = world.broker.last_deferred().unwrap();
    world.settled(MINUTE * 3).await;

    sealed.delivery_count = SUSPECT_AFTER + 1;
    sealed.redelivered = true;
    world.stytch.open(1, 1, OLD);
    world.publish(sealed);
    sleep(SECOND).await;
    assert_eq!(world.journal.count("retry 60s e1 sealed"), 2);
    sleep(MINUTE * 2).await;
    world.settled(MINUTE).await;
    assert_eq!(world.broker.dead().len(), 0);
    let outcomes = world.broker.outcomes();
    assert_eq!(outcomes.len(), 2);
    assert_eq!(outcomes[1]["attempts"], 6);
}

#[tokio::test(start_paused = true)]
async fn without_delay_queues_it_is_handled_alone_and_never_given_up() {
    let mut setup = Setup::default();
    setup.settle.retry_delays = vec![];
    let world = World::new(&setup, 1);
    open(&world, 1..=5);
    for n in 1..=5 {
        world.publish(given_out(n, 1_000_000));
    }
    world.settled(SECOND * 10).await;
    assert_eq!(world.journal.count("outcome urgent.revoked"), 5);
    assert_eq!(world.stytch.on_wire_max(), 1);
}

/// A publisher may write what it likes; a newer worker's message is not read, whatever its count.
#[tokio::test(start_paused = true)]
async fn whom_a_trial_does_not_concern() {
    let world = World::plain();
    open(&world, 1..=2);
    let mut forged = given_out(1, 1_000_000);
    forged.redelivered = false;
    world.publish(forged);
    let mut newer = given_out(2, 1_000_000);
    newer.lane = Lane::Bulk;
    newer.history.returned = true;
    newer.from_newer_worker = true;
    world.publish(newer);
    sleep(SECOND * 5).await;
    assert!(!world.stytch.is_alive(1), "at once");
    assert_eq!(
        world.journal.count("retry 600s"),
        1,
        "left for the newer one"
    );
}
