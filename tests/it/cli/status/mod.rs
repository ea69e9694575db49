//! `revoker status`: what a look comes to; `read` is what is read of a worker, `screen` how it is shown.

mod read;
mod screen;

use std::collections::BTreeMap;

use jiff::Timestamp;
use revoker::{
    broker::survey::Standing,
    cli::status::{
        Look,
        broker::{Broker, Row},
        verdict::Verdict,
        worker::{Found, Held, InHand, View, Worker},
    },
};

const NOW: &str = "2026-11-22T06:30:05Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).unwrap()
}

fn held(state: &str, seconds: i64, next_in: Option<i64>) -> Held {
    Held {
        state: state.into(),
        since: ago(seconds),
        reason: format!("why it is {state}; what to do"),
        next_probe: next_in.map(|seconds| ago(-seconds)),
    }
}

/// A worker that runs, changed.
fn worker(address: &str, change: impl FnOnce(&mut View)) -> Worker {
    let none = InHand {
        events: 0,
        oldest: None,
        last_revocation: None,
    };
    let mut view = View {
        version: "0.1.0".into(),
        ready: true,
        shown: held("running", 7200, None),
        also: vec![],
        calls_per_second: 99.25,
        lanes: BTreeMap::from([("urgent", none), ("bulk", none)]),
        depths: BTreeMap::from([("urgent".to_owned(), 3), ("bulk".to_owned(), 12_345)]),
        depths_at: Some(ago(4)),
    };
    change(&mut view);
    Worker {
        address: address.into(),
        found: Found::View(Box::new(view)),
    }
}

fn away(address: &str) -> Worker {
    Worker {
        address: address.into(),
        found: Found::Problem("not reachable (Connection refused); is it running?".into()),
    }
}

/// Queues as ready messages and consumers; `None` where there is none.
fn queues(lanes: [Option<(u32, u32)>; 3], dead: u32) -> Broker {
    let row = |purpose, name: &str, standing: Option<(u32, u32)>| Row {
        purpose,
        name: format!("revocation.{name}"),
        standing: standing.map(|(messages, consumers)| Standing {
            messages,
            consumers,
        }),
    };
    let [urgent, bulk, unhandled] = lanes;
    Broker::Queues(vec![
        row("urgent", "urgent", urgent),
        row("bulk", "bulk", bulk),
        row("retry", "urgent.retry.1m", Some((4, 0))),
        row("retry", "bulk.retry.1m", Some((3, 0))),
        row("unhandled", "unhandled", unhandled),
        row("dead", "dead", Some((dead, 0))),
    ])
}

fn healthy() -> Broker {
    queues([Some((0, 2)), Some((12_345, 2)), Some((0, 2))], 0)
}

fn look(workers: Vec<Worker>, broker: Broker) -> Look {
    Look {
        at: now(),
        workers,
        broker,
    }
}

/// The troubles must contain these words, one each, in order; and whether they are all of absence.
fn check(look: &Look, troubles: &[&str], notes: &[&str], only_unreachable: bool) {
    let verdict = Verdict::of(look);
    let texts: Vec<&str> = verdict.troubles.iter().map(|t| t.text.as_str()).collect();
    assert_eq!(texts.len(), troubles.len(), "{texts:?}");
    for (text, words) in texts.iter().zip(troubles) {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(verdict.notes.len(), notes.len(), "{:?}", verdict.notes);
    for (text, words) in verdict.notes.iter().zip(notes) {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(verdict.is_well(), troubles.is_empty());
    assert_eq!(verdict.is_only_unreachable(), only_unreachable, "{texts:?}");
}

#[test]
fn a_running_worker_and_consumed_queues_are_well() {
    check(
        &look(vec![worker("a:1", |_| {})], healthy()),
        &[],
        &[],
        true,
    );
}

#[test]
fn each_alarming_state_is_a_trouble_and_no_other_is() {
    for state in ["outage", "credentials", "broker", "audit"] {
        let worker = worker("a:1", |view| view.shown = held(state, 64, Some(26)));
        let wanted = format!(
            "worker a:1: {state} for 1m 4s: why it is {state}; what to do; next probe in 26s"
        );
        check(&look(vec![worker], healthy()), &[&wanted], &[], false);
    }
    let throttled = worker("a:1", |view| view.shown = held("throttled", 1, None));
    check(
        &look(vec![throttled], healthy()),
        &[],
        &["throttled for 1s"],
        true,
    );
    let draining = worker("a:1", |view| {
        view.shown = held("draining", 5, Some(20));
        view.also = vec![held("credentials", 9, None)];
    });
    let note = "draining for 5s: why it is draining; what to do; it ends in 20s at the latest";
    check(
        &look(vec![draining], healthy()),
        &["credentials for 9s"],
        &[note],
        false,
    );
    // Of a newer version.
    let unknown = worker("a:1", |view| view.shown = held("resting", 5, None));
    check(&look(vec![unknown], healthy()), &[], &["resting"], true);
}

#[test]
fn who_does_not_answer_is_told_and_nothing_is_made_of_it() {
    let one_away = look(vec![worker("a:1", |_| {}), away("b:1")], healthy());
    let trouble = "worker b:1: not reachable (Connection refused); is it running?";
    check(&one_away, &[trouble], &[], true);

    let all_away = look(
        vec![away("b:1")],
        queues([Some((3, 0)), Some((0, 0)), Some((0, 1))], 0),
    );
    let unconsumed =
        "nobody consumes revocation.urgent (3 wait), revocation.bulk (0 wait); is a worker";
    check(&all_away, &[trouble, unconsumed], &[], true);

    let broker = |unreachable| Broker::Problem {
        text: "the broker said no".into(),
        unreachable,
    };
    let cut_off = look(vec![worker("a:1", |_| {})], broker(true));
    check(&cut_off, &["RabbitMQ: the broker said no"], &[], true);
    let refused = look(vec![worker("a:1", |_| {})], broker(false));
    check(&refused, &["RabbitMQ: the broker said no"], &[], false);
}

#[test]
fn lanes_without_a_consumer_missing_queues_and_old_urgent_events_are_troubles() {
    let unconsumed = queues([Some((0, 0)), Some((0, 2)), Some((5, 0))], 0);
    let wanted = "nobody consumes revocation.urgent (0 wait), revocation.unhandled (5 wait)";
    check(
        &look(vec![worker("a:1", |_| {})], unconsumed),
        &[wanted],
        &[],
        false,
    );

    let missing = queues([None, Some((0, 2)), Some((0, 2))], 0);
    let wanted = "there is no revocation.urgent; check REVOKER_PREFIX";
    check(
        &look(vec![worker("a:1", |_| {})], missing),
        &[wanted],
        &[],
        false,
    );

    let of_age = |seconds| {
        let lane = InHand {
            events: 1,
            oldest: Some(ago(seconds)),
            last_revocation: None,
        };
        worker("a:1", |view| {
            view.lanes.insert("urgent", lane);
        })
    };
    check(&look(vec![of_age(120)], healthy()), &[], &[], true);
    let wanted = "worker a:1: its oldest urgent event occurred 2m 1s ago";
    check(&look(vec![of_age(121)], healthy()), &[wanted], &[], false);

    let dead = queues([Some((0, 2)), Some((0, 2)), Some((0, 2))], 1043);
    let note = "1,043 dead letters in revocation.dead: sessions that were told to die and may live";
    check(&look(vec![worker("a:1", |_| {})], dead), &[], &[note], true);
}
