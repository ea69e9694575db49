//! Which calls are saved: the same target asked for twice needs one call.
//!
//! Pure: `now` comes in, waiters are any value. By target, never by event id: two events that name one
//! session are one piece of work, and one event that comes twice names the same target anyway.
//!
//! - *In flight* means on the wire, never waiting: an urgent event must not wait behind a bulk one that
//!   waits itself. Who wants the same call meanwhile shares the answer, good or bad.
//! - *Recent* means revoked by us a short while ago. Only success is remembered: a predecessor that failed
//!   never swallows a new request.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// How long a revocation is remembered.
pub const REMEMBERED: Duration = Duration::from_secs(600);
/// Revocations remembered of one such time; of more, the oldest are forgotten. As many as a map of
/// 32,768 places takes before it grows: about 4 MB for two times.
pub const REMEMBERED_MAX: usize = 28_000;
/// Events that share one call beside the one that makes it; further ones call for themselves.
pub const WAITING_MAX: usize = 16;

/// A target or an event, as a hash: 128 bits, because two targets under one key would be a session that
/// lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of a target. `name` is an id, or an HMAC in place of a credential.
    pub fn new(kind: &str, name: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(kind)
            .chain_update([0])
            .chain_update(name)
            .finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

/// What is known of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing: call.
    Nothing,
    /// A call for it is on the wire.
    InFlight,
    /// It was revoked a short while ago, for this event.
    Recent(Key),
}

/// Calls on the wire and revocations of late.
#[derive(Debug)]
pub struct Dedupe<W> {
    in_flight: HashMap<Key, Vec<W>>,
    /// This time's revocations and the last one's.
    recent: [HashMap<Key, Done>; 2],
    recent_since: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Done {
    at: Duration,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// A session, revoked for this event.
    Session(Key),
    /// A user's pass: sessions started at or before this are gone.
    User(Timestamp),
}

impl<W> Default for Dedupe<W> {
    fn default() -> Self {
        Self {
            in_flight: HashMap::new(),
            recent: Default::default(),
            recent_since: Duration::ZERO,
        }
    }
}

impl<W> Dedupe<W> {
    /// What is known of a session.
    pub fn session(&self, key: &Key, now: Duration) -> Known {
        match self.done(key, now) {
            Some(What::Session(event)) => Known::Recent(event),
            _ if self.in_flight.contains_key(key) => Known::InFlight,
            _ => Known::Nothing,
        }
    }

    /// Whether a pass over this user has ended of late that covers this cutoff.
    pub fn is_user_done(&self, key: &Key, cutoff: Timestamp, now: Duration) -> bool {
        matches!(self.done(key, now), Some(What::User(earlier)) if earlier >= cutoff)
    }

    /// Waits for the call on the wire.
    ///
    /// # Errors
    /// Gives the waiter back when no call is on the wire, or enough wait for it already.
    pub fn join(&mut self, key: &Key, waiter: W) -> Result<(), W> {
        match self.in_flight.get_mut(key) {
            Some(waiting) if waiting.len() < WAITING_MAX => {
                waiting.push(waiter);
                Ok(())
            }
            _ => Err(waiter),
        }
    }

    /// A call goes on the wire. False if there is one already, whose answer is then not this one's.
    pub fn take_off(&mut self, key: Key) -> bool {
        match self.in_flight.entry(key) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(Vec::new());
                true
            }
        }
    }

    /// The call has ended; who waited is told by the caller.
    pub fn land(&mut self, key: &Key) -> Vec<W> {
        self.in_flight.remove(key).unwrap_or_default()
    }

    /// A session was revoked for this event.
    pub fn revoked(&mut self, key: Key, event: Key, now: Duration) {
        self.remember(key, now, What::Session(event));
    }

    /// A pass over a user, which kept no session alive on purpose, has ended.
    pub fn user_done(&mut self, key: Key, cutoff: Timestamp, now: Duration) {
        if !self.is_user_done(&key, cutoff, now) {
            self.remember(key, now, What::User(cutoff));
        }
    }

    fn done(&self, key: &Key, now: Duration) -> Option<What> {
        let mut found = self.recent.iter().filter_map(|time| time.get(key));
        let fresh = |done: &&Done| now.saturating_sub(done.at) < REMEMBERED;
        found.find(fresh).map(|done| done.what)
    }

    fn remember(&mut self, key: Key, now: Duration, what: What) {
        let over = now.saturating_sub(self.recent_since) >= REMEMBERED;
        if over || self.recent[0].len() >= REMEMBERED_MAX {
            self.recent.swap(0, 1);
            self.recent[0].clear();
            self.recent_since = now;
        }
        self.recent[0].insert(key, Done { at: now, what });
    }
}
