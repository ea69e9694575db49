//! Sealing: a body that holds (or may hold) a credential is stored encrypted, in retries and dead letters.
//!
//! Not a vault: whoever has the key ring opens every sealed body. It keeps credentials out of queues,
//! backups and screens of people who may look at the broker but not at the key. The associated data
//! ties a sealed body to its queue and its event, so that nobody can move one under another name.
//!
//! # The format, version 1
//!
//! Another tool with the key can open it by this description alone:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 1 | version, `0x01` |
//! | 1 | 8 | key id: the first 8 bytes of SHA-256 over `revoker-key-id-v1`, `0x00` and the 32 bytes of the key |
//! | 9 | 24 | nonce, random |
//! | 33 | n + 16 | XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) of the plaintext, the tag at the end |
//!
//! - Key: the 32 bytes of the key ring's line, as they are (see [`KeyRing`]).
//! - Associated data: the version byte, the name of the queue, `0x00`, the event's id (empty when none
//!   could be read), in UTF-8.
//! - Plaintext: one line of JSON with the publisher's properties, `\n`, then the original body, byte by
//!   byte. The JSON's members, each left out when not set: `content_type`, `content_encoding`,
//!   `message_id`, `correlation_id`, `type`, `app_id` (strings), `timestamp` (seconds since the epoch),
//!   `headers` (an array of `[name, {kind: value}]`; kind is `text`, `int`, `float` (in decimal, as a
//!   string), `bool`, `timestamp` or `bytes` (base64)), `headers_dropped` (a number).

mod keyring;
mod plaintext;

use bytes::Bytes;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::ExposeSecret;

use crate::event::message::Properties;
pub use keyring::{KEYS_MAX, KeyRing, KeyRingError, new_key_line};

/// The content type of a sealed body.
pub const CONTENT_TYPE: &str = "application/vnd.revoker.sealed";

/// The format that [`KeyRing::seal`] writes.
const VERSION: u8 = 1;
/// Length of a key id, bytes.
const KEY_ID_LEN: usize = 8;
/// Length of an XChaCha20 nonce, bytes.
const NONCE_LEN: usize = 24;
/// Where the ciphertext starts, bytes.
const HEADER_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;
/// Length of a Poly1305 tag, bytes.
const TAG_LEN: usize = 16;

/// Why a sealed body cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The version byte is not one we know.
    #[error("the sealed body has {} format version; {}", if *newer { "a newer" } else { "an unknown" },
        if *newer { "upgrade this worker" } else { "it was not written by revoker" })]
    UnknownVersion {
        /// Written by a newer worker: it may be opened after the upgrade, so it must not be given up.
        newer: bool,
    },
    /// No key of the ring has this id.
    #[error(
        "the sealed body's key is not in the key ring; put the old key back, at the end of the file"
    )]
    UnknownKey,
    /// The body was changed, or belongs to another queue or event.
    #[error("the sealed body is damaged, or belongs to another queue or event")]
    Corrupt,
    /// Shorter than the header and the tag.
    #[error("the sealed body is cut short")]
    TooShort,
}

impl KeyRing {
    /// Seals a body and its properties with the ring's first key, for this queue and event only.
    ///
    /// `event_id` is empty when the body could not be parsed.
    ///
    /// # Panics
    /// If the operating system gives no random bytes: a repeated nonce would give the key stream away.
    pub fn seal(&self, queue: &str, event_id: &str, kept: &Properties, body: &[u8]) -> Vec<u8> {
        let key = self.first();
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let plaintext = plaintext::join(kept, body);
        let payload = Payload {
            msg: &plaintext,
            aad: &associated_data(queue, event_id),
        };
        let ciphertext = XChaCha20Poly1305::new(key.bytes.expose_secret().into())
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a message is far shorter than the cipher's 256 GiB");
        [&[VERSION][..], &key.id, &nonce, &ciphertext].concat()
    }

    /// Opens what [`KeyRing::seal`] sealed, with whichever key of the ring it names.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing of the content is ever shown.
    pub fn open(
        &self,
        queue: &str,
        event_id: &str,
        sealed: &[u8],
    ) -> Result<(Properties, Bytes), OpenError> {
        let Parts {
            key_id,
            nonce,
            ciphertext,
        } = parts(sealed)?;
        let key = self.by_id(key_id).ok_or(OpenError::UnknownKey)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError::TooShort)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &associated_data(queue, event_id),
        };
        let plaintext = XChaCha20Poly1305::new(key.bytes.expose_secret().into())
            .decrypt(&nonce, payload)
            .map_err(|_| OpenError::Corrupt)?;
        plaintext::split(plaintext.into()).ok_or(OpenError::Corrupt)
    }
}

/// Whether a sealed body is of our form and its key is in the ring, if there is one. Nothing is opened:
/// that a body was changed shows only when it is.
///
/// # Errors
/// See [`OpenError`].
pub fn look(sealed: &[u8], ring: Option<&KeyRing>) -> Result<(), OpenError> {
    let parts = parts(sealed)?;
    match ring {
        Some(ring) if ring.by_id(parts.key_id).is_none() => Err(OpenError::UnknownKey),
        _ => Ok(()),
    }
}

/// What a sealed body is made of; the tag is at the end of the ciphertext.
struct Parts<'a> {
    key_id: &'a [u8],
    nonce: &'a [u8],
    ciphertext: &'a [u8],
}

fn parts(sealed: &[u8]) -> Result<Parts<'_>, OpenError> {
    match sealed.first() {
        None => return Err(OpenError::TooShort),
        Some(&VERSION) => {}
        Some(&other) => {
            return Err(OpenError::UnknownVersion {
                newer: other > VERSION,
            });
        }
    }
    if sealed.len() < HEADER_LEN + TAG_LEN {
        return Err(OpenError::TooShort);
    }
    let (header, ciphertext) = sealed.split_at(HEADER_LEN);
    let (key_id, nonce) = header[1..].split_at(KEY_ID_LEN);
    Ok(Parts {
        key_id,
        nonce,
        ciphertext,
    })
}

/// What a sealed body is tied to. A queue name cannot hold `0x00`, so no two pairs look the same.
fn associated_data(queue: &str, event_id: &str) -> Vec<u8> {
    [&[VERSION][..], queue.as_bytes(), &[0], event_id.as_bytes()].concat()
}
