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
