//! Key rings, sealed dead letters, and the search for what must not come out.

use std::{collections::HashSet, os::unix::fs::PermissionsExt, path::PathBuf};

use revoker::settle::seal::{self, KeyRing, new_key_line};

use super::{World, read::DeadLetter, worker::Worker};

/// How much of a secret may not be seen in a row, in bytes.
const PIECE_BYTES: usize = 8;

/// No piece of `secret` is in `seen`, which is called `place` if there is one.
///
/// # Panics
/// When there is.
pub(crate) fn assert_withheld(place: &str, seen: impl AsRef<[u8]>, secret: &str) {
    let seen = seen.as_ref();
    // One pass over what may be a long log, and cheap for all that does not begin as a piece does.
    let pieces: HashSet<_> = secret.as_bytes().windows(PIECE_BYTES).collect();
    let mut begins = [false; 256];
    for piece in &pieces {
        begins[usize::from(piece[0])] = true;
    }
    let last = seen.len().saturating_sub(PIECE_BYTES - 1);
    for (at, byte) in seen[..last].iter().enumerate() {
        if begins[usize::from(*byte)] && pieces.contains(&seen[at..at + PIECE_BYTES]) {
            let around = &seen[at.saturating_sub(100)..seen.len().min(at + 100)];
            let around = String::from_utf8_lossy(around);
            panic!("{place} shows a secret: …{around}…");
        }
    }
}

impl Worker {
    /// Neither its log nor its metrics show a piece of the secret.
    pub(crate) async fn assert_withholds(&self, secret: &str) {
        assert_withheld("the log", self.process.log(), secret);
        assert_withheld("the metrics", self.metrics().await.text, secret);
    }
}

impl World {
    /// A key ring file with one fresh key, and the ring itself.
    pub(crate) fn key_ring(&self) -> (PathBuf, KeyRing) {
        let (path, line) = (self.file("seal.keys"), new_key_line());
        std::fs::write(&path, line.as_str()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        (path, KeyRing::parse(&line).unwrap())
    }
}

impl DeadLetter {
    /// Whether its body is sealed.
    pub(crate) fn is_sealed(&self) -> bool {
        let content_type = self.properties.content_type().as_ref();
        content_type.is_some_and(|found| found.as_str() == seal::CONTENT_TYPE)
    }

    /// What its publisher had sent.
    ///
    /// # Panics
    /// When it is not sealed with a key of the ring.
    pub(crate) fn opened(&self, ring: &KeyRing) -> (revoker::event::Properties, Vec<u8>) {
        assert!(self.is_sealed(), "a dead letter is not sealed: {self:?}");
        let opened = ring.open(self.ours("queue"), self.ours("event-id"), &self.body);
        let (properties, body) = opened.expect("the key ring opens it");
        (properties, body.to_vec())
    }

    /// Nothing that somebody without the key can read of it shows a piece of the secret.
    pub(crate) fn assert_withholds(&self, secret: &str) {
        let properties = format!("{:?} {:?}", self.properties, self.headers);
        assert_withheld("a dead letter's properties", properties, secret);
        assert_withheld("a dead letter's body", &self.body, secret);
    }
}
