//! The users and sessions of the pretend API, in memory.
//!
//! Pure: times come in, ids come from a seed. Nothing is ever forgotten, so that a test can ask what
//! became of each session; [`World::SESSIONS_MAX`] bounds the memory. Sessions do not expire by
//! themselves.

use std::collections::HashMap;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::ids::{self, Kind};
use crate::event::Environment;

/// How long a session is said to last: the API's longest, 366 days.
const SESSION_DURATION: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A session, live or revoked.
#[derive(Debug)]
pub(super) struct Session {
    id: Uuid,
    user: usize,
    started_at: Timestamp,
    revoked_at_ms: Option<i64>,
    /// How many revoke calls that named it passed the rate limit.
    calls: u32,
}

/// A user and the sessions it ever had, as places in the list of all.
#[derive(Debug)]
struct User {
    id: Uuid,
    sessions: Vec<usize>,
    calls: u32,
}

/// All users and sessions.
#[derive(Debug)]
pub(super) struct World {
    pub(super) environment: Environment,
    pub(super) rng: Rng,
    users: Vec<User>,
    sessions: Vec<Session>,
    user_by_id: HashMap<Uuid, usize>,
    session_by_id: HashMap<Uuid, usize>,
    session_by_token: HashMap<String, usize>,
    live: usize,
}

/// A session's place in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionAt(usize);

/// A user's place in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UserAt(usize);

impl UserAt {
    /// A number that stands for the user.
    pub(super) const fn number(self) -> usize {
        self.0
    }
}

impl World {
    /// Sessions, and users, and tokens, that the world holds at most.
    pub(super) const SESSIONS_MAX: usize = 2_000_000;

    /// An empty world; the same seed makes the same ids in the same order.
    pub(super) fn new(environment: Environment, seed: u64) -> Self {
        Self {
            environment,
            rng: Rng::with_seed(seed),
            users: Vec::new(),
            sessions: Vec::new(),
            user_by_id: HashMap::new(),
            session_by_id: HashMap::new(),
            session_by_token: HashMap::new(),
            live: 0,
        }
    }

    /// The user of this id, made if there is none.
    pub(super) fn user(&mut self, id: Uuid) -> usize {
        *self.user_by_id.entry(id).or_insert_with(|| {
            self.users.push(User {
                id,
                sessions: Vec::new(),
                calls: 0,
            });
            self.users.len() - 1
        })
    }

    /// The session of this id, made if there is none.
    pub(super) fn session(&mut self, id: Uuid, user: usize, started_at: Timestamp) -> usize {
        *self.session_by_id.entry(id).or_insert_with(|| {
            self.sessions.push(Session {
                id,
                user,
                started_at,
                revoked_at_ms: None,
                calls: 0,
            });
            let at = self.sessions.len() - 1;
            self.users[user].sessions.push(at);
            self.live += 1;
            at
        })
    }

    /// The session of this id.
    pub(super) fn by_session_id(&self, id: Uuid) -> Option<SessionAt> {
        self.session_by_id.get(&id).copied().map(SessionAt)
    }

    /// Gives a session a token; the last of several sessions has it.
    pub(super) fn add_token(&mut self, token: &str, session: usize) {
        self.session_by_token.insert(token.to_owned(), session);
    }

    /// How many more users, sessions or tokens fit in.
    pub(super) fn room(&self) -> usize {
        let fullest = self.users.len().max(self.sessions.len());
        Self::SESSIONS_MAX - fullest.max(self.session_by_token.len())
    }

    /// The session of this token.
    pub(super) fn by_token(&self, token: &str) -> Option<SessionAt> {
        self.session_by_token.get(token).copied().map(SessionAt)
    }

    /// The user of this id.
    pub(super) fn by_user_id(&self, id: Uuid) -> Option<UserAt> {
        self.user_by_id.get(&id).copied().map(UserAt)
    }

