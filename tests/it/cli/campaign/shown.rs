//! How a campaign is shown.

use std::{collections::BTreeMap, time::Duration};

use revoker::{
    campaign::{
        EventHash, Kind, Order, Outcome, Proof, WorkerState,
        control::Campaign,
        estimate::{Pace, Range},
        id::event_id,
        worker_state,
    },
    cli::campaign::{
        follow::Trimmed,
        picture::{Picture, Stand},
        screen::{percent, short, text},
    },
};

use super::{Told, at};

/// A campaign of three users, some of which have ended like this.
fn proof(told: &Told, ended: &[(&str, &str)]) -> Proof {
    let mut proof = Proof::new("c1", told.orders.campaign("c1").unwrap());
    for (target, outcome) in ended {
        let hash = EventHash::new("c1", Kind::User, target);
        let body = serde_json::json!({
            "type": "session.revoke.outcome.v1", "event_id": event_id("c1", 1, hash), "campaign_id": "c1",
            "publisher": "campaign", "outcome": outcome, "target_kind": "user", "target": target,
            "sessions": 2, "sessions_newer": 1, "cutoff": at(0), "attempts": 0, "completed_at": at(60),
        });
        let body = body.to_string();
        let _ = proof.take(&Outcome::read(body.as_bytes()).unwrap());
    }
    proof
}

fn told() -> Told {
    Told::new().part(1, "aa", 3).published(1, 4, true)
}

struct Scene {
    told: Told,
    proof: Proof,
    workers: BTreeMap<String, WorkerState>,
    trimmed: Option<Trimmed>,
}

impl Scene {
    fn new(told: Told, ended: &[(&str, &str)]) -> Self {
        Self {
            proof: proof(&told, ended),
            told,
            workers: BTreeMap::new(),
            trimmed: None,
        }
    }

    fn worker(mut self, state: &str, why: &str) -> Self {
        self.workers.insert(
            "w1".into(),
            WorkerState {
                r#type: worker_state::TYPE.into(),
                worker: "w1".into(),
                at: at(80),
                state: state.into(),
                why: why.into(),
                since: at(0),
                next_probe: None,
                rate: 120.0,
            },
        );
        self
    }

    fn see<T>(&self, look: impl FnOnce(&Picture<'_>) -> T) -> T {
        look(&Picture {
            id: "c1",
            campaign: self.told.orders.campaign("c1").unwrap(),
            proof: &self.proof,
            pace: &Pace::default(),
            workers: &self.workers,
            bulk_held: self.told.orders.bulk_held,
            trimmed: self.trimmed,
            now: at(100),
        })
    }
}

#[test]
fn says_how_it_stands_and_what_it_waits_for() {
    let paused = || {
        Order::CampaignPaused(Campaign {
            campaign_id: "c1".into(),
        })
    };
    let one: &[(&str, &str)] = &[("u1", "revoked")];
    let all: &[(&str, &str)] = &[
        ("u1", "revoked"),
        ("u2", "already_gone"),
        ("u3", "dead_lettered"),
    ];
    let cases = [
        (
            Scene::new(told(), one),
            Stand::UnderWay,
            "no worker has told of itself",
        ),
        (
            Scene::new(told(), one).worker("running", "well"),
            Stand::UnderWay,
            "1 running, 120 calls/s allowed",
        ),
        (
            Scene::new(told(), one).worker("outage", "Stytch does not answer"),
            Stand::UnderWay,
            "a worker is outage: Stytch does not answer",
        ),
        (
            Scene::new(told().tell(paused()), one),
            Stand::UnderWay,
            "campaign resume c1",
        ),
        (
            Scene::new(told().tell(Order::BulkHeld), one),
            Stand::UnderWay,
            "campaign resume --all",
        ),
        (
            Scene::new(told().cancelled(), one),
            Stand::Cancelled,
            "cancelled at",
        ),
        (
            Scene::new(Told::new().part(1, "aa", 3).published(1, 3, false), one),
            Stand::UnderWay,
            "2 of 3 events published",
        ),
        (
            Scene::new(told(), all),
            Stand::Ended,
            "nothing left to wait for",
        ),
    ];
    for (n, (scene, stand, said)) in cases.iter().enumerate() {
        assert_eq!(scene.see(|p| p.stand()), *stand, "case {n}");
        let left = scene.see(|p| p.left());
        assert!(left.contains(said), "case {n}: {left}");
    }
}

#[test]
fn tells_apart_what_stytch_said() {
    let scene = Scene::new(
        told(),
        &[
            ("u1", "revoked"),
            ("u2", "already_gone"),
            ("u3", "dead_lettered"),
        ],
    );
    let shown = scene.see(text);
    for line in [
        "proven                         2 of 3 (66.66 %)",
        "  revoked                      1",
        "  Stytch knows no such session 1",
        "  failed (dead letters)        1",
        "sessions revoked               6",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert!(!shown.contains("logged out"), "{shown}");
    let json = scene.see(|p| p.json());
    assert_eq!(
        (&json["stand"], &json["proven"]),
        (&"ended".into(), &2.into())
    );
    assert_eq!(json["outcomes"]["failed"], 1);
    let mut trimmed = scene;
    trimmed.trimmed = Some(Trimmed::Since(Some(at(30))));
    assert!(
        trimmed.see(text).contains("incomplete"),
        "{}",
        trimmed.see(text)
    );
}

#[test]
fn rounds_nothing_up_to_a_hundred() {
    let cases = [
        (0, 0, "0 %"),
        (0, 3, "0.00 %"),
        (1, 3, "33.33 %"),
        (999_999, 1_000_000, "99.99 %"),
        (3, 3, "100 %"),
    ];
    for (part, whole, wanted) in cases {
        assert_eq!(percent(part, whole), wanted);
    }
    for (seconds, wanted) in [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (9_000, "2.5 h"),
    ] {
        assert_eq!(short(Duration::from_secs(seconds)), wanted);
    }
}

#[test]
fn estimates_a_range() {
    let at = Duration::from_secs;
    let mut pace = Pace::default();
    assert_eq!(pace.left(10), None);
    pace.seen(at(0), 0);
    assert_eq!(pace.left(10), None);
    pace.seen(at(1), 9);
    assert_eq!(pace.left(10), None, "nine events say nothing");
    pace.seen(at(10), 1_000);
    assert_eq!(
        pace.left(1_000),
        Some(Range {
            from: at(9),
            to: at(11)
        })
    );
    // Ten times slower over the last minute: the range spans both.
    for minute in 1..=2 {
        pace.seen(at(10 + 60 * minute), 1_000 + 600 * minute);
    }
    assert_eq!(pace.rate(), Some(10.0));
    let range = pace.left(1_000).unwrap();
    assert_eq!(range.to, at(110));
    assert!(range.from < at(60), "{range:?}");
}
