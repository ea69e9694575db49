//! What becomes of the message: verdict, delay, seal, and the publish that must be confirmed before the ack.

pub mod code;
pub mod seal;

use std::{path::PathBuf, time::Duration};

/// What the settle stage needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Attempts in memory (`REVOKER_ATTEMPTS`), at least 1.
    pub attempts: u32,
    /// Delays after them (`REVOKER_RETRY_DELAYS`), possibly none.
    pub retry_delays: Vec<Duration>,
    /// Whether every failure, 429 included, is an attempt (`REVOKER_OUTAGE=dead-letter`).
    pub count_every_failure: bool,
    /// Whether outcomes are published (`REVOKER_OUTCOMES`).
    pub outcomes: bool,
    /// The key ring file (`REVOKER_SEAL_KEY_FILE`).
    pub seal_key_file: Option<PathBuf>,
}
