//! Tests of the settle stage: how long a message waits, what becomes of it, what is written about it,
//! and that it is written before anything is acked. Sealing has its own tests in `seal`.

mod code;
mod delay;
mod letter;
mod perform;
mod report;
mod unknown;
mod verdict;

use std::time::Duration;

use jiff::Timestamp;
use revoker::settle::Settings;

/// The documented defaults.
fn settings() -> Settings {
    Settings {
        attempts: 6,
        retry_delays: [60, 600, 600].map(Duration::from_secs).to_vec(),
        count_every_failure: false,
        outcomes: true,
        seal_key_file: None,
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}
