//! Error types that this version does not know: each is counted, and named once in the log.
//!
//! What such an answer means is decided by its HTTP status, as `revoke::rules` says; here somebody is told
//! that there is a new word. Bounded, since whoever answers in Stytch's place may make up any number of
//! them, and only plain words come here (see `revoke::wire`).

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::Worker;
use crate::revoke::{Reply, rules};

/// How many words are named in a process's life; what comes after is counted only.
const NAMED_MAX: usize = 50;

/// The words that were named.
#[derive(Debug, Default)]
pub(super) struct Strange(Mutex<BTreeSet<String>>);

impl Strange {
    /// Whether the word is to be named now.
    fn is_new(&self, word: &str) -> bool {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        named.len() < NAMED_MAX && !named.contains(word) && named.insert(word.to_owned())
    }
}

impl<A> Worker<A> {
    /// Takes in an answer, of whichever call.
    pub(super) fn record_strange(&self, reply: &Reply) {
        let Some(word) = reply.error_type.as_deref() else {
            return;
        };
        if rules::is_known(word) {
            return;
        }
        self.metrics.unknown_error_type();
        if self.heard.strange().is_new(word) {
            tracing::warn!(
                error_type = word,
                http.status = reply.status,
                result = reply.class.result().as_str(),
                request_id = reply.request_id.as_deref(),
                next = "its HTTP status decides; see whether there is a newer version",
                "Stytch answered with an error type that this version does not know"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_named_once_and_not_without_end() {
        let strange = Strange::default();
        assert!(strange.is_new("one"));
        assert!(!strange.is_new("one"));
        let words = (0..1_000).map(|n| format!("word_{n}"));
        let named = words.filter(|word| strange.is_new(word)).count();
        assert_eq!(named, NAMED_MAX - 1);
        assert!(!strange.is_new("one"));
    }
}
