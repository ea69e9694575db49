//! A campaign and outcomes of it, as the streams hold them.

use jiff::Timestamp;
use revoker::campaign::{
    EventHash, Kind, Manifest, Order, Orders, Proof, Record,
    control::Checkpoint,
    evidence::{Footer, Header, Line, Writer},
    id,
    orders::Campaign,
    outcome::Outcome,
    proof::Taken,
};
use serde_json::{Value, json};

pub(super) const ID: &str = "leak-2026";
pub(super) const PUBLISHER: &str = "campaign";
pub(super) const CUTOFF: &str = "2026-11-28T10:00:00Z";
pub(super) const PROJECT: &str = "project-test-11111111-1111-4111-8111-111111111111";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The n-th user.
pub(super) fn user(n: u32) -> String {
    format!("user-test-00000000-0000-4000-8000-{n:012}")
}

pub(super) fn hash(target: &str) -> EventHash {
    EventHash::new(ID, Kind::User, target)
}

/// The manifest of a part that asks for these users.
pub(super) fn manifest(part: u32, users: &[u32]) -> Manifest {
    let mut hashes: Vec<_> = users.iter().map(|n| hash(&user(*n))).collect();
    hashes.sort();
    let mut xor = EventHash::default();
    hashes.iter().for_each(|hash| xor.xor(*hash));
    Manifest {
        campaign_id: ID.to_owned(),
        part,
        project_id: PROJECT.to_owned(),
        publisher: PUBLISHER.to_owned(),
        target_kind: "user".to_owned(),
        expected: users.len() as u64,
        xor: xor.to_string(),
        digest: id::digest(Kind::User, &hashes),
        cutoff: at(CUTOFF),
        occurred_at: at(CUTOFF),
        reason: "security_incident".to_owned(),
        audit_offset: 7,
        drill: false,
    }
}

/// A campaign of these parts, published to the end.
pub(super) fn campaign(manifests: &[Manifest]) -> Campaign {
    let mut orders = Orders::default();
    for manifest in manifests {
        let point = Checkpoint {
            campaign_id: ID.to_owned(),
            part: manifest.part,
            line: manifest.expected,
            published: manifest.expected,
            done: true,
        };
        for order in [
            Order::CampaignStarted(manifest.clone()),
            Order::CampaignPublished(point),
        ] {
            let why = Some("the keys leaked".to_owned());
            orders.take(Record::new(
                order,
                "alice@ops".into(),
                why,
                at("2026-11-28T10:05:00Z"),
            ));
        }
    }
    orders.campaign(ID).unwrap().clone()
}

/// The outcome of a user's event of part 1, with some fields changed; `null` takes one away.
pub(super) fn outcome(n: u32, changed: Value) -> Vec<u8> {
    let mut body = json!({
        "type": "session.revoke.outcome.v1",
        "event_id": id::event_id(ID, 1, hash(&user(n))),
        "campaign_id": ID,
        "publisher": PUBLISHER,
        "publisher_verified": false,
        "lane": "bulk",
        "outcome": "revoked",
        "target_kind": "user",
        "target": user(n),
        "sessions": 2,
        "sessions_newer": 0,
        "cutoff": CUTOFF,
        "attempts": 0,
        "request_id": format!("request-id-test-{n}"),
        "completed_at": "2026-11-28T10:10:00Z",
        "exposure_seconds": 600.0 + f64::from(n),
        "safe_at": "2026-11-28T10:15:00Z",
    });
    let fields = body.as_object_mut().unwrap();
    fields.extend(changed.as_object().unwrap().clone());
    fields.retain(|_, value| !value.is_null());
    body.to_string().into_bytes()
}

/// The evidence of these outcomes, its header and its footer.
pub(super) fn evidence(campaign: &Campaign, outcomes: &[Vec<u8>]) -> (String, Header, Footer) {
    let now = at("2026-11-28T12:00:00Z");
    let header = Header::new(ID, campaign, "bob@ops".into(), now).unwrap();
    let mut proof = Proof::new(ID, campaign);
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    for (body, offset) in outcomes.iter().zip(7..) {
        let read = Outcome::read(body).unwrap();
        if let Taken::Counted { part, .. } = proof.take(&read) {
            let line = Line::new(writer.seq(), offset, part, &read).unwrap();
            writer.outcome(&line).unwrap();
        }
    }
    let read_to = 6 + outcomes.len() as u64;
    let footer = Footer::new(&proof, &header, writer.seq() - 1, Some(read_to), None);
    let (bytes, _, _) = writer.finish(&footer).unwrap();
    (String::from_utf8(bytes).unwrap(), header, footer)
}
