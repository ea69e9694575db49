//! The picture of the campaigns: what is expected of each and what became of its events, by its id.
//!
//! The one family with values that are not known at start, and so with a bound of its own: the newest
//! campaigns have children, made at 0 when their manifests are read, and all others together are
//! [`OTHER_CAMPAIGNS`]. Events that end before their manifest is read are remembered for it, a few ids at a
//! time: they follow it so closely that the first of them overtake it. Counters, so that a worker that
//! starts again falsifies no sum of increases. Not a proof: that is the audit stream's.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use prometheus::IntCounter;

use super::{Families, Metrics};
use crate::{settle::outcome::Outcome, telemetry::labels::OTHER_CAMPAIGNS};

/// Campaigns that are shown by their id.
pub const CAMPAIGNS_MAX: usize = 8;

/// Ids that are remembered although no manifest has told of them.
const EARLY_MAX: usize = 8;

/// A campaign to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub id: String,
    /// Whose events count for it: anybody else's with its id count as others.
    pub publisher: String,
    /// How many targets it has.
    pub expected: u64,
}

/// The campaigns that are shown by their id.
#[derive(Debug)]
pub(super) struct Shown {
    newest: RwLock<BTreeMap<String, Counted>>,
    others: Vec<IntCounter>,
    early: Mutex<VecDeque<Early>>,
}

/// Events of an id of which no manifest has told yet; counted as others', too.
#[derive(Debug)]
struct Early {
    id: String,
    publisher: String,
    /// By outcome.
    events: [u64; Outcome::ALL.len()],
}

/// What is counted for one campaign.
#[derive(Debug)]
struct Counted {
    publisher: String,
    /// By outcome.
    events: Vec<IntCounter>,
}

impl Shown {
    pub(super) fn new(all: &Families) -> Self {
        Self {
            newest: RwLock::default(),
            others: all.campaign_events.iter().cloned().collect(),
            early: Mutex::default(),
        }
    }

    fn early(&self) -> MutexGuard<'_, VecDeque<Early>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers an event, and forgets the id that was first heard of longest ago.
    fn remember(&self, id: &str, publisher: &str, outcome: Outcome) {
        let mut early = self.early();
        let same = |one: &Early| one.id == id && one.publisher == publisher;
        let at = early.iter().position(same).unwrap_or_else(|| {
            if early.len() == EARLY_MAX {
                early.pop_front();
            }
            early.push_back(Early {
                id: id.to_owned(),
                publisher: publisher.to_owned(),
                events: [0; Outcome::ALL.len()],
            });
            early.len() - 1
        });
        early[at].events[outcome as usize] += 1;
    }
}

impl Metrics {
    /// Shows these campaigns by their id, at most [`CAMPAIGNS_MAX`], and no other; `others` is what is
    /// expected of the others together. Those that were shown before keep their numbers.
    pub fn show_campaigns(&self, newest: &[Campaign], others: u64) {
        let newest = newest.iter().filter(|c| c.id != OTHER_CAMPAIGNS);
        let newest: Vec<_> = newest.take(CAMPAIGNS_MAX).collect();
        let mut shown = (self.campaigns.newest.write()).unwrap_or_else(PoisonError::into_inner);
        shown.retain(|id, _| {
            let stays = newest.iter().any(|campaign| campaign.id == *id);
            if !stays {
                self.forget_campaign(id);
            }
            stays
        });
        for campaign in newest {
            let of = [campaign.id.as_str()];
            let expected = self.all.campaign_expected.vec().with_label_values(&of);
            expected.set(campaign.expected as f64);
            shown
                .entry(campaign.id.clone())
                .or_insert_with(|| self.count_campaign(campaign));
        }
        self.all.campaign_expected.at(0).set(others as f64);
    }

    /// An event of a campaign came to an end. With an id that is not shown, or from another publisher than
    /// the campaign's own, it counts as others'.
    pub fn campaign_event(&self, id: &str, publisher: &str, outcome: Outcome) {
        let shown = (self.campaigns.newest.read()).unwrap_or_else(PoisonError::into_inner);
        let own = shown
            .get(id)
            .filter(|counted| counted.publisher == publisher);
        let events = own.map_or(&self.campaigns.others, |counted| &counted.events);
        events[outcome as usize].inc();
        if !shown.contains_key(id) {
            self.campaigns.remember(id, publisher, outcome);
        }
    }

    fn count_campaign(&self, campaign: &Campaign) -> Counted {
        let of = |outcome: &Outcome| {
            let labels = [campaign.id.as_str(), outcome.as_str()];
            self.all.campaign_events.vec().with_label_values(&labels)
        };
        let events: Vec<_> = Outcome::ALL.iter().map(of).collect();
        let mut early = self.campaigns.early();
        for one in early.iter().filter(|one| one.id == campaign.id) {
            let own = one.publisher == campaign.publisher;
            for (counter, counted) in events.iter().zip(one.events).filter(|_| own) {
                counter.inc_by(counted);
            }
        }
        early.retain(|one| one.id != campaign.id);
        Counted {
            publisher: campaign.publisher.clone(),
            events,
        }
    }

    /// Its series end: what was counted stays with whoever has scraped it.
    fn forget_campaign(&self, id: &str) {
        // It is there, and if not there is nothing to end.
        let _ = self.all.campaign_expected.vec().remove_label_values(&[id]);
        for outcome in Outcome::ALL {
            let labels = [id, outcome.as_str()];
            let _ = (self.all.campaign_events.vec()).remove_label_values(&labels);
        }
    }
}
