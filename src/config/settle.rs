//! Settings of the settle stage: attempts, delays, outcomes and the key ring.

use std::time::Duration;

use secrecy::SecretString;

use super::{parse, problems::Reader, revoke::Project, setting::Setting};
use crate::{
    event::Environment,
    gate::OutageMode,
    settle::{Settings, seal::KeyRing},
};

pub(super) const ATTEMPTS: Setting = Setting::new(
    "REVOKER_ATTEMPTS",
    "attempts",
    "COUNT",
    "How often an event is tried in memory before it goes to the retry delays, 1 to 20",
)
.default("6");
pub(super) const RETRY_DELAYS: Setting = Setting::new(
    "REVOKER_RETRY_DELAYS",
    "retry-delays",
    "DURATIONS",
    "Waits in RabbitMQ between further attempts, before the dead-letter queue: at most 8, separated by commas, each 1s to 1h in whole seconds; or none. The names of the retry queues follow from them",
)
.default("1m,10m,10m");
pub(super) const SEAL_KEY_FILE: Setting = Setting::new(
    "REVOKER_SEAL_KEY_FILE",
    "seal-key-file",
    "FILE",
    "Key ring, written by revoker keygen, that seals stored credentials; required for a live project. Nobody but its owner may read the file",
);
pub(super) const OUTCOMES: Setting = Setting::new(
    "REVOKER_OUTCOMES",
    "outcomes",
    "on|off",
    "Whether the outcome of every event is published; without it there is no audit trail",
)
.default("on");

/// In the order of `--help`.
pub(super) const SETTINGS: &[&Setting] = &[&ATTEMPTS, &RETRY_DELAYS, &SEAL_KEY_FILE, &OUTCOMES];

pub(super) fn read(reader: &mut Reader<'_>, outage: Option<OutageMode>) -> Option<Settings> {
    let attempts = reader.read(&ATTEMPTS, parse::number(1..=20));
    let retry_delays = read_retry_delays(reader);
    let outcomes = reader.read(&OUTCOMES, parse::switch);
    Some(Settings {
        attempts: attempts?,
        retry_delays: retry_delays?,
        count_every_failure: outage? == OutageMode::DeadLetter,
        outcomes: outcomes?,
        seal_key_file: reader.raw(&SEAL_KEY_FILE).map(Into::into),
    })
}

/// The key ring: from its file, or for a test project from the API secret, with a warning.
pub(super) fn key_ring(
    reader: &mut Reader<'_>,
    project: Option<&Project>,
    secret: Option<&SecretString>,
    warnings: &mut Vec<String>,
) -> Option<KeyRing> {
    if reader.raw(&SEAL_KEY_FILE).is_some() {
        return given_key_ring(reader);
    }
    let project = project?;
    match project.environment {
        Environment::Live => {
            let text = "is not set, and a live project needs it; write one with revoker keygen --output FILE";
            reader.problem(&SEAL_KEY_FILE, text);
            None
        }
        Environment::Test => {
            let ring = KeyRing::from_api_secret(&project.id, secret?);
            warnings.push(format!(
                "{} is not set: credentials are sealed with a key from the API secret, and cannot be opened after it is rotated",
                SEAL_KEY_FILE.variable
            ));
            Some(ring)
        }
    }
}

/// The key ring from its file, if one is given.
pub(super) fn given_key_ring(reader: &mut Reader<'_>) -> Option<KeyRing> {
    reader.read(&SEAL_KEY_FILE, key_ring_file)
}

fn key_ring_file(path: &str) -> Result<KeyRing, String> {
    let text = parse::owners_text(path)?;
    let shown = parse::shown(path);
    KeyRing::parse(&text).map_err(|error| format!("names the file {shown}: {error}"))
}

/// The delays alone: names of queues follow from them.
pub(super) fn read_retry_delays(reader: &mut Reader<'_>) -> Option<Vec<Duration>> {
    reader.read(&RETRY_DELAYS, retry_delays)
}

fn retry_delays(value: &str) -> Result<Vec<Duration>, String> {
    /// More retries would not help whoever waits for the revocation.
    const DELAYS_MAX: usize = 8;
    /// Delays of RabbitMQ queues.
    const DELAY_MIN: Duration = Duration::from_secs(1);
    const DELAY_MAX: Duration = Duration::from_secs(3600);
    if value == "none" {
        return Ok(Vec::new());
    }
    let delay = |text: &str| {
        let delay = humantime::parse_duration(text.trim()).ok()?;
        let allowed = (DELAY_MIN..=DELAY_MAX).contains(&delay) && delay.subsec_nanos() == 0;
        allowed.then_some(delay)
    };
    let delays: Option<Vec<Duration>> = value.split(',').map(delay).collect();
    delays.filter(|delays| delays.len() <= DELAYS_MAX).ok_or_else(|| {
        format!(
            "is {}; give at most {DELAYS_MAX} durations from 1s to 1h in whole seconds, separated by commas, such as 1m,10m,10m, or none",
            parse::shown(value)
        )
    })
}
