//! The worker killed at each point where a message is between two states.
//!
//! First one message alone, so that it is known to the call what the crash leaves behind; then at a
//! passage in the midst of others.

use std::{cell::RefCell, os::unix::process::ExitStatusExt};

use futures_util::future::join_all;

use super::{form::form, row::Row};
use crate::harness::{PATIENCE, World, ledger::Ledger, tally::Tally, wait, worker::Settings};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 10;
/// Deliveries that one crash can leave unacked.
const UNACKED_MAX: u64 = 2 * 2 * SLOTS;
/// Events that are there when the worker is killed in the midst of them.
const CROWD: usize = 20;
/// The signal that a process ends with when it aborts.
const SIGABRT: i32 = 6;

/// A point, and what a crash there makes to be done twice.
#[derive(Debug, Clone, Copy)]
struct Point {
    name: &'static str,
    kind: Kind,
    /// For each crash with one message in hand, at least and at most.
    twice: [u64; 2],
}

/// Which events come by a point.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Good,
    Malformed,
}

const POINTS: [Point; 6] = [
    Point {
        name: "received",
        kind: Kind::Good,
        twice: [0, 0],
    },
    Point {
        name: "before_call",
        kind: Kind::Good,
        twice: [0, 0],
    },
    Point {
        name: "after_call",
        kind: Kind::Good,
        twice: [1, 1],
    },
    Point {
        name: "dead_letter_sent",
        kind: Kind::Malformed,
        // It may or may not have got out of the process.
        twice: [0, 1],
    },
    Point {
        name: "confirmed",
        kind: Kind::Good,
        twice: [1, 1],
    },
    Point {
        name: "confirmed",
        kind: Kind::Malformed,
        twice: [1, 1],
    },
];

#[tokio::test]
async fn row_02_killed_at_fail_points() {
    if !cfg!(feature = "failpoints") {
        panic!("this row needs a worker with fail points, as `tests/run faults` builds it");
    }
    let kills = form(2, 5, 20);
    let row = RefCell::new(Row::new(2, "killed at each fail point"));
    let alone = join_all(POINTS.map(|point| killed_alone(point, kills))).await;
    let in_a_crowd = join_all(POINTS.map(|point| killed_in_a_crowd(point, kills, &row))).await;
    let mut row = row.into_inner();
    for (point, tally) in POINTS.iter().zip(alone) {
        row.faults += kills;
        let twice = row.judge(&tally);
        eprintln!("{point:?}: {twice} twice after {kills} kills with one message in hand");
        let [least, most] = point.twice.map(|each| each * kills);
        assert!(least <= twice && twice <= most, "{point:?}: {tally:?}");
    }
    for (point, tally) in POINTS.iter().zip(in_a_crowd) {
        row.faults += kills;
        let twice = row.judge(&tally);
        eprintln!("{point:?}: {twice} twice after {kills} kills in a crowd");
        assert!(twice <= kills * UNACKED_MAX, "{point:?}: {tally:?}");
    }
}

/// Each event is the only one; it is killed at, and then done by a worker that lives.
async fn killed_alone(point: Point, kills: u64) -> Tally {
    let world = World::new("alone").await;
    world.declare().await;
    let ledger = point.ledger(&world, kills).await;
    for event in &ledger.events {
        world.broker.publish_one(event).await;
        killed_at(&world, point, 1).await;
        let mut worker = settings(&world).start().await;
        wait::until("the event is done", PATIENCE, async || {
            let completed = "revoker_events_completed_total";
            worker.metrics().await.sum(completed, &[]) == 1.0
        })
        .await;
        assert!(worker.terminate().await.0.success());
    }
    ledger.tally(&world).await
}

/// With more events after each kill, so that the point is surely passed often enough.
async fn killed_in_a_crowd(point: Point, kills: u64, row: &RefCell<Row>) -> Tally {
    let world = World::new("crowd").await;
    world.declare().await;
    let ledger = point.ledger(&world, kills * CROWD as u64).await;
    for crowd in ledger.events.chunks(CROWD) {
        world.broker.publish(crowd).await;
        killed_at(&world, point, fastrand::usize(1..=CROWD / 2)).await;
    }
    let mut worker = settings(&world).start().await;
    row.borrow_mut().begins(&worker);
    ledger.settled(&world, PATIENCE).await;
    row.borrow_mut().ends(&worker);
    assert!(worker.terminate().await.0.success());
    ledger.tally(&world).await
}

async fn killed_at(world: &World, point: Point, passage: usize) {
    let armed = format!("{}:{passage}", point.name);
    let mut process = settings(world).set("FAILPOINT", &armed).spawn();
    let status = process.exit(PATIENCE).await;
    assert_eq!(status.signal(), Some(SIGABRT), "{armed}: {status}");
}

fn settings(world: &World) -> Settings<'_> {
    world.worker().set("REVOKER_SLOTS", SLOTS)
}

impl Point {
    async fn ledger(self, world: &World, events: u64) -> Ledger {
        let events = usize::try_from(events).unwrap();
        match self.kind {
            Kind::Good => Ledger::of_good(world, events).await,
            Kind::Malformed => Ledger::of_malformed(world, events).await,
        }
    }
}
