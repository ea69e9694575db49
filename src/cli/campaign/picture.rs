//! How a campaign stands, as numbers, as text and as JSON.
//!
//! Pure. "Stytch knows no such session" is never called "logged out", and no percentage is rounded up
//! to a hundred.

use std::{collections::BTreeMap, fmt::Write};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::campaign::{Proof, WorkerState, estimate::Pace, orders::Campaign, outcome::Done};

use super::{
    follow::Trimmed,
    screen::{percent, short, word},
};

/// A worker that said nothing for longer is not told of, seconds.
const WORKER_SILENT_SECONDS: i64 = 90;

/// What is known at one time.
pub struct Picture<'a> {
    /// The campaign's id.
    pub id: &'a str,
    /// Its records.
    pub campaign: &'a Campaign,
    /// What is proven.
    pub proof: &'a Proof,
    /// How fast it goes.
    pub pace: &'a Pace,
    /// What each worker said of itself last.
    pub workers: &'a BTreeMap<String, WorkerState>,
    /// Since when all of bulk is held.
    pub bulk_held: Option<Timestamp>,
    /// Whether outcomes may be gone.
    pub trimmed: Option<Trimmed>,
    /// When this is.
    pub now: Timestamp,
}

/// How it stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Every expected event is proven.
    Complete,
    /// Some are under way.
    UnderWay,
    /// All have an outcome, and not all are proven.
    Ended,
    /// It was cancelled.
    Cancelled,
}

impl Picture<'_> {
    /// How it stands as a whole.
    pub fn stand(&self) -> Stand {
        match () {
            () if self.proof.is_complete() && self.trimmed.is_none() => Stand::Complete,
            () if self.proof.waiting() > 0 && self.campaign.cancelled.is_some() => Stand::Cancelled,
            () if self.proof.waiting() > 0 || !self.campaign.is_published() => Stand::UnderWay,
            () => Stand::Ended,
        }
    }

    /// One line for a progress that is told again and again.
    pub fn line(&self) -> String {
        let (proven, expected) = (self.proof.proven(), self.proof.expected());
        let mut line = format!(
            "{} proven: {proven} of {expected}",
            percent(proven, expected)
        );
        for done in [Done::Failed, Done::Cancelled] {
            if self.proof.count(done) > 0 {
                let _ = write!(line, ", {} {}", self.proof.count(done), word(done));
            }
        }
        if let Some(rate) = self.pace.rate() {
            let _ = write!(line, ", {rate:.0}/s");
        }
        let _ = write!(line, "; {}", self.left());
        line
    }

    /// How long it still takes, and why.
    pub fn left(&self) -> String {
        let waiting = self.proof.waiting();
        if waiting == 0 {
            return "nothing left to wait for".to_owned();
        }
        let range = self.pace.left(waiting).map_or_else(
            || "no estimate yet".to_owned(),
            |range| format!("{} to {} left", short(range.from), short(range.to)),
        );
        format!("{range}; {}", self.why())
    }

    /// What it waits for.
    fn why(&self) -> String {
        if let Some(at) = self.campaign.cancelled {
            return format!("cancelled at {at:.0}");
        }
        if let Some(at) = self.campaign.paused {
            return format!(
                "paused since {at:.0}: campaign resume {} lets it go on",
                self.id
            );
        }
        if let Some(at) = self.bulk_held {
            return format!(
                "all of bulk is held since {at:.0}: campaign resume --all lets it go on"
            );
        }
        if !self.campaign.is_published() {
            return format!(
                "{} of {} events published: whoever started it must go on",
                self.campaign.published(),
                self.campaign.expected()
            );
        }
        let live: Vec<&WorkerState> = self.live().collect();
        let slow = live.iter().find(|worker| worker.state != "running");
        match (slow, live.len()) {
            (Some(worker), _) => format!("a worker is {}: {}", worker.state, worker.why),
            (None, 0) => "no worker has told of itself in the last minute and a half: does one run, with REVOKER_OUTCOMES on?".to_owned(),
            (None, workers) => {
                let rate: f64 = live.iter().map(|worker| worker.rate).sum();
                format!("{workers} running, {rate:.0} calls/s allowed")
            }
        }
    }

    fn live(&self) -> impl Iterator<Item = &WorkerState> {
        let now = self.now;
        self.workers
            .values()
            .filter(move |worker| now.duration_since(worker.at).as_secs() <= WORKER_SILENT_SECONDS)
    }

    /// The whole picture for programs.
    pub fn json(&self) -> Value {
        let proof = self.proof;
        let outcomes: serde_json::Map<String, Value> = Done::ALL
            .iter()
            .map(|done| (done.as_str().to_owned(), proof.count(*done).into()))
            .collect();
        let range = self.pace.left(proof.waiting());
        json!({
            "campaign_id": self.id,
            "stand": match self.stand() {
                Stand::Complete => "complete",
                Stand::UnderWay => "under_way",
                Stand::Ended => "ended",
                Stand::Cancelled => "cancelled",
            },
            "parts": self.campaign.parts.iter().map(|part| &part.manifest).collect::<Vec<_>>(),
            "expected": proof.expected(),
            "published": self.campaign.published(),
            "proven": proof.proven(),
            "complete": self.stand() == Stand::Complete,
            "outcomes": outcomes,
            "sessions_revoked": proof.sums.sessions_revoked,
            "sessions_newer": proof.sums.sessions_newer,
            "not_counted": proof.sums.refused,
            "strangers": proof.has_strangers(),
            "trimmed": self.trimmed.is_some(),
            "exposure_seconds_max": proof.sums.exposure_seconds_max,
            "safe_at": proof.sums.safe_at,
            "paused": self.campaign.paused,
            "cancelled": self.campaign.cancelled,
            "rate": self.pace.rate(),
            "left_seconds": range.map(|range| [range.from.as_secs(), range.to.as_secs()]),
            "why": self.why(),
            "workers": self.live().collect::<Vec<_>>(),
        })
    }
}
