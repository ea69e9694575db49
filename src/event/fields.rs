//! The fields of an event, by name, and the rule of each that stands alone.
//!
//! Not the rules between fields (`build`), nor those of targets (`target`) and times (`time`).
//! A rule gets the text of a field and gives what the event keeps, or a [`Problem`] that names the
//! field and never its value: what stands in the wrong field may be a credential.

use super::jwt::JWT_BYTES_MAX;
use super::target::{TOKEN_LEN_MAX, TOKEN_LEN_MIN, UNKNOWN_ID_LEN_MAX};
use super::{Code, Initiator, Problem};
use crate::closed_set;

/// A time as publishers are told to write it.
pub(super) const TIME_EXAMPLE: &str = "2026-11-22T06:30:00Z";
/// Longest name that is shown in a text, in bytes.
pub(super) const SHOWN_NAME_BYTES_MAX: usize = 32;
/// Longest `id`, in characters: a UUID with a prefix, or two.
const ID_LEN_MAX: usize = 128;
/// Longest `reason`, in characters.
const REASON_LEN_MAX: usize = 64;
/// Longest `actor`, in characters.
const ACTOR_LEN_MAX: usize = 128;
/// Longest `campaign_id`, in characters: it stands in the names of files.
const CAMPAIGN_ID_LEN_MAX: usize = 64;
/// Longest `note`, in characters: a sentence for the audit trail.
const NOTE_CHARS_MAX: usize = 256;

closed_set! {
    /// A field of an event, in the order in which they are judged.
    Field {
        /// Which event, and which version of it.
        Type => "type",
        /// The publisher's id of the event.
        Id => "id",
        /// When the reason for the revocation arose.
        OccurredAt => "occurred_at",
        /// Why.
        Reason => "reason",
        /// Target: one session by id.
        SessionId => "session_id",
        /// Target: one session by token, a credential.
        SessionToken => "session_token",
        /// Target: one session by JWT, a credential.
        SessionJwt => "session_jwt",
        /// Target: a user's sessions.
        UserId => "user_id",
        /// A session of that user to keep alive.
        KeepSessionId => "keep_session_id",
        /// Sessions of that user that started later stay alive.
        Cutoff => "cutoff",
        /// Who caused it, in CAEP's words.
        InitiatedBy => "initiated_by",
        /// Who caused it, opaque.
        Actor => "actor",
        /// The campaign it belongs to.
        CampaignId => "campaign_id",
        /// The Stytch project it is meant for.
        ProjectId => "project_id",
        /// Past this time the call is pointless.
        NotAfter => "not_after",
        /// For people.
        Note => "note",
        /// The publisher's own data.
        Ext => "ext",
    }
}

impl Field {
    /// The fields of which an event that revokes has exactly one.
    pub const TARGETS: [Self; 4] = [
        Self::SessionId,
        Self::SessionToken,
        Self::SessionJwt,
        Self::UserId,
    ];

    /// The field of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.as_str() == name)
    }

    /// Whether it means something only for an event that revokes.
    pub fn is_for_revoke_only(self) -> bool {
        Self::TARGETS.contains(&self) || matches!(self, Self::KeepSessionId | Self::Cutoff)
    }

    /// How long the field's text may be, in characters, from and to; `None` for a time, a word of a closed
    /// set, another system's id and what is no text.
    pub const fn length(self) -> Option<(usize, usize)> {
        Some(match self {
            Self::Id => (1, ID_LEN_MAX),
            Self::Reason => (1, REASON_LEN_MAX),
            Self::SessionId | Self::UserId | Self::KeepSessionId => (1, UNKNOWN_ID_LEN_MAX),
            Self::SessionToken => (TOKEN_LEN_MIN, TOKEN_LEN_MAX),
            Self::SessionJwt => (1, JWT_BYTES_MAX),
            Self::Actor => (1, ACTOR_LEN_MAX),
            Self::CampaignId => (1, CAMPAIGN_ID_LEN_MAX),
            Self::Note => (0, NOTE_CHARS_MAX),
            _ => return None,
        })
    }

    /// Whether every event has it.
    pub const fn is_required(self) -> bool {
        self.required().is_some()
    }

    /// What to write into a required field; `None` for one that may be left out.
    pub(super) const fn required(self) -> Option<&'static str> {
        match self {
            Self::Type => Some("write session.revoke.v1"),
            Self::Id => Some("use a new UUID for each event"),
            Self::OccurredAt => {
                Some("give the time just before the change, such as 2026-11-22T06:30:00Z")
            }
            Self::Reason => Some("say why in one word, such as password_reset"),
            _ => None,
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::OccurredAt | Self::Cutoff | Self::NotAfter => {
                "an RFC 3339 string such as 2026-11-22T06:30:00Z"
            }
            Self::Ext => "an object",
            _ => "a string",
        }
    }

    /// The field is there, but null, a number and so on: `found` with its article. `name` is its name
    /// in the event's dialect.
    pub(super) fn wrong_type(self, name: &str, found: &str) -> Problem {
        let remedy = match self.required() {
            None if found == "null" => "; leave the field out instead",
            _ => "",
        };
        let expected = self.expected();
        Problem::new(
            Code::WrongType,
            format!("{name} is {found}, expected {expected}{remedy}"),
        )
    }

    /// The field's text breaks its rule; `rule` goes on after the field's name.
    pub(super) fn bad_format(self, rule: &str) -> Problem {
        Problem::new(Code::BadFormat, format!("{} {rule}", self.as_str()))
    }
}

