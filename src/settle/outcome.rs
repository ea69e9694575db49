//! How an event ended: a closed set, used in outcome events, metrics and logs.

use crate::closed_set;

closed_set! {
    /// How an event ended.
    Outcome {
        /// Stytch revoked the session, or every session of the user up to the cutoff.
        Revoked => "revoked",
        /// Stytch knows no such session or user; never to be read as "logged out".
        AlreadyGone => "already_gone",
        /// Another event for the same target did the work.
        Duplicate => "duplicate",
        /// Its `not_after` has passed.
        Obsolete => "obsolete",
        /// Its campaign was cancelled.
        Cancelled => "cancelled",
        /// A `session.revoke.verify.v1`: timed, no call.
        Verified => "verified",
        /// In the dead-letter queue: the session may still live.
        DeadLettered => "dead_lettered",
    }
}

closed_set! {
    /// Whom or what Stytch does not know: the `code` of an outcome `already_gone`, in Stytch's own words.
    Unknown {
        /// No such user. One that is known and has no old session has no `code`.
        User => "user_not_found",
        /// No such session: it has ended, or never was.
        Session => "session_not_found",
    }
}

impl Unknown {
    /// What the last answer says of a target of this kind; `None` if it does not say that it is unknown.
    pub fn of(target_kind: Option<&str>, error_type: Option<&str>) -> Option<Self> {
        let asked = match target_kind? {
            "user" => Self::User,
            "session" | "token" => Self::Session,
            _ => return None,
        };
        (error_type? == asked.as_str()).then_some(asked)
    }
}
