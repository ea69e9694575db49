//! "Log out everywhere" for one user: list, revoke each, list again until nothing older is left.
//!
//! Pure: says which call comes next and takes in what came back; the worker sends. There is no
//! revoke-by-user on Stytch's consumer API, and a session may be opened or found late while we
//! work, so only a list without an old session is the end.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Call, Session};

/// Rounds that revoked nothing and still found old sessions, after which the event is retried later.
pub const IDLE_ROUNDS_MAX: u32 = 5;

/// What to do next for the user.
#[derive(Debug)]
pub enum Step {
    /// Send this call.
    Call(Call),
    /// No session at or before the cutoff is left.
    Done,
    /// Old sessions stay although revoking them is answered well.
    Remain,
}

/// The work for one user.
#[derive(Debug)]
pub struct Fanout {
    user_id: String,
    cutoff: Timestamp,
    keep_session_id: Option<String>,
    pending: Vec<String>,
    listed: bool,
    /// Sessions whose revoking was answered well: one that is listed again all the same is no progress.
    answered: HashSet<String>,
    rounds: u32,
    revoked_in_round: u32,
    idle_rounds: u32,
    /// How many sessions were revoked.
    pub revoked: u32,
    /// How many old sessions of the last list are not settled yet.
    pub left: u32,
    /// How many sessions of the last list are newer than the cutoff and stay alive.
    pub newer: u32,
    /// When the newest of those was started.
    pub newest_started_at: Option<Timestamp>,
}

impl Fanout {
    /// Starts with a list.
    pub fn new(user_id: String, cutoff: Timestamp, keep_session_id: Option<String>) -> Self {
        Self {
            user_id,
            cutoff,
            keep_session_id,
            pending: Vec::new(),
            listed: false,
            answered: HashSet::new(),
            rounds: 0,
            revoked_in_round: 0,
            idle_rounds: 0,
            revoked: 0,
            left: 0,
            newer: 0,
            newest_started_at: None,
        }
    }

    /// What comes next; the same again until an answer is handed in.
    pub fn step(&self) -> Step {
        if let Some(session_id) = self.pending.last() {
            return Step::Call(Call::RevokeSession(session_id.clone()));
        }
        match self.listed {
            true if self.idle_rounds >= IDLE_ROUNDS_MAX => Step::Remain,
            true => Step::Done,
            false => Step::Call(Call::ListSessions(self.user_id.clone())),
        }
    }

    /// A list came back.
    pub fn listed(&mut self, sessions: Vec<Session>) {
        let (old, newer): (Vec<_>, Vec<_>) = sessions
            .into_iter()
            .filter(|s| Some(&s.session_id) != self.keep_session_id.as_ref())
            .partition(|s| s.started_at <= self.cutoff);
        self.newer = u32::try_from(newer.len()).unwrap_or(u32::MAX);
        self.left = u32::try_from(old.len()).unwrap_or(u32::MAX);
        self.newest_started_at = newer.iter().map(|s| s.started_at).max();
        self.listed = true;
        if old.is_empty() {
            self.idle_rounds = 0;
            return;
        }
        if self.rounds > 0 && self.revoked_in_round == 0 {
            self.idle_rounds += 1;
        }
        self.rounds = self.rounds.saturating_add(1);
        self.revoked_in_round = 0;
        if self.idle_rounds < IDLE_ROUNDS_MAX {
            self.pending = old.into_iter().map(|s| s.session_id).collect();
        }
    }

    /// The user is unknown to Stytch: nothing can be left.
    pub fn user_unknown(&mut self) {
        self.listed = true;
        self.left = 0;
    }

    /// The pending session is settled: revoked by us, or gone already.
    pub fn settled(&mut self, by_us: bool) {
        let settled = self.pending.pop();
        self.left = self.left.saturating_sub(1);
        if by_us && settled.is_some_and(|session_id| self.answered.insert(session_id)) {
            self.revoked += 1;
            self.revoked_in_round += 1;
        }
        if self.pending.is_empty() {
            self.listed = false;
        }
    }
}
