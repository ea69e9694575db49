//! Records of the operator's stream: what is written today is read for ever, and what is not understood
//! is no record.

use std::collections::{BTreeMap, BTreeSet};

use revoker::campaign::{
    Order, Record, WorkerState,
    control::{Anchor, Campaign, Checkpoint, Letters, RECORD_BYTES_MAX},
};
use serde_json::{Value, json};

use super::{about, at, manifest, record};

const FROZEN: &str =
    "what stands in the stream is not understood: mend the code, never the fixture";

/// One of each, as the fixture has them, in its order.
fn all() -> Vec<Record> {
    let id = "breach-2026-11";
    let mut of_drill = manifest(id, "campaign", 2);
    of_drill.drill = true;
    let checkpoint = Checkpoint {
        campaign_id: id.into(),
        part: 1,
        line: 4,
        published: 3,
        done: true,
    };
    let anchor = Anchor {
        campaign_id: id.into(),
        lines: 3,
        digest: "a7".repeat(32),
        complete: true,
    };
    let mut first = record(Order::CampaignStarted(manifest(id, "campaign", 1)), 0);
    first.why = Some("tokens were leaked".into());
    let letters = |done| Letters {
        deed_id: "5b6d3582-ed8e-44e9-a9da-329d484ead84".into(),
        filter: "--code attempts_exhausted".into(),
        done,
        letters: 3,
        codes: BTreeMap::from([("attempts_exhausted".into(), 3)]),
    };
    let mut replayed = record(Order::DeadLettersReplayed(letters(false)), 9);
    replayed.why.clone_from(&first.why);
    vec![
        first,
        record(Order::CampaignStarted(of_drill), 1),
        record(Order::CampaignPublished(checkpoint), 2),
        record(about(Order::CampaignPaused, id), 3),
        record(about(Order::CampaignResumed, id), 4),
        record(about(Order::CampaignCancelled, id), 5),
        record(Order::CampaignReported(anchor), 6),
        record(Order::BulkHeld, 7),
        record(Order::BulkReleased, 8),
        replayed,
        record(Order::DeadLettersPurged(letters(true)), 10),
    ]
}

#[test]
fn records_of_version_1_are_read_and_written_for_ever() {
    let fixture = include_str!("../compat/control-v1.jsonl");
    let all = all();
    assert_eq!(fixture.lines().count(), all.len());
    let mut kinds = BTreeSet::new();
    for (line, wanted) in fixture.lines().zip(all) {
        let read = Record::read(line.as_bytes());
        assert_eq!(read.as_ref(), Some(&wanted), "{FROZEN}");
        let written: Value = serde_json::from_slice(&wanted.write()).unwrap();
        let stored: Value = serde_json::from_str(line).unwrap();
        assert_eq!(written, stored, "another form needs another version");
        let (kind, campaign_id) = wanted.order.words();
        assert_eq!(stored["kind"], kind);
        assert_eq!(stored["campaign_id"].as_str(), campaign_id);
        let key = wanted.routing_key();
        assert!(key.starts_with(kind) && key.ends_with(campaign_id.unwrap_or(kind)));
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 10, "one of each kind: {kinds:?}");
}

#[test]
fn a_workers_state_of_version_1_is_read_for_ever() {
    let fixture = include_str!("../compat/worker-state-v1.json");
    let state = WorkerState::read(fixture.as_bytes()).expect(FROZEN);
    assert_eq!(state.routing_key(), "worker.outage", "{FROZEN}");
    let written: Value = serde_json::from_slice(&state.write()).unwrap();
    let stored: Value = serde_json::from_str(fixture).unwrap();
    assert_eq!(written, stored, "another form needs another version");
    let outcome = include_str!("../compat/outcome-v1.json");
    assert_eq!(WorkerState::read(outcome.as_bytes()), None);
    assert_eq!(WorkerState::read(b"{}"), None);
}

/// A newer worker's record may have more fields, and is read all the same.
#[test]
fn a_field_that_is_new_is_passed_over() {
    let cancelled = record(about(Order::CampaignCancelled, "c"), 5);
    let mut newer: Value = serde_json::from_slice(&cancelled.write()).unwrap();
    newer["ticket"] = json!("INC-4711");
    assert_eq!(Record::read(newer.to_string().as_bytes()), Some(cancelled));
}

#[test]
fn what_is_not_understood_is_no_record() {
    let good: Value = serde_json::from_slice(&record(Order::BulkHeld, 0).write()).unwrap();
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed[field] = value;
        changed.to_string()
    };
    assert!(Record::read(good.to_string().as_bytes()).is_some());
    let cancelled = with("kind", json!("campaign_cancelled"));
    for body in [
        with("type", json!("revoker.control.v2")),
        with("kind", json!("campaign_forgotten")),
        with("kind", json!(null)),
        with("at", json!("yesterday")),
        with("by", json!(7)),
        cancelled, // of no campaign
        with("why", json!("x".repeat(RECORD_BYTES_MAX))),
        "{}".into(),
        "[]".into(),
        String::new(),
        format!("{good}{good}"),
    ] {
        let shown: String = body.chars().take(80).collect();
        assert_eq!(Record::read(body.as_bytes()), None, "{shown}");
    }
    assert_eq!(Record::read(&[0xff; 40]), None);
}

#[test]
fn a_record_of_now_is_the_writers() {
    let of = Campaign {
        campaign_id: "c".into(),
    };
    let record = Record::new(Order::CampaignPaused(of), "ops@host".into(), None, at(3));
    assert_eq!(record.at, at(3));
    assert_eq!(record.by, "ops@host");
    assert_eq!(record.routing_key(), "campaign_paused.c");
    assert_eq!(super::record(Order::BulkHeld, 0).routing_key(), "bulk_held");
}
