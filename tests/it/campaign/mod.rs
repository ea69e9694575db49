//! Tests of campaigns: what ids and records mean, what counts as proof, and the evidence of it.

mod control;
mod evidence;
mod given;
mod id;
mod orders;
mod outcome;
mod proof;
mod summary;

use jiff::Timestamp;
use revoker::campaign::{Manifest, Order, Record, control::Campaign};

/// So many seconds after the first record.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// A record of that second.
pub(crate) fn record(order: Order, second: i64) -> Record {
    Record::new(order, "ops@example".into(), None, at(second))
}

/// The manifest of a part with three users.
pub(crate) fn manifest(campaign_id: &str, publisher: &str, part: u32) -> Manifest {
    Manifest {
        campaign_id: campaign_id.into(),
        part,
        project_id: "project-test-3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f".into(),
        publisher: publisher.into(),
        target_kind: "user".into(),
        expected: 3,
        xor: "0123456789abcdef0123456789abcdef".into(),
        digest: "5f".repeat(32),
        cutoff: at(-60),
        occurred_at: at(-60),
        reason: "security_incident".into(),
        audit_offset: 7,
        drill: false,
    }
}

/// Its first part begins.
pub(crate) fn started(campaign_id: &str, publisher: &str) -> Order {
    Order::CampaignStarted(manifest(campaign_id, publisher, 1))
}

/// An order about a campaign.
pub(crate) fn about(order: fn(Campaign) -> Order, campaign_id: &str) -> Order {
    order(Campaign {
        campaign_id: campaign_id.into(),
    })
}
