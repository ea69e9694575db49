//! What works and is not for production: settings that are allowed, but let a credential out, or let the
//! worker do less than it should or more than it need.
//!
//! Judged for `revoker check --production`; the worker runs with them all. Of them it warns only of files
//! that others may read.

use super::{
    broker, gate, parse,
    problems::{Problem, Reader},
    report,
    revoke::{self, Project},
    setting::Setting,
    settle, telemetry, tls, url,
};
use crate::event::Environment;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hardening {
    /// What must not be so in production.
    pub soft: Vec<Problem>,
    /// What may be meant so.
    pub notes: Vec<Problem>,
}

impl Hardening {
    fn soft(&mut self, setting: &Setting, text: impl Into<String>) {
        self.soft.push(Problem::of(setting, text));
    }

    fn note(&mut self, setting: &Setting, text: impl Into<String>) {
        self.notes.push(Problem::of(setting, text));
    }
}

/// Looks at the settings as they were given. `signs`: whether the key that signs reports is set.
pub(super) fn look(reader: &Reader<'_>, project: Option<&Project>, signs: bool) -> Hardening {
    let mut found = Hardening::default();
    rabbitmq(reader, &mut found);
    stytch(reader, project, &mut found);
    for open in open_files(reader) {
        found.soft.push(open);
    }
    if reader.raw(&settle::SEAL_KEY_FILE).is_none() {
        found.soft(&settle::SEAL_KEY_FILE, "is not set, so that credentials are sealed with a key from the API secret; write one with revoker keygen --output FILE");
    }
    if reader.raw(&settle::OUTCOMES) == Some("off") {
        found.soft(
            &settle::OUTCOMES,
            "is off, so that there is no audit trail; leave it out",
        );
    }
    let everywhere =
        telemetry::admin_addr_of(reader).is_some_and(|addr| addr.ip().is_unspecified());
    if everywhere {
        found.note(&telemetry::ADMIN_ADDR, "listens on every interface; let nobody but Prometheus and the supervisor reach it (a container's network does)");
    }
    if !signs {
        found.note(
            &report::SIGN_KEY_FILE,
            "is not set here; whoever writes campaign reports should sign them with it",
        );
    }
    found
}

/// Files with a credential that others may use, of those that are not refused for it.
pub(super) fn open_files(reader: &Reader<'_>) -> Vec<Problem> {
    let settings = [&broker::AMQP_PASSWORD_FILE, &revoke::SECRET_FILE];
    let open = settings.into_iter().filter_map(|setting| {
        let text = parse::open_to_others(reader.raw(setting)?)?;
        Some(Problem::of(setting, text))
    });
    open.collect()
}

fn rabbitmq(reader: &Reader<'_>, found: &mut Hardening) {
    let given = reader.raw(&broker::AMQP_URL).map(url::login);
    let (user, has_password) = given.unwrap_or_default();
    if has_password {
        found.soft(
            &broker::AMQP_URL,
            "holds the password; put it into a file, and name that in REVOKER_AMQP_PASSWORD_FILE",
        );
    }
    // Without a user in the URL it is guest, too, but for one whose certificate names it.
    let by_certificate = reader.raw(&tls::AMQP_CLIENT_CERT_FILE).is_some()
        && !has_password
        && reader.raw(&broker::AMQP_PASSWORD_FILE).is_none();
    if user == "guest" || (user.is_empty() && !by_certificate) {
        found.soft(&broker::AMQP_URL, "logs in as guest, whose password all know; give the worker a user of its own, see deploy/rabbitmq");
    }
    if let Some(hosts) = reader.raw(&broker::ALLOW_PLAINTEXT) {
        let hosts = parse::shown(hosts);
        found.soft(&broker::ALLOW_PLAINTEXT, format!("is {hosts}, so that credentials may go there in plain text; use amqps:// and https://, and leave it out"));
    }
    if reader.raw(&broker::TOPOLOGY) == Some("declare") {
        found.soft(&broker::TOPOLOGY, "is declare, so that the worker's user may delete queues; import deploy/rabbitmq/definitions.json and set it to verify");
    }
}

fn stytch(reader: &Reader<'_>, project: Option<&Project>, found: &mut Hardening) {
    if reader.raw(&revoke::SECRET).is_some() {
        found.soft(&revoke::SECRET, "is a variable or a flag, which child processes, crash reports and perhaps other users see; put it into a file, and name that in REVOKER_STYTCH_SECRET_FILE");
    }
    match project.map(|project| project.environment) {
        Some(Environment::Test) => found.soft(
            &revoke::PROJECT_ID,
            "is a test project, in which nobody real is logged out; give project-live-…",
        ),
        Some(Environment::Live) if reader.raw(&revoke::BASE_URL).is_some_and(url::is_pretended) => {
            found.soft(&revoke::BASE_URL, "is this machine or plain http://, where Stytch is not, so that no real session would end; leave it out");
        }
        _ => {}
    }
    let rates = [&gate::MAX_RATE, &gate::MAX_RATE_TOTAL];
    if rates.into_iter().all(|rate| reader.raw(rate).is_none()) {
        found.note(
            &gate::MAX_RATE_TOTAL,
            "is not set, so that the worker finds out what Stytch allows; set it if Stytch told you your limit",
        );
    }
}
