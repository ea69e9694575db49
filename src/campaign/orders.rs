//! What the operator's stream comes to, read from its beginning: which campaigns there are, and what
//! workers shall do with their events.
//!
//! An order is obeyed only for a campaign that has a manifest, and only for events of its publisher in
//! the bulk lane: nobody's urgent revocation can be stopped from here, nor another publisher's that
//! borrows the campaign's id.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::control::{Anchor, Checkpoint, Manifest, Order, Record};
use crate::event::Lane;

/// Campaigns that are remembered; the oldest are forgotten first.
pub const CAMPAIGNS_MAX: usize = 10_000;
/// Parts of one campaign at most.
pub const PARTS_MAX: u32 = 1_000;

/// What a worker does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// What it does with every other.
    Go,
    /// Lets it wait; the campaign is paused since then.
    Paused(Timestamp),
    /// Ends it without a call.
    Cancelled,
}

/// One campaign, as its records tell.
#[derive(Debug, Clone, Default)]
pub struct Campaign {
    /// Its parts, in order; never empty for one that [`Orders`] tells of.
    pub parts: Vec<Part>,
    /// Since when it is paused, if it is.
    pub paused: Option<Timestamp>,
    /// When it was cancelled, if it was.
    pub cancelled: Option<Timestamp>,
    /// The ends of its reports, in order.
    pub anchors: Vec<(Timestamp, Anchor)>,
}

/// One part of a campaign.
#[derive(Debug, Clone)]
pub struct Part {
    /// What it is.
    pub manifest: Manifest,
    /// When it began, by its starter's clock.
    pub started_at: Timestamp,
    /// Who began it.
    pub by: String,
    /// Why, in the operator's words.
    pub why: Option<String>,
    /// The last checkpoint.
    pub published: Option<Checkpoint>,
}

/// All campaigns, and the hold of the lane.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    campaigns: BTreeMap<String, Campaign>,
    /// Since when all of bulk is held, if it is.
    pub bulk_held: Option<Timestamp>,
}

impl Orders {
    /// Takes in the next record of the stream. The first manifest of a part is the one that counts: of
    /// two that begin at the same moment, the second is refused, and a forger comes too late.
    pub fn take(&mut self, record: Record) {
        let at = record.at;
        match record.order {
            Order::CampaignStarted(manifest) => {
                self.start(manifest, at, record.by, record.why);
            }
            Order::CampaignPublished(point) => {
                if let Some(part) = self.part(&point.campaign_id, point.part) {
                    let further = part.published.as_ref().is_none_or(|p| p.line <= point.line);
                    if further {
                        part.published = Some(point);
                    }
                }
            }
            Order::CampaignPaused(of) => self.known(&of.campaign_id, |campaign| {
                campaign.paused.get_or_insert(at);
            }),
            Order::CampaignResumed(of) => {
                self.known(&of.campaign_id, |campaign| campaign.paused = None)
            }
            Order::CampaignCancelled(of) => self.known(&of.campaign_id, |campaign| {
                campaign.cancelled.get_or_insert(at);
            }),
            Order::CampaignReported(anchor) => {
                let id = anchor.campaign_id.clone();
                self.known(&id, |campaign| campaign.anchors.push((at, anchor)));
            }
            Order::BulkHeld => {
                self.bulk_held.get_or_insert(at);
            }
            Order::BulkReleased => self.bulk_held = None,
            // For whoever asks later who did it, and why.
            Order::DeadLettersReplayed(_) | Order::DeadLettersPurged(_) => {}
        }
    }

    fn start(
        &mut self,
        manifest: Manifest,
        started_at: Timestamp,
        by: String,
        why: Option<String>,
    ) {
        let id = manifest.campaign_id.clone();
        let campaign = self.campaigns.entry(id.clone()).or_default();
        let next = u32::try_from(campaign.parts.len()).unwrap_or(u32::MAX) + 1;
        let same_publisher = |part: &Part| part.manifest.publisher == manifest.publisher;
        if manifest.part == next && next <= PARTS_MAX && campaign.parts.iter().all(same_publisher) {
            campaign.parts.push(Part {
                manifest,
                started_at,
                by,
                why,
                published: None,
            });
        }
        if campaign.parts.is_empty() {
            self.campaigns.remove(&id); // it was made for a part that cannot be its first
        }
        while self.campaigns.len() > CAMPAIGNS_MAX {
            let began = |campaign: &Campaign| campaign.parts.first().map(|part| part.started_at);
            let oldest = self
                .campaigns
                .iter()
                .min_by_key(|(_, campaign)| began(campaign));
            let Some(id) = oldest.map(|(id, _)| id.clone()) else {
                break;
            };
            self.campaigns.remove(&id);
        }
    }

    fn part(&mut self, campaign_id: &str, part: u32) -> Option<&mut Part> {
        let index = usize::try_from(part).ok()?.checked_sub(1)?;
        self.campaigns.get_mut(campaign_id)?.parts.get_mut(index)
    }

    fn known(&mut self, campaign_id: &str, change: impl FnOnce(&mut Campaign)) {
        if let Some(campaign) = self.campaigns.get_mut(campaign_id) {
            change(campaign);
        }
    }

    /// What shall become of an event. Only bulk events of the campaign's own publisher obey.
    pub fn standing(&self, lane: Lane, publisher: &str, campaign_id: Option<&str>) -> Standing {
        let campaign = campaign_id
            .filter(|_| lane == Lane::Bulk)
            .and_then(|id| self.campaigns.get(id))
            .filter(|campaign| campaign.is_published_by(publisher));
        match campaign {
            Some(campaign) if campaign.cancelled.is_some() => Standing::Cancelled,
            Some(campaign) => campaign.paused.map_or(Standing::Go, Standing::Paused),
            None => Standing::Go,
        }
    }

    /// The campaign of that id.
    pub fn campaign(&self, id: &str) -> Option<&Campaign> {
        self.campaigns.get(id)
    }

    /// All campaigns, by id.
    pub fn campaigns(&self) -> impl Iterator<Item = (&str, &Campaign)> {
        self.campaigns
            .iter()
            .map(|(id, campaign)| (id.as_str(), campaign))
    }

    /// The campaigns that began last, the newest first, at most so many.
    pub fn newest(&self, most: usize) -> Vec<(&str, &Campaign)> {
        let mut campaigns: Vec<_> = self.campaigns().collect();
        campaigns.sort_by_key(|(_, campaign)| std::cmp::Reverse(campaign.started_at()));
        campaigns.truncate(most);
        campaigns
    }
}

impl Campaign {
    /// Whether its events come from this publisher.
    pub fn is_published_by(&self, publisher: &str) -> bool {
        self.parts
            .first()
            .is_some_and(|part| part.manifest.publisher == publisher)
    }

    /// When its first part began.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.parts.first().map(|part| part.started_at)
    }

    /// Targets of all parts.
    pub fn expected(&self) -> u64 {
        self.parts.iter().map(|part| part.manifest.expected).sum()
    }

    /// Events of all parts that the broker has confirmed.
    pub fn published(&self) -> u64 {
        let of = |part: &Part| part.published.as_ref().map_or(0, |point| point.published);
        self.parts.iter().map(of).sum()
    }

    /// Whether the end of every input is published.
    pub fn is_published(&self) -> bool {
        let done = |part: &Part| part.published.as_ref().is_some_and(|point| point.done);
        self.parts.iter().all(done)
    }
}
