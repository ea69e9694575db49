//! Which calls an event needs, and what their answers make of it.
//!
//! Pure: one call for a session, list and revoke rounds for a user.

use jiff::Timestamp;

use crate::{
    event::{Event, Request, Target},
    gate::{News, Reached, Way},
    revoke::{
        Call, CallKind, Class, Reply,
        fanout::{Fanout, Step},
        outcome::Failure,
    },
    settle::{outcome::Outcome, report::Facts},
};

/// The calls of one event.
#[derive(Debug)]
pub(super) enum Job {
    /// One session.
    One(Call),
    /// All old sessions of a user.
    User(Fanout),
}

impl Job {
    /// The job of an event, or its outcome when no call is needed.
    pub(super) fn of(event: &Event, now: Timestamp) -> Result<Self, Outcome> {
        match &event.request {
            Request::Verify => Err(Outcome::Verified),
            Request::Revoke(_) if is_obsolete(event, now) => Err(Outcome::Obsolete),
            Request::Revoke(Target::Session(id)) => Ok(Self::One(Call::RevokeSession(id.clone()))),
            Request::Revoke(Target::Token(token)) => {
                Ok(Self::One(Call::RevokeToken(token.clone())))
            }
            Request::Revoke(Target::User {
                user_id,
                cutoff,
                keep_session_id,
            }) => Ok(Self::User(Fanout::new(
                user_id.clone(),
                *cutoff,
                keep_session_id.clone(),
            ))),
        }
    }

    /// The next call.
    pub(super) fn step(&self) -> Step {
        match self {
            Self::One(call) => Step::Call(call.clone()),
            Self::User(fanout) => fanout.step(),
        }
    }

    /// Takes in the answer to a call that did its work. The outcome, if that was the last one.
    pub(super) fn answered(&mut self, call: CallKind, reply: Reply) -> Option<Outcome> {
        let revoked = reply.class == Class::Revoked;
        let Self::User(fanout) = self else {
            return Some(if revoked {
                Outcome::Revoked
            } else {
                Outcome::AlreadyGone
            });
        };
        match call {
            CallKind::List if revoked => fanout.listed(reply.sessions),
            CallKind::List => fanout.user_unknown(),
            CallKind::Revoke | CallKind::Probe => fanout.settled(revoked),
        }
        let done = matches!(fanout.step(), Step::Done);
        let outcome = if fanout.revoked > 0 {
            Outcome::Revoked
        } else {
            Outcome::AlreadyGone
        };
        done.then_some(outcome)
    }

    /// What a user's sessions came to.
    pub(super) fn tell(&self, facts: &mut Facts) {
        if let Self::User(fanout) = self {
            facts.sessions = Some(fanout.revoked);
            facts.sessions_newer = Some(fanout.newer);
            facts.newest_started_at = fanout.newest_started_at;
        }
    }
}

/// Whether the call would come too late to be of use.
pub(super) fn is_obsolete(event: &Event, now: Timestamp) -> bool {
    event.not_after.is_some_and(|at| at < now)
}

/// The way a call takes through the gate.
pub(super) fn way(call: &Call) -> Way {
    match call.kind() {
        CallKind::List => Way::List,
        CallKind::Revoke | CallKind::Probe => Way::Revoke,
    }
}

/// What the gate learns from an answer, whoever asked.
pub(super) fn news(reply: &Reply) -> News {
    match reply.class {
        Class::Revoked | Class::AlreadyGone | Class::Permanent(_) | Class::OwnLimit => {
            News::Answered
        }
        Class::RateLimited => News::Limited(reply.retry_after),
        Class::Credentials(_) => News::Refused,
        Class::Retryable(Failure::ServerError | Failure::InvalidResponse) => {
            News::Failed(Reached::Answered)
        }
        Class::Retryable(Failure::Timeout | Failure::Network) => News::Failed(Reached::Unknown),
    }
}
