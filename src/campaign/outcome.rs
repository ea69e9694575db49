//! An outcome as a reader of the audit stream sees it: `session.revoke.outcome.v1`, read with a
//! tolerance for fields that are new.
//!
//! Not how it is written: that is `settle::report`. Two outcomes of one event are normal (an ack that
//! was lost, a replay): [`Done`] has the order in which the better one wins.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::id::{EventHash, Kind, read_event_id};
use crate::closed_set;

/// The `type` of an outcome.
pub const TYPE: &str = "session.revoke.outcome.v1";
/// Longest outcome that is read, bytes.
pub const OUTCOME_BYTES_MAX: usize = 16 * 1024;
/// The `code` of an `already_gone` about a user whom Stytch does not know.
const USER_NOT_FOUND: &str = "user_not_found";

closed_set! {
    /// How an event of a campaign stands, from nothing known to the best.
    Done {
        /// No outcome yet.
        Waiting => "waiting",
        /// Dead-lettered: its sessions may still live.
        Failed => "failed",
        /// The campaign was cancelled before its turn.
        Cancelled => "cancelled",
        /// Its `not_after` had passed.
        Obsolete => "obsolete",
        /// Another event for the same target did the work.
        Duplicate => "duplicate",
        /// Stytch knows no such user.
        UnknownUser => "unknown_user",
        /// Stytch knows no such session, or no session of the user up to the cutoff.
        NoSuchSession => "no_such_session",
        /// Stytch revoked it.
        Revoked => "revoked",
    }
}

impl Done {
    /// Whether no session of the target up to the cutoff is left.
    pub const fn is_proof(self) -> bool {
        matches!(
            self,
            Self::Duplicate | Self::UnknownUser | Self::NoSuchSession | Self::Revoked
        )
    }
}

/// What the campaign's readers need of an outcome.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Outcome<'a> {
    /// Always [`TYPE`].
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// The publisher's id of the event.
    #[serde(borrow, default)]
    pub event_id: Option<Cow<'a, str>>,
    /// The campaign it belongs to.
    #[serde(borrow, default)]
    pub campaign_id: Option<Cow<'a, str>>,
    /// Who published the event: the routing key.
    #[serde(borrow)]
    pub publisher: Cow<'a, str>,
    /// How it ended, a word of `settle::outcome::Outcome`.
    #[serde(borrow)]
    pub outcome: Cow<'a, str>,
    /// Why it was dead-lettered, or which user or session Stytch does not know.
    #[serde(borrow, default)]
    pub code: Option<Cow<'a, str>>,
    /// `user`, `session` or `token`.
    #[serde(borrow, default)]
    pub target_kind: Option<Cow<'a, str>>,
    /// The target: an id, or `hmac:…` for a credential.
    #[serde(borrow, default)]
    pub target: Option<Cow<'a, str>>,
    /// Of a user: how many sessions were revoked.
    #[serde(default)]
    pub sessions: Option<u32>,
    /// Of a user: how many sessions stay alive, because they are newer.
    #[serde(default)]
    pub sessions_newer: Option<u32>,
    /// Of a user: sessions that started later stay alive.
    #[serde(default)]
    pub cutoff: Option<Timestamp>,
    /// Attempts that failed by the event's own fault.
    #[serde(default)]
    pub attempts: u32,
    /// Stytch's `request_id` of the last answer.
    #[serde(borrow, default)]
    pub request_id: Option<Cow<'a, str>>,
    /// When it ended.
    pub completed_at: Timestamp,
    /// From the reason's time to its end, seconds.
    #[serde(default)]
    pub exposure_seconds: Option<f64>,
    /// When JWTs that were already issued have run out.
    #[serde(default)]
    pub safe_at: Option<Timestamp>,
}

impl<'a> Outcome<'a> {
    /// Reads an outcome; `None` for anything else.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        if body.len() > OUTCOME_BYTES_MAX {
            return None;
        }
        let outcome: Self = serde_json::from_slice(body).ok()?;
        (outcome.r#type == TYPE).then_some(outcome)
    }

    /// How the event stands by this outcome alone.
    pub fn done(&self) -> Option<Done> {
        Some(match self.outcome.as_ref() {
            "revoked" => Done::Revoked,
            "already_gone" if self.code.as_deref() == Some(USER_NOT_FOUND) => Done::UnknownUser,
            "already_gone" => Done::NoSuchSession,
            "duplicate" => Done::Duplicate,
            "obsolete" => Done::Obsolete,
            "cancelled" => Done::Cancelled,
            "dead_lettered" => Done::Failed,
            _ => return None,
        })
    }

    /// The part and the target that it is about, if its event id is the one that follows from this
    /// campaign and the target it names.
    pub fn event_of(&self, campaign_id: &str) -> Option<(u32, Kind, EventHash)> {
        let kind = Kind::named(self.target_kind.as_deref()?)?;
        let (part, hash) = read_event_id(campaign_id, self.event_id.as_deref()?)?;
        let follows = EventHash::new(campaign_id, kind, self.target.as_deref()?);
        (hash == follows).then_some((part, kind, hash))
    }
}
