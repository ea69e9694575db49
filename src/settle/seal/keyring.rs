//! The key ring: which key seals, which keys open, and the HMAC shown in place of a credential.
//!
//! One key a line, `revoker-key-v1:` and 43 characters of base64url (32 bytes, no padding); empty lines
//! and lines that start with `#` are skipped. The first key seals, all open: a new key goes in front.
//! The HMAC key comes from the *last* line, so that such a rotation does not change how a credential
//! is named in outcomes and logs.
//!
//! Derived keys are HKDF-SHA256 (RFC 5869): the HMAC key of the last key without a salt, info
//! `revoker-hmac-v1`; the only key of a test project without a file, of the API secret with the project
//! id as salt, info `revoker-seal-v1`.
//!
//! Not here: who may read the file (`config` checks that) and writing it (`revoker keygen`).

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString, zeroize::Zeroizing};
use sha2::{Digest, Sha256};

use super::KEY_ID_LEN;

/// What every key line starts with.
const LINE_PREFIX: &str = "revoker-key-v1:";
/// Length of a key, bytes.
const KEY_LEN: usize = 32;
/// How many keys a ring holds at most.
pub const KEYS_MAX: usize = 64;
/// Length of a shown HMAC, bytes: too long to collide, too short to be taken for a credential.
const HMAC_LEN: usize = 16;

/// One key and the name under which sealed bodies refer to it.
pub(super) struct Key {
    pub(super) id: [u8; KEY_ID_LEN],
    pub(super) bytes: SecretBox<[u8; KEY_LEN]>,
}

impl Key {
    fn new(bytes: Box<[u8; KEY_LEN]>) -> Self {
        let digest = Sha256::new()
            .chain_update(b"revoker-key-id-v1\0")
            .chain_update(bytes.as_slice())
            .finalize();
        let mut id = [0; KEY_ID_LEN];
        id.copy_from_slice(&digest[..KEY_ID_LEN]);
        Self {
            id,
            bytes: SecretBox::new(bytes),
        }
    }
}

/// The keys, never empty: the first seals, all open. Keys are wiped from memory on drop.
pub struct KeyRing {
    keys: Vec<Key>,
    hmac_key: SecretBox<[u8; KEY_LEN]>,
}

impl fmt::Debug for KeyRing {
    /// How many keys, never which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

/// What is wrong with a key ring file. Names the line, never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// The line is neither a key nor a comment.
    #[error(
        "line {line} is not a key; a key line is {LINE_PREFIX} and 43 characters, written by revoker keygen"
    )]
    NotAKey {
        /// Counted from 1.
        line: usize,
    },
    /// No key at all.
    #[error("holds no key; write one with revoker keygen")]
    Empty,
    /// More than [`KEYS_MAX`].
    #[error("holds more than {KEYS_MAX} keys; remove those that no stored message needs")]
    TooMany,
}

impl KeyRing {
    /// Reads the text of a key ring file.
    ///
    /// # Errors
    /// See [`KeyRingError`].
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut keys = Vec::new();
        for (number, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if keys.len() == KEYS_MAX {
                return Err(KeyRingError::TooMany);
            }
            keys.push(parse_line(line).ok_or(KeyRingError::NotAKey { line: number + 1 })?);
        }
        Self::new(keys).ok_or(KeyRingError::Empty)
    }

    /// A ring of one key derived from the API secret: for test projects without a key ring file.
    ///
    /// Never for a live project: the API secret is rotated first after an incident, and with it
    /// everything sealed would become unreadable.
    pub fn from_api_secret(project_id: &str, secret: &SecretString) -> Self {
        let key = derive(
            project_id.as_bytes(),
            secret.expose_secret().as_bytes(),
            b"revoker-seal-v1",
        );
        Self {
            hmac_key: hmac_key(&key),
            keys: vec![Key::new(key)],
        }
    }

    /// A name for a credential that gives nothing away: `hmac:` and 32 hex digits, stable as long as
    /// the ring's last key is.
    pub fn hmac(&self, credential: &SecretString) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.hmac_key.expose_secret())
            .expect("HMAC takes a key of any length");
        mac.update(credential.expose_secret().as_bytes());
        let digest = mac.finalize().into_bytes();
        digest[..HMAC_LEN]
            .iter()
            .fold("hmac:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    fn new(keys: Vec<Key>) -> Option<Self> {
        let hmac_key = hmac_key(keys.last()?.bytes.expose_secret());
        Some(Self { keys, hmac_key })
    }

    pub(super) fn first(&self) -> &Key {
        self.keys.first().expect("a key ring is never empty")
    }

    pub(super) fn by_id(&self, id: &[u8]) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// A fresh key as a line of a key ring file, without the line's end.
///
/// # Panics
/// If the operating system gives no random bytes.
pub fn new_key_line() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    getrandom::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
    let encoded = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()));
    Zeroizing::new(format!("{LINE_PREFIX}{}", encoded.as_str()))
}

fn parse_line(line: &str) -> Option<Key> {
    let encoded = line.strip_prefix(LINE_PREFIX)?;
    let decoded = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?);
    let mut bytes = Box::new([0; KEY_LEN]);
    if decoded.len() != KEY_LEN {
        return None;
    }
    bytes.copy_from_slice(&decoded);
    Some(Key::new(bytes))
}

/// Its own key for its own purpose: a shown HMAC must say nothing about the key that seals.
fn hmac_key(key: &[u8; KEY_LEN]) -> SecretBox<[u8; KEY_LEN]> {
    SecretBox::new(derive(b"", key, b"revoker-hmac-v1"))
}

/// HKDF-SHA256 (RFC 5869).
fn derive(salt: &[u8], ikm: &[u8], info: &[u8]) -> Box<[u8; KEY_LEN]> {
    let mut key = Box::new([0; KEY_LEN]);
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(info, key.as_mut_slice())
        .expect("32 bytes are less than HKDF's limit of 8160");
    key
}
