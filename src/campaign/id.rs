//! The identity of a campaign's event: it follows from campaign, part and target, so that publishing a
//! list again names the same events, and an outcome can be checked against what it claims to be about.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use crate::closed_set;

/// What stands between the parts of what is hashed; no campaign, kind or target has it.
const SEPARATOR: u8 = 0x1f;
/// Begins everything that is hashed here: a hash of another thing is never one of these.
const DOMAIN: &[u8] = b"revoker campaign event v1";
/// Bytes of a hash: among a thousand million targets the odds of two alike are one in 10^20.
const BYTES: usize = 16;

closed_set! {
    /// What a campaign's targets are; the word is the outcome's `target_kind`.
    Kind {
        /// Users: all their sessions up to the cutoff.
        User => "user",
        /// Sessions, by their ids.
        Session => "session",
    }
}

impl Kind {
    /// The event's field that names the target.
    pub const fn field(self) -> &'static str {
        match self {
            Self::User => "user_id",
            Self::Session => "session_id",
        }
    }

    /// The kind of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// One target of one campaign, in 128 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventHash([u8; BYTES]);

impl EventHash {
    /// The hash of a target.
    pub fn new(campaign_id: &str, kind: Kind, target: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [
            DOMAIN,
            campaign_id.as_bytes(),
            kind.as_str().as_bytes(),
            target.as_bytes(),
        ] {
            hash.update(part);
            hash.update([SEPARATOR]);
        }
        let mut bytes = [0; BYTES];
        bytes.copy_from_slice(&hash.finalize()[..BYTES]);
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Takes another into a sum that does not depend on any order, and out again.
    pub fn xor(&mut self, other: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine ^= theirs;
        }
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 2 * BYTES || !text.bytes().all(is_hex) {
            return None;
        }
        u128::from_str_radix(text, 16)
            .ok()
            .map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for EventHash {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The event's id: `<campaign>:<part>:<hash>`, so that it tells whose it is wherever it is met.
pub fn event_id(campaign_id: &str, part: u32, hash: EventHash) -> String {
    format!("{campaign_id}:{part}:{hash}")
}

/// The part and the hash of an event id of this campaign; `None` for any other text.
pub fn read_event_id(campaign_id: &str, event_id: &str) -> Option<(u32, EventHash)> {
    let rest = event_id.strip_prefix(campaign_id)?.strip_prefix(':')?;
    let (part, hash) = rest.split_once(':')?;
    let number: u32 = part.parse().ok()?;
    // As we write it: no sign, no leading zero.
    (number.to_string() == part).then_some((number, EventHash::parse(hash)?))
}

/// The digest of a set of targets: SHA-256 over the sorted hashes, as 64 hexadecimal digits. The order
/// and the form of the list make no difference.
///
/// `sorted` must be sorted and without duplicates.
pub fn digest(kind: Kind, sorted: &[EventHash]) -> String {
    let mut digest = Sha256::new();
    digest.update(kind.as_str().as_bytes());
    for hash in sorted {
        digest.update(hash.0);
    }
    hex(&digest.finalize())
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
