//! Tests of `revoker campaign` without a broker: lists, decisions, and what is shown.

mod beginning;
mod lists;
mod shown;

use jiff::Timestamp;
use revoker::campaign::{
    Manifest, Order, Orders, Record,
    control::{Campaign, Checkpoint},
};

/// So many seconds after the first record.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// The records of a campaign, to be told one after the other.
struct Told {
    orders: Orders,
    second: i64,
}

impl Told {
    fn new() -> Self {
        Self {
            orders: Orders::default(),
            second: 0,
        }
    }

    fn tell(mut self, order: Order) -> Self {
        self.orders.take(Record::new(
            order,
            "ops@example".into(),
            Some("a drill".into()),
            at(self.second),
        ));
        self.second += 1;
        self
    }

    /// A part with that digest.
    fn part(self, part: u32, digest: &str, expected: u64) -> Self {
        self.tell(Order::CampaignStarted(Manifest {
            campaign_id: "c1".into(),
            part,
            project_id: "project-test-1".into(),
            publisher: "campaign".into(),
            target_kind: "user".into(),
            expected,
            xor: "0".repeat(32),
            digest: digest.into(),
            cutoff: at(-60),
            occurred_at: at(-60),
            reason: "policy".into(),
            audit_offset: 0,
            drill: false,
        }))
    }

    /// How far it is published.
    fn published(self, part: u32, line: u64, done: bool) -> Self {
        self.tell(Order::CampaignPublished(Checkpoint {
            campaign_id: "c1".into(),
            part,
            line,
            published: line - 1,
            done,
        }))
    }

    fn cancelled(self) -> Self {
        self.tell(Order::CampaignCancelled(Campaign {
            campaign_id: "c1".into(),
        }))
    }
}
