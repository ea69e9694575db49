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

/// The metric label of a reason: itself if known, else `other`.
pub fn known_reason(reason: &str) -> &'static str {
    REASONS
        .into_iter()
        .find(|known| *known == reason)
        .unwrap_or("other")
}
