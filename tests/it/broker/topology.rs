//! Everything that is declared, held by a snapshot: the broker refuses a changed argument (406), so
//! a change of the snapshot is a change of what every deployed broker holds.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf, time::Duration};

use revoker::{
    broker::topology::{Argument, Names, Queue, Topology, topology},
    event::Lane,
};

const SNAPSHOT: &str = include_str!("topology.txt");
const FROZEN: &str = "\
the topology differs from tests/it/broker/topology.txt. Arguments of queues and exchanges are frozen: \
a broker that holds them answers 406 to any other, and the worker does not start. A change needs a new \
queue name and a documented move of what the old one holds. If that is done, or only something new was \
added, replace the snapshot by";

fn delays(seconds: &[u64]) -> Vec<Duration> {
    seconds.iter().copied().map(Duration::from_secs).collect()
}

/// The default settings, and others; also with a delay twice, out of order, or none at all.
fn cases() -> Vec<(&'static str, &'static str, Vec<Duration>)> {
    vec![
        ("revocation", "project-test-1", delays(&[60, 600, 600])),
        ("acme", "project-live-2", delays(&[4, 2, 90])),
        ("bare", "project-live-2", delays(&[])),
    ]
}

fn argument((name, value): &(&'static str, Argument)) -> String {
    match value {
        Argument::Text(text) => format!("{name} = text {text:?}"),
        Argument::Int(number) => format!("{name} = long {number}"),
    }
}

fn render(all: &Topology) -> String {
    let mut out = format!("exchange {}\n", all.owner.0);
    for pair in &all.owner.1 {
        writeln!(out, "  {}", argument(pair)).unwrap();
    }
    for exchange in &all.exchanges {
        writeln!(out, "exchange {exchange}").unwrap();
    }
    for queue in &all.queues {
        writeln!(out, "queue {}", queue.name).unwrap();
        for pair in &queue.arguments {
            writeln!(out, "  {}", argument(pair)).unwrap();
        }
        for exchange in &queue.bound_to {
            writeln!(out, "  takes all of {exchange}").unwrap();
        }
    }
    out
}

#[test]
fn nothing_that_is_deployed_changes() {
    let mut now = String::new();
    for (prefix, project, delays) in cases() {
        let asked = format!("{prefix}, {project}, {delays:?}");
        writeln!(now, "== {asked}").unwrap();
        now += &render(&topology(prefix, project, &delays));
    }
    if now != SNAPSHOT {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("topology.txt");
        fs::write(&path, &now).unwrap();
        let differs = SNAPSHOT.lines().zip(now.lines()).position(|(a, b)| a != b);
        let line = differs.unwrap_or_else(|| SNAPSHOT.lines().count().min(now.lines().count()));
        panic!(
            "{FROZEN} {}\nthe first difference is in line {}: {:?} was {:?}",
            path.display(),
            line + 1,
            now.lines().nth(line).unwrap_or("nothing"),
            SNAPSHOT.lines().nth(line).unwrap_or("nothing"),
        );
    }
}

fn text<'a>(queue: &'a Queue, name: &str) -> Option<&'a str> {
    queue.arguments.iter().find_map(|(n, value)| match value {
        Argument::Text(text) if *n == name => Some(text.as_str()),
        _ => None,
    })
}

fn int(queue: &Queue, name: &str) -> Option<i64> {
    queue.arguments.iter().find_map(|(n, value)| match value {
        Argument::Int(number) if *n == name => Some(*number),
        _ => None,
    })
}

/// At-most-once dead-lettering loses messages at a broker's crash, and the broker falls back to it
/// without a word when `reject-publish` is missing.
#[test]
fn what_is_handed_on_is_handed_on_at_least_once() {
    for (prefix, project, delays) in cases() {
        let all = topology(prefix, project, &delays);
        let mut handed_on = 0;
        for queue in &all.queues {
            let to = text(queue, "x-dead-letter-exchange");
            let expires = int(queue, "x-message-ttl").is_some();
            if to.is_none() && !expires {
                continue;
            }
            handed_on += 1;
            assert_eq!(text(queue, "x-queue-type"), Some("quorum"), "{queue:?}");
            assert_eq!(
                text(queue, "x-dead-letter-strategy"),
                Some("at-least-once"),
                "{queue:?}"
            );
            assert_eq!(
                text(queue, "x-overflow"),
                Some("reject-publish"),
                "{queue:?}"
            );
            let to = to.expect("a queue that expires hands on");
            assert!(
                all.queues
                    .iter()
                    .any(|other| other.bound_to.iter().any(|e| e == to)),
                "nothing takes what {} hands to {to}",
                queue.name
            );
        }
        let distinct: BTreeSet<_> = delays.iter().collect();
        assert_eq!(handed_on, 2 + 2 * distinct.len(), "{prefix}");
    }
}

