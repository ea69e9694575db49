//! The evidence of a report, `revoker.evidence.v1`: every outcome that counts, chained so that none can be
//! changed, dropped or moved without it showing at the end.
//!
//! Text, one JSON object a line, each ended by a line feed. The first line is the [`Header`], the last one
//! the [`Footer`]; between them stands a [`Line`] for each outcome that counts, in the order of the audit
//! stream. To check it with another tool:
//!
//! 1. Every line ends in `,"chain":"` + 64 lower-case hexadecimal digits + `"}`. Its *body* is the line
//!    without these and with `}` in their place: a JSON object again. Bodies are taken as the bytes they
//!    are; nothing is parsed, sorted or formatted anew.
//! 2. `chain` is the SHA-256 of the 32 bytes that the line before has as `chain` (32 zero bytes before the
//!    first line), followed by the body.
//! 3. The last line's `chain` is what a signature or the operator's stream vouches for. The chain alone
//!    proves nothing: whoever edits a line can chain the rest again.
//!
//! The sums of the footer follow from the header's manifests and the lines, see [`Checker`]; but for
//! [`Footer::refused`], [`Footer::read_to`] and [`Footer::gap`], which are told by who wrote it.

mod chain;
mod check;
mod sums;
mod write;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Manifest, Outcome,
    control::Checkpoint,
    orders::{Campaign, Part},
};
pub use chain::Chain;
pub use check::{Checked, Checker, Wrong};
pub use sums::{Footer, Gap};
pub use write::Writer;

/// The `type` of the header.
pub const TYPE: &str = "revoker.evidence.v1";
/// The `type` of the footer.
pub const END_TYPE: &str = "revoker.evidence.end.v1";

/// What the evidence is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always [`TYPE`].
    pub r#type: String,
    /// The campaign.
    pub campaign_id: String,
    /// The Stytch project, of its first part.
    pub project_id: String,
    /// Whether a part of it only pretended.
    pub drill: bool,
    /// When the campaign was cancelled, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Timestamp>,
    /// Its parts, with their manifests as they stand in the operator's stream.
    pub parts: Vec<Begun>,
    /// When the evidence was written, by the writer's clock.
    pub written_at: Timestamp,
    /// Who wrote it.
    pub by: String,
}

/// A part of the campaign and how it began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// When, by its starter's clock.
    pub started_at: Timestamp,
    /// Who began it.
    pub by: String,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Events that the broker has confirmed.
    pub published: u64,
    /// Whether the end of its list was published.
    pub published_all: bool,
    /// What it is.
    pub manifest: Manifest,
}

/// An outcome that counts. Not here: publisher and campaign, which are those of the header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub seq: u64,
    /// Its place in the audit stream.
    pub offset: u64,
    /// The part of the campaign.
    pub part: u32,
    /// The event's id.
    #[serde(borrow)]
    pub event_id: Cow<'a, str>,
    /// `user` or `session`.
    #[serde(borrow)]
    pub target_kind: Cow<'a, str>,
    /// The target, as the outcome has it.
    #[serde(borrow)]
    pub target: Cow<'a, str>,
    /// How it ended.
    #[serde(borrow)]
    pub outcome: Cow<'a, str>,
    /// Why, where there is a reason.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'a, str>>,
    /// Of a user: sessions that were revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,
    /// Of a user: sessions that stay alive, because they are newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_newer: Option<u32>,
    /// Of a user: what they are newer than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<Timestamp>,
    /// Attempts that failed by the event's own fault.
    pub attempts: u32,
    /// Stytch's `request_id`, by which its own log can be asked.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// When it ended, by the worker's clock.
    pub completed_at: Timestamp,
    /// From the reason's time to its end, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_seconds: Option<f64>,
    /// When JWTs that were already issued have run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_at: Option<Timestamp>,
}

