//! Flags and `REVOKER_*` variables become the stages' setting structs; all errors at once.
//!
//! One file per stage, each with its rows ([`Setting`]) and one function that reads them. clap only
//! collects strings: it stops at the first wrong value, and an operator wants the whole list. Nothing is
//! opened here but the files that hold credentials, to find a wrong path before the worker runs.
//!
//! Not here: defaults that nobody can set; those are constants of the stage that uses them.

mod args;
mod broker;
mod commands;
mod dead_letters;
mod environment;
mod gate;
mod hardening;
mod names;
mod parse;
mod problems;
mod reference;
mod report;
mod revoke;
mod setting;
mod settle;
mod telemetry;
mod tls;
mod url;

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;

use crate::event::{Environment, Expectations};
pub use args::{
    DeadLettersArgs, DefinitionsArgs, PublishArgs, ReportArgs, RevokeArgs, RunArgs, StartArgs,
    StatusArgs, VerifyReportArgs,
};
pub use commands::{PublishSettings, RevokeSettings, StartSettings, StatusSettings};
pub use dead_letters::DeadLettersSettings;
pub use environment::operator;
pub use hardening::Hardening;
pub use names::NamesSettings;
use problems::Reader;
pub use problems::{Problem, Problems};
pub use reference::{SettingDoc, markdown_table, reference};
pub use report::{ReportSettings, SignKeyFile};
pub use setting::Setting;

const STRICT_IDS: Setting = Setting::new(
    "REVOKER_STRICT_IDS",
    "strict-ids",
    "on|off",
    "Refuse events whose session or user id has a format we do not know; off sends them to Stytch with a warning",
)
.default("off");
const DRAIN_TIMEOUT: Setting = Setting::new(
    "REVOKER_DRAIN_TIMEOUT",
    "drain-timeout",
    "DURATION",
    "How long a stopping worker waits for what it has begun: 1s to 10m, less than what its supervisor waits",
)
.default("25s");

/// Everything the worker needs to know, checked.
#[derive(Debug)]
pub struct Settings {
    /// RabbitMQ.
    pub broker: crate::broker::Settings,
    /// Its management API, for `revoker check`.
    pub management: Option<Management>,
    /// The Stytch call.
    pub revoke: crate::revoke::Settings,
    /// Rate, slots and outages.
    pub gate: crate::gate::Settings,
    /// Retries, outcomes and sealing.
    pub settle: crate::settle::Settings,
    /// The key ring, read once: it changes only with a restart.
    pub key_ring: Arc<crate::settle::seal::KeyRing>,
    /// Admin port and log.
    pub telemetry: crate::telemetry::Settings,
    /// What every event is checked against.
    pub expectations: Expectations,
    /// How long a stopping worker waits for what it has begun.
    pub drain_timeout: Duration,
    /// To be logged at the start: what is allowed but perhaps not meant.
    pub warnings: Vec<String>,
    /// What is allowed and not for production.
    pub hardening: Hardening,
}

/// RabbitMQ's management API.
#[derive(Debug, Clone)]
pub struct Management {
    /// Its URL without a trailing slash, perhaps with a user and a password.
    pub url: SecretString,
    /// Whether it has a user; if not, it is asked as the broker's.
    pub has_user: bool,
}

impl RunArgs {
    /// Checks everything.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(self) -> Result<Settings, Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let broker = broker::read(&mut reader, &plaintext);
        let management = broker::management(&mut reader, &plaintext);
        let project = revoke::required_project(&mut reader);
        let revoke = revoke::read(&mut reader, project.as_ref(), &plaintext);
        let strict_ids = reader.read(&STRICT_IDS, parse::switch);
        let gate = gate::read(&mut reader);
        let settle = settle::read(&mut reader, gate.as_ref().map(|gate| gate.outage));
        let mut warnings = self.unknown_variables();
        warnings.extend(
            hardening::open_files(&reader)
                .iter()
                .map(ToString::to_string),
        );
        let secret = revoke.as_ref().map(|(_, secret)| secret);
        let key_ring = settle::key_ring(&mut reader, project.as_ref(), secret, &mut warnings);
        let telemetry = telemetry::read(&mut reader);
        let drain_timeouts = Duration::from_secs(1)..=Duration::from_secs(600);
        let drain_timeout = reader.read(&DRAIN_TIMEOUT, parse::duration(drain_timeouts));
        let hardening = hardening::look(&reader, project.as_ref(), self.signs_reports());

        let settings = || {
            let (project, (revoke, _), settle, mut broker) = (project?, revoke?, settle?, broker?);
            broker.project_id.clone_from(&project.id);
            broker.retry_delays.clone_from(&settle.retry_delays);
            Some(Settings {
                broker,
                management,
                revoke,
                gate: gate?,
                settle,
                key_ring: Arc::new(key_ring?),
                telemetry: telemetry?,
                expectations: Expectations {
                    project_id: project.id,
                    environment: project.environment,
                    strict_ids: strict_ids?,
                },
                drain_timeout: drain_timeout?,
                warnings,
                hardening,
            })
        };
        let settings = settings();
        reader.finish(settings)
    }
}

/// A project by its id: that, and its environment.
///
/// # Errors
/// What is wrong with it, without its value.
pub fn project(id: &str) -> Result<(String, Environment), String> {
    revoke::project(id).map(|project| (project.id, project.environment))
}
