//! The footer: all numbers of the summary, and the text that is signed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{END_TYPE, Header};
use crate::campaign::{Proof, outcome::Done};

/// The first line of the text that is signed.
const DIGEST_TITLE: &str = "revoker report v1";
/// Seconds that differ by less are the same: reading a decimal may turn its last bit.
const SECONDS_ALIKE: f64 = 1e-6;

/// The sums of the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// Always [`END_TYPE`].
    pub r#type: String,
    /// Outcomes that count: lines between header and footer.
    pub outcomes: u64,
    /// Targets of all parts.
    pub expected: u64,
    /// Events that the broker has confirmed.
    pub published: u64,
    /// Targets that have no session up to the cutoff any more.
    pub proven: u64,
    /// Whether all expected ones are, none stands in another's place, and nothing is missing from the
    /// stream.
    pub complete: bool,
    /// Whether events count that no manifest has.
    pub strangers: bool,
    /// Events by how they stand; the words are those of [`Done`].
    pub events: BTreeMap<String, u64>,
    /// Sessions of users that were revoked.
    pub sessions_revoked: u64,
    /// Sessions of users that stay alive because they are newer than the cutoff.
    pub sessions_newer: u64,
    /// Attempts that failed by an event's own fault.
    pub attempts: u64,
    /// Outcomes that name the campaign and do not count; they are not among the lines.
    pub refused: u64,
    /// The longest time from the reason to the end of an event, seconds.
    pub exposure_seconds_max: f64,
    /// When the first event ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Timestamp>,
    /// When the last event ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// When the last JWT that was already issued has run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_at: Option<Timestamp>,
    /// The audit stream was read up to this entry; `None` if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_to: Option<u64>,
    /// What the audit stream no longer has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// Entries that the audit stream should have and has not: it forgot them, or it was made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// From here on entries are missing.
    pub wanted: u64,
    /// The first entry behind them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// Its time: what was before cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Footer {
    /// The sums of a proof.
    pub fn new(
        proof: &Proof,
        header: &Header,
        outcomes: u64,
        read_to: Option<u64>,
        gap: Option<Gap>,
    ) -> Self {
        let sums = &proof.sums;
        let count = |done: &Done| (done.as_str().to_owned(), proof.count(*done));
        Self {
            r#type: END_TYPE.to_owned(),
            outcomes,
            expected: proof.expected(),
            published: header.parts.iter().map(|part| part.published).sum(),
            proven: proof.proven(),
            complete: proof.is_complete() && gap.is_none(),
            strangers: proof.has_strangers(),
            events: Done::ALL.iter().map(count).collect(),
            sessions_revoked: sums.sessions_revoked,
            sessions_newer: sums.sessions_newer,
            attempts: sums.attempts,
            refused: sums.refused,
            exposure_seconds_max: sums.exposure_seconds_max,
            first_at: sums.first_at,
            last_at: sums.last_at,
            safe_at: sums.safe_at,
            read_to,
            gap,
        }
    }

    /// Events that stand like this.
    pub fn count(&self, done: Done) -> u64 {
        self.events.get(done.as_str()).copied().unwrap_or(0)
    }

    /// Whether the other says the same; the names of what differs if not.
    pub(super) fn differs(&self, other: &Self) -> Vec<&'static str> {
        let seconds = (self.exposure_seconds_max - other.exposure_seconds_max).abs();
        let same = [
            ("outcomes", self.outcomes == other.outcomes),
            ("expected", self.expected == other.expected),
            ("published", self.published == other.published),
            ("proven", self.proven == other.proven),
            ("complete", self.complete == other.complete),
            ("strangers", self.strangers == other.strangers),
            ("events", self.events == other.events),
            (
                "sessions_revoked",
                self.sessions_revoked == other.sessions_revoked,
            ),
            (
                "sessions_newer",
                self.sessions_newer == other.sessions_newer,
            ),
            ("attempts", self.attempts == other.attempts),
            ("exposure_seconds_max", seconds < SECONDS_ALIKE),
            ("first_at", self.first_at == other.first_at),
            ("last_at", self.last_at == other.last_at),
            ("safe_at", self.safe_at == other.safe_at),
        ];
        let wrong = same.into_iter().filter(|(_, same)| !same);
        wrong.map(|(name, _)| name).collect()
    }

    /// The text that is signed: what the evidence comes to. It follows from the evidence alone.
    pub fn digest_text(&self, header: &Header, lines: u64, chain_end: &str) -> String {
        let yes = |is: bool| if is { "yes" } else { "no" };
        format!(
            "{DIGEST_TITLE}\ncampaign: {}\nproject: {}\ndrill: {}\nlines: {lines}\ncomplete: {}\n\
             proven: {} of {}\nsha256: {chain_end}\n",
            header.campaign_id,
            header.project_id,
            yes(header.drill),
            yes(self.complete),
            self.proven,
            self.expected,
        )
    }
}