impl Header {
    /// The header of a campaign; `None` if it has no part.
    pub fn new(id: &str, campaign: &Campaign, by: String, now: Timestamp) -> Option<Self> {
        let first = &campaign.parts.first()?.manifest;
        Some(Self {
            r#type: TYPE.to_owned(),
            campaign_id: id.to_owned(),
            project_id: first.project_id.clone(),
            drill: campaign.parts.iter().any(|part| part.manifest.drill),
            cancelled: campaign.cancelled,
            parts: campaign.parts.iter().map(Begun::of).collect(),
            written_at: now,
            by,
        })
    }

    /// The campaign that it tells of.
    pub fn campaign(&self) -> Campaign {
        Campaign {
            parts: self.parts.iter().map(Begun::part).collect(),
            cancelled: self.cancelled,
            ..Campaign::default()
        }
    }

    /// Whether these are the manifests of this campaign.
    pub fn is_of(&self, campaign: &Campaign) -> bool {
        let mine = self.parts.iter().map(|part| &part.manifest);
        mine.eq(campaign.parts.iter().map(|part| &part.manifest))
    }

    /// The publisher whose events count.
    pub fn publisher(&self) -> &str {
        let first = self.parts.first();
        first.map_or("", |part| &part.manifest.publisher)
    }

    /// From where on the audit stream must be read: no part's outcomes stand before.
    pub fn audit_offset(&self) -> u64 {
        let offsets = self.parts.iter().map(|part| part.manifest.audit_offset);
        offsets.min().unwrap_or(0)
    }
}

impl Begun {
    fn of(part: &Part) -> Self {
        let published = part.published.as_ref();
        Self {
            started_at: part.started_at,
            by: part.by.clone(),
            why: part.why.clone(),
            published: published.map_or(0, |point| point.published),
            published_all: published.is_some_and(|point| point.done),
            manifest: part.manifest.clone(),
        }
    }

    fn part(&self) -> Part {
        Part {
            manifest: self.manifest.clone(),
            started_at: self.started_at,
            by: self.by.clone(),
            why: self.why.clone(),
            published: Some(Checkpoint {
                campaign_id: self.manifest.campaign_id.clone(),
                part: self.manifest.part,
                line: self.published,
                published: self.published,
                done: self.published_all,
            }),
        }
    }
}

impl<'a> Line<'a> {
    /// The line of an outcome; `None` if it names no event or target, and so cannot count.
    pub fn new(seq: u64, offset: u64, part: u32, of: &'a Outcome<'_>) -> Option<Self> {
        Some(Self {
            seq,
            offset,
            part,
            event_id: of.event_id.as_deref()?.into(),
            target_kind: of.target_kind.as_deref()?.into(),
            target: of.target.as_deref()?.into(),
            outcome: of.outcome.as_ref().into(),
            code: of.code.as_deref().map(Cow::from),
            sessions: of.sessions,
            sessions_newer: of.sessions_newer,
            cutoff: of.cutoff,
            attempts: of.attempts,
            request_id: of.request_id.as_deref().map(Cow::from),
            completed_at: of.completed_at,
            exposure_seconds: of.exposure_seconds,
            safe_at: of.safe_at,
        })
    }

    /// The outcome that it was written for.
    pub fn outcome(&self, header: &'a Header) -> Outcome<'_> {
        Outcome {
            r#type: super::outcome::TYPE.into(),
            event_id: Some(self.event_id.as_ref().into()),
            campaign_id: Some(header.campaign_id.as_str().into()),
            publisher: header.publisher().into(),
            outcome: self.outcome.as_ref().into(),
            code: self.code.as_deref().map(Cow::from),
            target_kind: Some(self.target_kind.as_ref().into()),
            target: Some(self.target.as_ref().into()),
            sessions: self.sessions,
            sessions_newer: self.sessions_newer,
            cutoff: self.cutoff,
            attempts: self.attempts,
            request_id: self.request_id.as_deref().map(Cow::from),
            completed_at: self.completed_at,
            exposure_seconds: self.exposure_seconds,
            safe_at: self.safe_at,
        }
    }
}
