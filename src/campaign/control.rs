//! The operator's records, `revoker.control.v1`: what stands in the stream `R.control`.
//!
//! Only operators may write there; workers read it before they take bulk, and the command line reads it
//! to know what a campaign is. One JSON object a record; a kind that this version does not know is
//! skipped, since all that a newer one adds must be safe to miss.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::EventHash;

/// The `type` of every record.
pub const TYPE: &str = "revoker.control.v1";
/// Longest record that is read, bytes.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Always [`TYPE`].
    pub r#type: String,
    /// When it was written, by the writer's clock.
    pub at: Timestamp,
    /// Who wrote it: `user@host`, or what `--by` said.
    pub by: String,
    /// Why, in the operator's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub order: Order,
}

/// What a record says; the word stands in `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Order {
    /// A campaign, or one more part of it, begins.
    CampaignStarted(Manifest),
    /// So much of a part is published and confirmed.
    CampaignPublished(Checkpoint),
    /// Its events wait.
    CampaignPaused(Campaign),
    /// They go on.
    CampaignResumed(Campaign),
    /// Its events end without a call, for ever.
    CampaignCancelled(Campaign),
    /// A report was written, and ends in this digest.
    CampaignReported(Anchor),
    /// All of the bulk lane waits, on every worker.
    BulkHeld,
    /// It goes on.
    BulkReleased,
    /// Dead letters are, or were, sent to their lanes again.
    DeadLettersReplayed(Letters),
    /// Dead letters are, or were, given up.
    DeadLettersPurged(Letters),
}

/// Which dead letters. There are two records of one deed, so that none goes unrecorded when it is cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// The same in both records.
    pub deed_id: String,
    /// What was asked for, as on the command line.
    pub filter: String,
    /// `false`: about to begin, with what was found; `true`: ended, with what was done.
    pub done: bool,
    /// How many.
    pub letters: u64,
    /// How many by code.
    pub codes: BTreeMap<String, u64>,
}

/// Which campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub campaign_id: String,
}

/// What a part of a campaign is: written before its first event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The campaign's id, the same in all its parts.
    pub campaign_id: String,
    /// The part, from 1.
    pub part: u32,
    /// The Stytch project whose users or sessions they are.
    pub project_id: String,
    /// The routing key of its events: outcomes for another publisher count for nothing.
    pub publisher: String,
    /// `user` or `session`: see [`super::Kind`].
    pub target_kind: String,
    /// How many targets it has.
    pub expected: u64,
    /// All hashes of its targets, XORed, as 32 hexadecimal digits.
    pub xor: String,
    /// The digest of the set of its targets: see [`super::id::digest`].
    pub digest: String,
    /// Sessions that started later stay alive.
    pub cutoff: Timestamp,
    /// The event's `occurred_at`: when the reason arose.
    pub occurred_at: Timestamp,
    /// The event's `reason`.
    pub reason: String,
    /// Its outcomes stand in the audit stream at this offset or later.
    pub audit_offset: u64,
    /// Whether it only pretends: its events are on no lane that real workers serve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drill: bool,
}

impl Manifest {
    /// The XOR of the hashes; `None` if it cannot be read.
    pub fn xor(&self) -> Option<EventHash> {
        EventHash::parse(&self.xor)
    }
}

/// How far the publishing of a part has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The campaign's id.
    pub campaign_id: String,
    /// The part.
    pub part: u32,
    /// All records of the input up to this line are confirmed by the broker.
    pub line: u64,
    /// So many events of them.
    pub published: u64,
    /// Whether that was the end of the input.
    pub done: bool,
}

/// The end of a report's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The campaign's id.
    pub campaign_id: String,
    /// Lines of evidence.
    pub lines: u64,
    /// The digest of the last line, 64 hexadecimal digits.
    pub digest: String,
    /// Whether every expected event was proven.
    pub complete: bool,
}

impl Record {
    /// A record of now.
    pub fn new(order: Order, by: String, why: Option<String>, now: Timestamp) -> Self {
        Self {
            r#type: TYPE.to_owned(),
            at: now,
            by,
            why,
            order,
        }
    }

    /// Reads a record; `None` for what this version does not understand.
    pub fn read(body: &[u8]) -> Option<Self> {
        if body.len() > RECORD_BYTES_MAX {
            return None;
        }
        let record: Self = serde_json::from_slice(body).ok()?;
        (record.r#type == TYPE).then_some(record)
    }

    /// As it is published.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and times are always JSON")
    }

    /// The routing key under which it is published: what it says, and about which campaign.
    pub fn routing_key(&self) -> String {
        let (kind, campaign_id) = self.order.words();
        match campaign_id {
            Some(campaign_id) => format!("{kind}.{campaign_id}"),
            None => kind.to_owned(),
        }
    }
}

impl Order {
    /// Its kind, and the campaign it is about.
    pub fn words(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::CampaignStarted(manifest) => ("campaign_started", Some(&manifest.campaign_id)),
            Self::CampaignPublished(point) => ("campaign_published", Some(&point.campaign_id)),
            Self::CampaignPaused(of) => ("campaign_paused", Some(&of.campaign_id)),
            Self::CampaignResumed(of) => ("campaign_resumed", Some(&of.campaign_id)),
            Self::CampaignCancelled(of) => ("campaign_cancelled", Some(&of.campaign_id)),
            Self::CampaignReported(anchor) => ("campaign_reported", Some(&anchor.campaign_id)),
            Self::BulkHeld => ("bulk_held", None),
            Self::BulkReleased => ("bulk_released", None),
            Self::DeadLettersReplayed(_) => ("dead_letters_replayed", None),
            Self::DeadLettersPurged(_) => ("dead_letters_purged", None),
        }
    }
}
