//! Tests of the proof: what counts, what does not, and when it is whole.

use revoker::campaign::{
    Outcome, Proof,
    id::event_id,
    outcome::Done,
    proof::{Refused, Taken},
};
use serde_json::{Value, json};

use super::given::{ID, at, campaign, hash, manifest, outcome, user};

/// Takes the outcomes into the proof of a campaign that asks for users 1 to 3.
fn proof(outcomes: &[Vec<u8>]) -> Proof {
    let mut proof = Proof::new(ID, &campaign(&[manifest(1, &[1, 2, 3])]));
    for body in outcomes {
        proof.take(&Outcome::read(body).unwrap());
    }
    proof
}

fn of(n: u32, word: &str) -> Vec<u8> {
    outcome(n, json!({ "outcome": word }))
}

#[test]
fn whole_when_every_target_is_proven() {
    let mut all = vec![of(1, "revoked"), of(2, "already_gone")];
    assert!(!proof(&all).is_complete());
    assert_eq!(proof(&all).waiting(), 1);
    all.push(of(3, "duplicate"));
    let proof = proof(&all);
    assert!(proof.is_complete() && !proof.has_strangers());
    assert_eq!((proof.proven(), proof.waiting()), (3, 0));
    assert_eq!(proof.sums.sessions_revoked, 6);
    assert_eq!(proof.sums.exposure_seconds_max, 603.0);
}

#[test]
fn of_two_outcomes_the_better_one_wins_in_either_order() {
    let words = [
        ("dead_lettered", Done::Failed),
        ("cancelled", Done::Cancelled),
        ("obsolete", Done::Obsolete),
        ("duplicate", Done::Duplicate),
        ("already_gone", Done::NoSuchSession),
        ("revoked", Done::Revoked),
    ];
    for (i, (worse, _)) in words.iter().enumerate() {
        for (better, done) in &words[i..] {
            for pair in [[*worse, *better], [*better, *worse]] {
                let proof = proof(&pair.map(|word| of(1, word)));
                assert_eq!(proof.done(1, hash(&user(1))), *done, "{pair:?}");
                assert_eq!(proof.count(*done), 1, "{pair:?}");
                assert_eq!(proof.proven(), u64::from(done.is_proof()), "{pair:?}");
                let events: u64 = Done::ALL.iter().map(|done| proof.count(*done)).sum();
                assert_eq!(events, 3, "{pair:?}: each event stands in one way");
            }
        }
    }
}

#[test]
fn what_was_not_asked_for_does_not_count() {
    let check = |changed: Value, expected: Taken| {
        let body = outcome(1, changed.clone());
        let mut proof = Proof::new(ID, &campaign(&[manifest(1, &[1, 2, 3])]));
        assert_eq!(
            proof.take(&Outcome::read(&body).unwrap()),
            expected,
            "{changed}"
        );
        let refused = u64::from(matches!(expected, Taken::Refused(_)));
        assert_eq!(
            (proof.proven(), proof.sums.refused),
            (0, refused),
            "{changed}"
        );
    };
    let refused = |changed: Value, why| check(changed, Taken::Refused(why));
    check(json!({"campaign_id": "another"}), Taken::Other);
    check(json!({"campaign_id": null}), Taken::Other);
    refused(json!({"publisher": "forger"}), Refused::Publisher);
    refused(json!({"event_id": null}), Refused::EventId);
    refused(json!({"event_id": "by-hand"}), Refused::EventId);
    refused(
        json!({"event_id": event_id(ID, 1, hash(&user(2)))}),
        Refused::EventId,
    );
    refused(
        json!({"event_id": event_id(ID, 2, hash(&user(1)))}),
        Refused::EventId,
    );
    refused(
        json!({"event_id": event_id(ID, 0, hash(&user(1)))}),
        Refused::EventId,
    );
    refused(json!({"target": user(2)}), Refused::EventId);
    refused(json!({"target": null}), Refused::EventId);
    refused(json!({"target_kind": "session"}), Refused::EventId);
    refused(json!({"outcome": "verified"}), Refused::EventId);
    refused(json!({"cutoff": null}), Refused::Cutoff);
    refused(json!({"cutoff": "2026-11-28T09:59:59Z"}), Refused::Cutoff);
}

#[test]
fn a_later_cutoff_is_enough_and_a_failure_needs_none() {
    let later = outcome(1, json!({"cutoff": "2026-11-28T10:00:01Z"}));
    assert_eq!(proof(&[later]).proven(), 1);
    let failed = outcome(1, json!({"outcome": "dead_lettered", "cutoff": null}));
    assert_eq!(proof(&[failed]).count(Done::Failed), 1);
}

#[test]
fn a_stranger_is_seen() {
    // As many as expected, but the fourth stands in the third's place.
    let swapped = proof(&[of(1, "revoked"), of(2, "revoked"), of(4, "revoked")]);
    assert_eq!(swapped.proven(), 3);
    assert!(swapped.has_strangers() && !swapped.is_complete());
    // One more than expected.
    let more = proof(&[1, 2, 3, 4].map(|n| of(n, "revoked")));
    assert!(more.has_strangers() && !more.is_complete());
}

#[test]
fn each_part_must_be_whole() {
    let mut second = manifest(2, &[3, 4]);
    second.cutoff = at("2026-11-28T11:00:00Z");
    let both = campaign(&[manifest(1, &[1, 2, 3]), second]);
    let mut proof = Proof::new(ID, &both);
    let mut take = |n: u32, part: u32, cutoff: &str| {
        let event_id = event_id(ID, part, hash(&user(n)));
        let body = outcome(n, json!({"event_id": event_id, "cutoff": cutoff}));
        proof.take(&Outcome::read(&body).unwrap());
        proof.is_complete()
    };
    let (early, late) = ("2026-11-28T10:00:00Z", "2026-11-28T11:00:00Z");
    for n in [1, 2, 3] {
        assert!(!take(n, 1, early));
    }
    assert!(!take(4, 2, late));
    // The third was revoked for the first part, which is not enough for the second.
    assert!(!take(3, 2, early));
    assert!(take(3, 2, late));
    assert_eq!(
        (proof.expected(), proof.proven(), proof.sums.refused),
        (5, 5, 1)
    );
}

#[test]
fn a_list_tells_who_is_missing_and_who_is_too_many() {
    let mut proof = proof(&[of(1, "revoked"), of(2, "dead_lettered"), of(4, "revoked")]);
    assert_eq!(proof.unlisted(), 3);
    assert_eq!(proof.list(&user(1)), Some(true));
    assert_eq!(proof.list(&user(1)), Some(false), "named twice");
    assert_eq!(proof.list(&user(2)), Some(true));
    assert_eq!(proof.list(&user(3)), None);
    assert_eq!(proof.unlisted(), 1);
    let (cutoff, later) = (at("2026-11-28T10:00:00Z"), at("2026-11-28T10:00:01Z"));
    assert!(proof.is_proven(&user(1), cutoff) && !proof.is_proven(&user(1), later));
    assert!(!proof.is_proven(&user(2), cutoff) && !proof.is_proven(&user(3), cutoff));
}
