//! What came of one target: a line for people, an object for programs.
//!
//! Pure. "Stytch knows no such session" is never written as "logged out": the id may be wrong, and somebody
//! relies on it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    event::Target,
    settle::{outcome::Unknown, report::JWT_LIFETIME},
};

/// One target.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) target: Target,
    pub(super) state: State,
    /// Whether any of its calls did its work.
    pub(super) answered: bool,
    /// Whether it failed for as long as it may, not for good.
    pub(super) exhausted: bool,
    /// Whether a try that was not answered may have ended what is now unknown.
    pub(super) perhaps_by_us: bool,
    /// Sessions revoked.
    pub(super) sessions: u32,
    /// Sessions of a user that stay because they are newer.
    pub(super) newer: u32,
    pub(super) newest_started_at: Option<Timestamp>,
    /// Old sessions of a user's last list that are not ended yet; `None` before the first list.
    pub(super) left: Option<u32>,
    /// Of the last answer.
    pub(super) request_id: Option<String>,
    /// When the last of its sessions was revoked.
    pub(super) revoked_at: Option<Timestamp>,
}

/// How a target stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Not begun.
    NotTried,
    /// Begun; it stays so when the user interrupts.
    Begun,
    /// The session, or every old one of the user, is revoked.
    Revoked,
    /// The user is known and has no old session.
    NothingOld,
    /// Stytch does not know it.
    Unknown(Unknown),
    /// Given up, with why.
    Failed(String),
}

impl State {
    const fn word(&self) -> &'static str {
        match self {
            Self::NotTried => "not_tried",
            Self::Begun => "interrupted",
            Self::Revoked => "revoked",
            Self::NothingOld => "nothing_to_revoke",
            Self::Unknown(unknown) => unknown.as_str(),
            Self::Failed(_) => "failed",
        }
    }

    /// Whether nothing of the target can be left.
    pub(super) const fn is_end(&self) -> bool {
        matches!(self, Self::Revoked | Self::NothingOld | Self::Unknown(_))
    }
}

impl Line {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            state: State::NotTried,
            answered: false,
            exhausted: false,
            perhaps_by_us: false,
            sessions: 0,
            newer: 0,
            newest_started_at: None,
            left: None,
            request_id: None,
            revoked_at: None,
        }
    }

    pub(super) fn safe_at(&self) -> Option<Timestamp> {
        self.revoked_at?.checked_add(JWT_LIFETIME).ok()
    }

    pub(super) fn text(&self) -> String {
        let name = match &self.target {
            Target::Session(id) | Target::User { user_id: id, .. } => id,
            Target::Token(_) => "the token's session",
        };
        let said = self.said();
        match &self.request_id {
            Some(id) if !said.contains(id) => format!("{name}: {said}; {id}"),
            _ => format!("{name}: {said}"),
        }
    }

    fn said(&self) -> String {
        match (&self.state, &self.target) {
            (State::NotTried, _) => "not tried".to_owned(),
            (State::Begun, _) => format!("INTERRUPTED{}", self.so_far()),
            (State::Failed(text), _) => format!("FAILED{}: {text}", self.so_far()),
            (State::Revoked, Target::User { .. }) => {
                format!(
                    "{} revoked{}",
                    count(self.sessions.into(), "session"),
                    self.stay()
                )
            }
            (State::Revoked, _) => "revoked".to_owned(),
            (State::NothingOld, Target::User { cutoff, .. }) => {
                format!("no session that started until {cutoff}{}", self.stay())
            }
            (State::Unknown(_), Target::User { .. }) => {
                "Stytch knows no such user; check the id, and that it is this project's".to_owned()
            }
            _ if self.perhaps_by_us => {
                "Stytch knows no such session; an earlier try that failed may have ended it"
                    .to_owned()
            }
            _ => {
                "Stytch knows no such session; it has ended before, or the id is not this project's"
                    .to_owned()
            }
        }
    }

    /// What was done before it ended too soon.
    fn so_far(&self) -> String {
        let done = count(self.sessions.into(), "session");
        match (&self.target, self.left) {
            (Target::User { .. }, Some(left)) => {
                format!(" with {done} revoked and {left} known to be left")
            }
            (Target::User { .. }, None) => " before its sessions were listed".to_owned(),
            _ => String::new(),
        }
    }

    fn stay(&self) -> String {
        match (self.newer, self.newest_started_at) {
            (0, _) | (_, None) => String::new(),
            (newer, Some(at)) => {
                let newer = count(newer.into(), "newer session");
                format!(", {newer} left alive (the newest started {at})")
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        let (kind, id, cutoff) = match &self.target {
            Target::Session(id) => ("session", Some(id), None),
            Target::Token(_) => ("token", None, None),
            Target::User {
                user_id, cutoff, ..
            } => ("user", Some(user_id), Some(cutoff)),
        };
        let is_user = kind == "user";
        let error = match &self.state {
            State::Failed(text) => Some(text),
            _ => None,
        };
        json!({
            "target_kind": kind,
            "target": id,
            "result": self.state.word(),
            "sessions": self.sessions,
            "sessions_newer": is_user.then_some(self.newer),
            "sessions_left": self.left,
            "newest_started_at": self.newest_started_at,
            "cutoff": cutoff,
            "request_id": self.request_id,
            "revoked_at": self.revoked_at,
            "safe_at": self.safe_at(),
            "error": error,
        })
    }
}

/// `1 session`, `2 sessions`.
pub(super) fn count(n: u64, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}
