//! How an event ended: one closed set for the outcome message, its routing key, metrics and logs.
//!
//! Pure words. Which of them a message earns is decided in `verdict`.

use crate::closed_set;

closed_set! {
    /// How an event ended; the word of `outcome` in `session.revoke.outcome.v1`.
    Outcome {
        /// Stytch revoked it.
        Revoked => "revoked",
        /// Stytch knows no such session or user; never "logged out".
        AlreadyGone => "already_gone",
        /// An equal request had just been done.
        Duplicate => "duplicate",
        /// Past its `not_after`.
        Obsolete => "obsolete",
        /// Its campaign was cancelled.
        Cancelled => "cancelled",
        /// A `session.revoke.verify.v1` came through.
        Verified => "verified",
        /// It is in the dead-letter queue, with a code.
        DeadLettered => "dead_lettered",
    }
}
