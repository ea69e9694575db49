//! The picture of the campaigns in the metrics: which are shown, and what becomes of their events.

use super::{Worker, life::Life};
use crate::{event::Lane, settle::outcome::Outcome, telemetry::metrics::CAMPAIGNS_MAX};

impl<A> Worker<A> {
    /// Shows the campaigns that the orders tell of, once all orders are read.
    pub fn show_campaigns(&self) {
        if let Some((newest, others)) = self.orders.newest(CAMPAIGNS_MAX) {
            self.metrics.show_campaigns(&newest, others);
        }
    }

    /// An event came to an end; it may be one of a campaign.
    pub(super) fn record_of_campaign(&self, life: &Life, outcome: Outcome) {
        if let (Lane::Bulk, Some(id)) = (life.message.lane, &life.facts.campaign_id) {
            self.metrics
                .campaign_event(id, &life.message.publisher, outcome);
        }
    }
}