/// Whether `text` has one to `len_max` bytes, all of them allowed.
pub(super) fn made_of(text: &str, len_max: usize, allowed: impl Fn(u8) -> bool) -> bool {
    (1..=len_max).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether `text` is `[a-z][a-z0-9_]*` of at most `len_max` bytes.
pub(super) fn is_plain_word(text: &str, len_max: usize) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && made_of(text, len_max, |b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'
        })
}

/// `id`: what an audit trail and a dead-letter search can quote without escaping.
pub(super) fn id(field: Field, text: &str) -> Result<String, Problem> {
    if made_of(text, ID_LEN_MAX, |b| {
        b.is_ascii_alphanumeric() || b"._:-".contains(&b)
    }) {
        return Ok(text.to_owned());
    }
    Err(field.bad_format(&format!(
        "must be 1 to {ID_LEN_MAX} letters, digits, . _ : or -; use a new UUID for each event"
    )))
}

/// `reason`: any word, so that a new one needs no new worker.
pub(super) fn reason(field: Field, text: &str) -> Result<String, Problem> {
    if is_plain_word(text, REASON_LEN_MAX) {
        return Ok(text.to_owned());
    }
    Err(field.bad_format(&format!(
        "must be lower-case letters, digits and _ (such as password_reset), at most {REASON_LEN_MAX} characters"
    )))
}

/// `initiated_by`: CAEP's `initiating_entity`.
pub(super) fn initiated_by(field: Field, text: &str) -> Result<Initiator, Problem> {
    Initiator::ALL
        .into_iter()
        .find(|initiator| initiator.as_str() == text)
        .ok_or_else(|| field.bad_format("must be one of admin, user, policy, system"))
}

/// `actor`: opaque to us.
pub(super) fn actor(field: Field, text: &str) -> Result<String, Problem> {
    if made_of(text, ACTOR_LEN_MAX, |b| b.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(field.bad_format(&format!(
        "must be 1 to {ACTOR_LEN_MAX} visible ASCII characters, without spaces"
    )))
}

/// `campaign_id`: ends up in the names of reports.
pub(super) fn campaign_id(field: Field, text: &str) -> Result<String, Problem> {
    if made_of(text, CAMPAIGN_ID_LEN_MAX, |b| {
        b.is_ascii_alphanumeric() || b"._-".contains(&b)
    }) {
        return Ok(text.to_owned());
    }
    Err(field.bad_format(&format!(
        "must be 1 to {CAMPAIGN_ID_LEN_MAX} letters, digits, . _ or -"
    )))
}

/// `note`: any language, one line.
pub(super) fn note(field: Field, text: &str) -> Result<String, Problem> {
    let chars = text.chars().count();
    if chars > NOTE_CHARS_MAX {
        let rule = format!("has {chars} characters, the limit is {NOTE_CHARS_MAX}; shorten it");
        return Err(field.bad_format(&rule));
    }
    if let Some(at) = text.chars().position(char::is_control) {
        let position = at + 1;
        let text = format!(
            "note has a control character (at character {position}); write it as one line of text"
        );
        return Err(Problem::new(Code::ControlCharacter, text));
    }
    Ok(text.to_owned())
}
