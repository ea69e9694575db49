//! The operator: writes what `revoker campaign` would into the control stream.

use jiff::Timestamp;
use revoker::campaign::{Manifest, Order, Record, control::Campaign};
use serde_json::json;

use super::{Event, broker::Broker, sandbox::PROJECT_ID};

/// Who publishes a campaign's events.
pub(crate) const PUBLISHER: &str = "campaign";

/// A campaign of that publisher begins.
pub(crate) fn started(campaign_id: &str) -> Order {
    let now = Timestamp::now();
    Order::CampaignStarted(Manifest {
        campaign_id: campaign_id.to_owned(),
        part: 1,
        project_id: PROJECT_ID.to_owned(),
        publisher: PUBLISHER.to_owned(),
        target_kind: "session".to_owned(),
        expected: 1,
        xor: "0".repeat(32),
        digest: "0".repeat(64),
        cutoff: now,
        occurred_at: now,
        reason: "security_incident".to_owned(),
        audit_offset: 0,
        drill: false,
    })
}

/// An order about a campaign.
pub(crate) fn about(order: fn(Campaign) -> Order, campaign_id: &str) -> Order {
    let campaign_id = campaign_id.to_owned();
    order(Campaign { campaign_id })
}

/// Bulk events of a campaign, one for each session.
pub(crate) fn events_of(campaign_id: &str, sessions: &[String]) -> Vec<Event> {
    let event = |id: &String| {
        let fields = json!({ "session_id": id, "campaign_id": campaign_id });
        Event::new(fields).bulk().by(PUBLISHER)
    };
    sessions.iter().map(event).collect()
}

impl Broker {
    /// Writes these orders, one after the other.
    pub(crate) async fn order(&self, orders: &[Order]) {
        let record = |order: &Order| {
            let record = Record::new(order.clone(), "ops@live".into(), None, Timestamp::now());
            let key = record.routing_key();
            Event::raw(record.write()).in_exchange("control").by(&key)
        };
        let records: Vec<_> = orders.iter().map(record).collect();
        self.publish(&records).await;
    }
}
