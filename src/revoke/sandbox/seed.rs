//! Making users and sessions: so many, or under ids of one's own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ids::{self, Kind},
    world::World,
};

/// Users and sessions to make; the body of `POST /sandbox/seed`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// How many users to make.
    pub users: u32,
    /// Users to make under ids of your own; one that exists gets further sessions.
    pub user_ids: Vec<String>,
    /// Sessions to make for each of these users; 1 if not given.
    pub sessions_per_user: Option<u32>,
    /// Sessions to make besides; they belong to one user made for them.
    pub sessions: u32,
    /// Sessions to make under ids of your own, of that same user; one that exists stays as it is.
    pub session_ids: Vec<String>,
    /// Session tokens, each with the id of its session, which is made if it does not exist.
    pub tokens: BTreeMap<String, String>,
    /// When the sessions started; now if not given.
    pub started_at: Option<Timestamp>,
}

/// What was made.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seeded {
    /// The users with `sessions_per_user` sessions each: those of `user_ids`, then those of `users`.
    pub user_ids: Vec<String>,
    /// Their sessions, user by user; then those of `sessions`, `session_ids` and `tokens`.
    pub session_ids: Vec<String>,
}

/// Why nothing was made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// Over two million users, sessions or tokens.
    #[error(
        "too many users, sessions or tokens; the sandbox holds at most {} of each",
        World::SESSIONS_MAX
    )]
    TooMany,
    /// One of `user_ids`.
    #[error(
        "user_ids holds something else than user-test-<uuid> (user-live-<uuid> for a live project)"
    )]
    NotAUserId,
    /// One of `session_ids`, or a value in `tokens`.
    #[error(
        "session_ids or tokens name something else than session-test-<uuid> (session-live-<uuid> for a live project)"
    )]
    NotASessionId,
}

impl World {
    /// Makes users and sessions, all or nothing.
    ///
    /// # Errors
    /// When an id is none, or the world would grow over its limit.
    pub(super) fn seed(&mut self, seed: &Seed, now: Timestamp) -> Result<Seeded, SeedError> {
        let user_ids = self
            .parse_all(Kind::User, &seed.user_ids)
            .ok_or(SeedError::NotAUserId)?;
        let session_ids = self
            .parse_all(Kind::Session, &seed.session_ids)
            .ok_or(SeedError::NotASessionId)?;
        let of_tokens = self
            .parse_all(Kind::Session, seed.tokens.values())
            .ok_or(SeedError::NotASessionId)?;
        let per_user = seed.sessions_per_user.unwrap_or(1) as usize;
        let users = user_ids.len() + seed.users as usize;
        let lone = session_ids.len() + of_tokens.len() + seed.sessions as usize;
        let sessions = users.saturating_mul(per_user).saturating_add(lone);
        // One more user owns the sessions that are of none of these.
        if sessions.max(users + 1) > self.room() {
            return Err(SeedError::TooMany);
        }

        let started_at = seed.started_at.unwrap_or(now);
        let mut made = Seeded::default();
        for i in 0..users {
            let id = user_ids
                .get(i)
                .copied()
                .unwrap_or_else(|| ids::random(&mut self.rng));
            let user = self.user(id);
            made.user_ids
                .push(ids::format(Kind::User, self.environment, id));
            for _ in 0..per_user {
                self.random_session(user, started_at, &mut made);
            }
        }
        if lone > 0 {
            let owner = ids::random(&mut self.rng);
            let owner = self.user(owner);
            for _ in 0..seed.sessions {
                self.random_session(owner, started_at, &mut made);
            }
            for id in session_ids {
                self.named_session(id, owner, started_at, &mut made);
            }
            for (token, id) in seed.tokens.keys().zip(of_tokens) {
                let at = self.named_session(id, owner, started_at, &mut made);
                self.add_token(token, at);
            }
        }
        Ok(made)
    }

    fn parse_all<'a>(
        &self,
        kind: Kind,
        texts: impl IntoIterator<Item = &'a String>,
    ) -> Option<Vec<Uuid>> {
        texts
            .into_iter()
            .map(|text| ids::parse(kind, self.environment, text))
            .collect()
    }

    fn random_session(&mut self, user: usize, started_at: Timestamp, made: &mut Seeded) {
        let id = ids::random(&mut self.rng);
        self.named_session(id, user, started_at, made);
    }

    fn named_session(
        &mut self,
        id: Uuid,
        user: usize,
        started_at: Timestamp,
        made: &mut Seeded,
    ) -> usize {
        made.session_ids
            .push(ids::format(Kind::Session, self.environment, id));
        self.session(id, user, started_at)
    }
}