#[test]
fn nothing_that_keeps_an_event_drops_it() {
    for (prefix, project, delays) in cases() {
        for queue in topology(prefix, project, &delays).queues {
            let is_stream = text(&queue, "x-queue-type") == Some("stream");
            let expires = int(&queue, "x-message-ttl").is_some();
            // Unset, RabbitMQ 4 drops at the 21st return; -1 drops at the first one on 3.10.
            let limit = (!is_stream && !expires).then_some(1_000_000);
            assert_eq!(int(&queue, "x-delivery-limit"), limit, "{queue:?}");
            for bound in ["x-max-length", "x-max-length-bytes"] {
                let may = is_stream && bound == "x-max-length-bytes";
                assert_eq!(int(&queue, bound).is_some(), may, "{bound} {queue:?}");
            }
            assert_eq!(
                text(&queue, "x-max-age").is_some(),
                queue.name.ends_with(".audit"),
                "{queue:?}"
            );
        }
    }
}

#[test]
fn names_are_the_documented_ones() {
    let names = Names::new("r");
    let minutes = |n: u64| Duration::from_secs(60 * n);
    assert_eq!(names.prefix(), "r");
    let rows = [
        (names.lane(Lane::Urgent), "r.urgent"),
        (names.lane(Lane::Bulk), "r.bulk"),
        (names.back(Lane::Urgent), "r.urgent.return"),
        (names.back(Lane::Bulk), "r.bulk.return"),
        (names.unhandled(), "r.unhandled"),
        (names.dead(), "r.dead"),
        (names.outcomes(), "r.outcomes"),
        (names.audit(), "r.audit"),
        (names.control(), "r.control"),
        (names.owner(), "r.owner"),
        (names.retry(Lane::Urgent, minutes(10)), "r.urgent.retry.10m"),
        (names.retry(Lane::Bulk, minutes(60)), "r.bulk.retry.1h"),
        (
            names.retry(Lane::Bulk, Duration::from_secs(90)),
            "r.bulk.retry.1m30s",
        ),
        (
            names.retry(Lane::Urgent, Duration::from_secs(2)),
            "r.urgent.retry.2s",
        ),
    ];
    for (name, wanted) in rows {
        assert_eq!(name, wanted);
    }
}

/// Every publish of ours is mandatory, so an exchange without a queue would stop its lane.
#[test]
fn every_exchange_has_a_queue_and_every_queue_once() {
    for (prefix, project, delays) in cases() {
        let all = topology(prefix, project, &delays);
        let bound: BTreeSet<String> = all.queues.iter().flat_map(|q| q.bound_to.clone()).collect();
        assert_eq!(bound, all.exchanges);
        assert!(!all.exchanges.contains(&all.owner.0), "the lock is apart");
        let names: BTreeSet<&String> = all.queues.iter().map(|q| &q.name).collect();
        assert_eq!(names.len(), all.queues.len(), "{prefix}");
        assert!(names.iter().all(|n| n.starts_with(&format!("{prefix}."))));
        for lane in Lane::ALL {
            let names = Names::new(prefix);
            let queue = all.queues.iter().find(|q| q.name == names.lane(*lane));
            let wanted = [names.lane(*lane), names.back(*lane)];
            assert_eq!(queue.unwrap().bound_to, wanted);
        }
    }
}

/// The lock's argument names the project, so that the broker itself refuses another project's worker.
#[test]
fn the_lock_differs_by_project_and_by_nothing_else() {
    let lock = |project: &str, seconds: &[u64]| topology("r", project, &delays(seconds)).owner;
    let (name, arguments) = lock("project-live-1", &[1]);
    assert_eq!(name, "r.owner");
    let wanted = Argument::Text("r.owner.project-live-1".into());
    assert_eq!(arguments, [("alternate-exchange", wanted)]);
    assert_eq!(
        lock("project-live-1", &[1]),
        lock("project-live-1", &[2, 3])
    );
    assert_ne!(lock("project-live-1", &[1]), lock("project-live-2", &[1]));
}
