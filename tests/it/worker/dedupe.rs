//! The same target asked for more than once: one call where one is enough, and never a request swallowed.

use std::time::Duration;

use revoker::event::Lane;
use serde_json::{Value, json};

use super::{
    event,
    stytch::{Answer, session, user},
    world::World,
};

const OLD: &str = "2026-11-22T06:00:00Z";
const LONG: Duration = Duration::from_secs(5);

fn world() -> World {
    let world = World::plain();
    for n in 1..=3 {
        world.stytch.open(n, 1, OLD);
    }
    world
}

/// How many outcomes have each word, in the order of the words.
fn outcomes(world: &World) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for outcome in world.broker.outcomes() {
        *counts
            .entry(outcome["outcome"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

fn counted(words: &[(&str, usize)]) -> Vec<(String, usize)> {
    words
        .iter()
        .map(|(word, n)| ((*word).to_owned(), *n))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn events_that_want_the_call_on_the_wire_share_it() {
    let world = world();
    for n in 1..=5 {
        world.publish(event(n, json!({"session_id": session(1)})));
    }
    world.settled(LONG).await;
    assert_eq!(world.journal.count("revoke s1"), 1);
    assert_eq!(
        outcomes(&world),
        counted(&[("duplicate", 4), ("revoked", 1)])
    );
    assert_eq!(
        world.total("revoker_dedupe_hits_total", &["in_flight"]),
        4.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_just_revoked_takes_no_call() {
    let world = world();
    world.publish(event(1, json!({})));
    world.settled(LONG).await;
    let mut second = event(2, json!({"session_id": session(1)}));
    second.lane = Lane::Bulk;
    world.publish(second);
    world.settled(LONG).await;
    assert_eq!(world.journal.count("revoke s1"), 1);
    assert_eq!(
        outcomes(&world),
        counted(&[("duplicate", 1), ("revoked", 1)])
    );
    assert_eq!(world.total("revoker_dedupe_hits_total", &["recent"]), 1.0);
    tokio::time::sleep(Duration::from_secs(601)).await;
    world.publish(event(1, json!({})));
    world.settled(LONG).await;
    assert_eq!(world.journal.count("revoke s1"), 2, "memory has an end");
}

#[tokio::test(start_paused = true)]
async fn what_was_gone_or_refused_is_asked_again() {
    let world = world();
    for (id, calls) in [(9, "revoke s9"), (9, "revoke s9")] {
        world.publish(event(id, json!({})));
        world.settled(LONG).await;
        assert!(world.journal.count(calls) >= 1);
    }
    assert_eq!(
        world.journal.count("revoke s9"),
        2,
        "already gone is no revocation of ours"
    );
    world.stytch.fault(|asked| {
        (asked.call == "revoke s2").then_some(Answer::Says(400, "invalid_session_id"))
    });
    for _ in 0..2 {
        world.publish(event(2, json!({})));
        world.settled(LONG).await;
    }
    assert_eq!(world.journal.count("revoke s2"), 2);
    assert_eq!(world.total("revoker_dead_letters_total", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn those_who_share_a_refusal_are_all_dead_lettered() {
    let world = world();
    world.stytch.fault(|asked| {
        (asked.call == "revoke s1").then_some(Answer::Says(400, "invalid_session_id"))
    });
    for n in 1..=3 {
        world.publish(event(n, json!({"session_id": session(1)})));
    }
    world.settled(LONG).await;
    assert_eq!(world.journal.count("revoke s1"), 1);
    assert_eq!(
        world.total("revoker_dead_letters_total", &["invalid_session_id"]),
        3.0
    );
}

/// The first is on its last attempt; the others have all of theirs before them.
#[tokio::test(start_paused = true)]
async fn a_failure_that_is_shared_counts_by_each_ones_own_account() {
    let world = world();
    world.stytch.fault(|asked| {
        (asked.call == "revoke s1" && asked.nth <= 2).then_some(Answer::Says(500, ""))
    });
    for n in 1..=3 {
        world.publish(event(n, json!({"session_id": session(1)})));
    }
    world.settled(Duration::from_secs(30)).await;
    assert_eq!(world.total("revoker_dead_letters_total", &[]), 0.0);
    assert_eq!(
        outcomes(&world),
        counted(&[("duplicate", 2), ("revoked", 1)])
    );
    assert_eq!(
        world.journal.count("revoke s1"),
        3,
        "one call for all each time"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_call_that_never_ends_calls_itself() {
    let world = world();
    world
        .stytch
        .fault(|asked| (asked.call == "revoke s1" && asked.nth == 1).then_some(Answer::Panics));
    for n in 1..=3 {
        world.publish(event(n, json!({"session_id": session(1)})));
    }
    world.settled(LONG).await;
    assert_eq!(
        world.total("revoker_dead_letters_total", &["internal_error"]),
        1.0
    );
    assert!(!world.stytch.is_alive(1));
    assert_eq!(
        outcomes(&world),
        counted(&[("dead_lettered", 1), ("duplicate", 1), ("revoked", 1)])
    );
}

#[tokio::test(start_paused = true)]
async fn more_than_sixteen_do_not_wait_for_one() {
    let world = world();
    for n in 1..=20 {
        world.publish(event(n, json!({"session_id": session(1)})));
    }
    world.settled(LONG).await;
    let calls = world.journal.count("revoke s1");
    assert!((2..=4).contains(&calls), "{calls} calls");
    assert!(!world.stytch.is_alive(1));
}

/// A user's pass: what a second event would do, by its cutoff and by what the first kept alive.
async fn passes(first: Value, second: Value, lists: usize) {
    let world = world();
    for (n, mut changes) in [(1, first), (2, second)] {
        changes["session_id"] = Value::Null;
        changes["user_id"] = json!(user(1));
        world.publish(event(n, changes));
        world.settled(LONG).await;
    }
    assert_eq!(world.journal.count("list u1"), lists);
}

#[tokio::test(start_paused = true)]
async fn a_users_pass_covers_what_it_covers() {
    let early = json!({"occurred_at": "2026-11-22T06:20:00Z"});
    let late = json!({"occurred_at": "2026-11-22T06:29:00Z"});
    let keeps = json!({"occurred_at": "2026-11-22T06:29:00Z", "keep_session_id": session(3)});
    passes(late.clone(), early.clone(), 2).await;
    passes(late.clone(), late.clone(), 2).await;
    // The second pass must look for itself: it lists once, and finds nothing.
    passes(early, late.clone(), 3).await;
    passes(keeps, late, 4).await;
}

/// A cutoff that lies ahead says nothing about sessions that are not open yet.
#[tokio::test(start_paused = true)]
async fn a_users_pass_covers_nothing_that_begins_after_it() {
    let ahead = json!({"occurred_at": "2026-11-22T06:29:00Z", "cutoff": "2026-11-22T09:30:00Z"});
    let later = json!({"occurred_at": "2026-11-22T06:45:00Z"});
    passes(ahead, later, 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_of_a_users_pass_needs_no_call_of_its_own() {
    let world = world();
    world.publish(event(1, json!({"session_id": null, "user_id": user(1)})));
    world.settled(LONG).await;
    world.publish(event(2, json!({})));
    world.settled(LONG).await;
    assert_eq!(world.journal.count("revoke s2"), 1);
}