    /// Whose session it is.
    pub(super) fn owner(&self, SessionAt(at): SessionAt) -> UserAt {
        UserAt(self.sessions[at].user)
    }

    /// Notes that a call named this session; says how many did before.
    pub(super) fn name_session(&mut self, SessionAt(at): SessionAt) -> u32 {
        let calls = &mut self.sessions[at].calls;
        std::mem::replace(calls, calls.saturating_add(1))
    }

    /// Notes that a call named this user; says how many did before.
    pub(super) fn name_user(&mut self, UserAt(at): UserAt) -> u32 {
        let calls = &mut self.users[at].calls;
        std::mem::replace(calls, calls.saturating_add(1))
    }

    /// Ends a session; false if it had ended before.
    pub(super) fn revoke(&mut self, SessionAt(at): SessionAt, now: Timestamp) -> bool {
        let session = &mut self.sessions[at];
        let was_live = session.revoked_at_ms.is_none();
        if was_live {
            session.revoked_at_ms = Some(now.as_millisecond());
            self.live -= 1;
        }
        was_live
    }

    /// A user's live sessions, oldest first, as the API lists them: JSON objects with commas between.
    pub(super) fn list(&self, UserAt(at): UserAt) -> String {
        let sessions = self.users[at].sessions.iter().map(|at| &self.sessions[*at]);
        let live = sessions.filter(|session| session.revoked_at_ms.is_none());
        live.map(|session| self.api_json(session))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Users from place `from` on, in the order in which they were made, as the API has them; and how many
    /// there are in all.
    pub(super) fn page(&self, from: usize, limit: usize) -> (Vec<serde_json::Value>, usize) {
        let user = |user: &User| {
            let user_id = ids::format(Kind::User, self.environment, user.id);
            serde_json::json!({"user_id": user_id, "status": "active", "emails": [], "phone_numbers": []})
        };
        let page = self.users.iter().skip(from).take(limit);
        (page.map(user).collect(), self.users.len())
    }

    fn api_json(&self, session: &Session) -> String {
        let (id, user_id) = self.ids_of(session);
        let started_at = session.started_at;
        let expires_at = started_at
            .saturating_add(SESSION_DURATION)
            .unwrap_or(Timestamp::MAX);
        format!(
            r#"{{"session_id":"{id}","user_id":"{user_id}","started_at":"{started_at}","last_accessed_at":"{started_at}","expires_at":"{expires_at}","authentication_factors":[],"roles":[]}}"#
        )
    }

    fn ids_of(&self, session: &Session) -> (String, String) {
        let user = &self.users[session.user];
        (
            ids::format(Kind::Session, self.environment, session.id),
            ids::format(Kind::User, self.environment, user.id),
        )
    }

    /// A page of the ledger from place `from` on: one JSON object a line, for the sessions that are
    /// revoked (or live, or either); and the place of the next page. `None` past the end.
    pub(super) fn ledger(&self, from: usize, revoked: Option<bool>) -> Option<(String, usize)> {
        /// Sessions looked at for one page.
        const PAGE: usize = 1000;
        let page = self.sessions.get(from..)?;
        let page = page.get(..PAGE).unwrap_or(page);
        let mut lines = String::new();
        for session in page {
            if revoked.is_none_or(|revoked| session.revoked_at_ms.is_some() == revoked) {
                let (id, user_id) = self.ids_of(session);
                let at = session
                    .revoked_at_ms
                    .map_or_else(|| "null".to_owned(), |ms| ms.to_string());
                let calls = session.calls;
                lines += &format!(
                    "{{\"session_id\":\"{id}\",\"user_id\":\"{user_id}\",\"revoked_at_ms\":{at},\"revoke_calls\":{calls}}}\n"
                );
            }
        }
        (!page.is_empty()).then(|| (lines, from + page.len()))
    }

    /// How many sessions exist, revoked ones included, and how many of them are live.
    pub(super) const fn count(&self) -> (usize, usize) {
        (self.sessions.len(), self.live)
    }
}
