//! Why an event ended in the dead-letter queue: a closed set, used as header, metric label and log field.

use crate::{event, revoke::outcome::ApiCode};

/// Why an event was dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The event breaks the contract.
    Rejected(event::Code),
    /// Stytch refuses the request for good.
    Api(ApiCode),
    /// Every attempt and every delay is used up.
    AttemptsExhausted,
    /// The worker panicked over this message.
    InternalError,
    /// Handled alone, again and again, it ended the worker each time.
    DeliveryLimit,
    /// The publisher set an `expiration` and the broker dead-lettered the message unprocessed.
    Expired,
    /// A sealed retry whose key is not in the key ring.
    SealKeyUnknown,
    /// A user still has sessions older than the cutoff after every round.
    UserSessionsRemain,
}

impl Code {
    /// The word used in headers, labels and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected(code) => code.as_str(),
            Self::Api(code) => code.as_str(),
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::InternalError => "internal_error",
            Self::DeliveryLimit => "delivery_limit",
            Self::Expired => "expired",
            Self::SealKeyUnknown => "seal_key_unknown",
            Self::UserSessionsRemain => "user_sessions_remain",
        }
    }

    /// What is wrong and what to do, for a dead letter that has no text of its own.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Rejected(_) => {
                "the event breaks the contract; mend its publisher and publish it again"
            }
            Self::Api(_) => {
                "Stytch refuses this request for good; look revoker-error-type up in Stytch's documents, and give revoker-request-id to its support"
            }
            Self::AttemptsExhausted => {
                "every attempt and every delay is used up; revoker-error-type and revoker-request-id tell of the last answer; replay it when that is mended"
            }
            Self::InternalError => {
                "the worker failed over this event; report it with the log of that time"
            }
            Self::DeliveryLimit => {
                "whenever it was handled, with no other event of its lane beside it, the worker ended; find out why, from its last log line, before it is replayed"
            }
            Self::Expired => {
                "the broker dead-lettered it unprocessed; publish without an expiration"
            }
            Self::SealKeyUnknown => {
                "the key that sealed it is not in the key ring; put the key back and replay it"
            }
            Self::UserSessionsRemain => {
                "sessions at or before the cutoff are still listed after every round; replay it, or end them in Stytch's dashboard"
            }
        }
    }

    /// What is wrong, in its own words where the [`explanation`](Self::explanation) is for many.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Rejected(code) => code.meaning(),
            Self::Api(code) => code.meaning(),
            own => own.halves().0,
        }
    }

    /// What to do about such a dead letter.
    pub fn remedy(self) -> &'static str {
        self.halves().1
    }

    fn halves(self) -> (&'static str, &'static str) {
        let halves = self.explanation().split_once("; ");
        halves.expect("an explanation is what is wrong; what to do")
    }

    /// The code of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::all().find(|code| code.as_str() == word)
    }

    /// Whether an event that ended so ends so again, however often and whenever it is replayed: its body
    /// stays as it is, and so does the contract. Not the way that it came by: a replay takes the lane's own.
    pub const fn comes_back(self) -> bool {
        use event::Code::{LaneMismatch, TimeInFuture};
        matches!(self, Self::Rejected(code) if !matches!(code, TimeInFuture | LaneMismatch))
    }

    /// The complete closed set.
    pub fn all() -> impl Iterator<Item = Self> {
        let own = [
            Self::AttemptsExhausted,
            Self::InternalError,
            Self::DeliveryLimit,
            Self::Expired,
            Self::SealKeyUnknown,
            Self::UserSessionsRemain,
        ];
        event::Code::ALL
            .iter()
            .map(|c| Self::Rejected(*c))
            .chain(ApiCode::ALL.iter().map(|c| Self::Api(*c)))
            .chain(own)
    }
}
