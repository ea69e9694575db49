//! The known reasons: a closed set, because a metric label must not grow with what publishers write.
//!
//! Not a check: an event may give any reason of the right form.

/// The reasons that have a metric label of their own.
pub const REASONS: [&str; 9] = [
    "password_reset",
    "account_lockout",
    "admin_action",
    "security_incident",
    "credential_compromise",
    "account_disabled",
    "device_lost",
    "policy",
    "user_request",
];

/// The metric label of all other reasons.
pub const REASON_OTHER: &str = "other";
