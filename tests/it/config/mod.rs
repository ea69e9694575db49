//! Tests of config: what a setting means, in data; wrong ones are in `wrong`.

mod hardening;
mod tls;
mod wrong;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use revoker::{
    broker::TopologyMode,
    config::{RunArgs, Settings, markdown_table, reference},
    event::Environment,
    gate::OutageMode,
    revoke::SecretSource,
    settle::seal::new_key_line,
    telemetry::LogFormat,
};
use secrecy::ExposeSecret;

pub(crate) const PROJECT: &str = "project-test-11111111-1111-4111-8111-111111111111";
pub(crate) const LIVE: &str = "project-live-11111111-1111-4111-8111-111111111111";

/// The least that a test project needs.
const LEAST: [(&str, &str); 3] = [
    ("REVOKER_AMQP_URL", "amqp://worker:pw@localhost:5672/%2f"),
    ("REVOKER_STYTCH_PROJECT_ID", PROJECT),
    ("REVOKER_STYTCH_SECRET", "secret-test-1"),
];

/// A file of this text and mode in the tests' own folder.
pub(crate) fn file(name: &str, text: &str, mode: u32) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    // An earlier run may have left one that may not be written.
    let _ = fs::remove_file(&path);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// The least with some settings changed or added; an empty value takes one away.
fn with<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = LEAST
        .iter()
        .filter(|(name, _)| changed.iter().all(|(other, _)| name != other));
    kept.chain(changed).copied().collect()
}

fn settings(changed: &[(&str, &str)]) -> Settings {
    RunArgs::from_variables(&with(changed)).settings().unwrap()
}

#[test]
fn least_gives_the_documented_defaults() {
    let s = settings(&[]);
    assert_eq!(s.broker.prefix, "revocation");
    assert_eq!(s.broker.topology, TopologyMode::Declare);
    assert_eq!(s.broker.project_id, PROJECT);
    assert_eq!(
        s.broker.retry_delays,
        [60, 600, 600].map(Duration::from_secs)
    );
    assert_eq!(s.revoke.base_url, "https://test.stytch.com");
    assert_eq!(s.revoke.call_timeout, Duration::from_secs(10));
    assert_eq!(
        (s.gate.max_rate, s.gate.slots, s.gate.slots_urgent_only),
        (None, 200, 32)
    );
    assert_eq!(s.gate.outage, OutageMode::Hold);
    assert_eq!(
        (
            s.settle.attempts,
            s.settle.outcomes,
            s.settle.count_every_failure
        ),
        (6, true, false)
    );
    assert_eq!(s.telemetry.admin_addr.to_string(), "127.0.0.1:9477");
    assert_eq!(
        (s.telemetry.log.as_str(), s.telemetry.log_format),
        ("info", None)
    );
    assert_eq!(
        (s.expectations.environment, s.expectations.strict_ids),
        (Environment::Test, false)
    );
    assert_eq!(s.drain_timeout, Duration::from_secs(25));
    assert_eq!(
        s.warnings,
        [
            "REVOKER_SEAL_KEY_FILE is not set: credentials are sealed with a key from the API secret, and cannot be opened after it is rotated"
        ]
    );
}

#[test]
fn every_setting_reaches_its_stage() {
    let key = new_key_line();
    let keys = file("every-setting.keys", &key, 0o600);
    let secret = file("every-setting.secret", " secret-live-1 \n", 0o600);
    let s = settings(&[
        ("REVOKER_AMQP_URL", " amqps://worker@rabbit.internal/prod\n"),
        ("REVOKER_AMQP_PASSWORD_FILE", secret.to_str().unwrap()),
        ("REVOKER_PREFIX", "eu.revocation"),
        ("REVOKER_ALLOW_PLAINTEXT", "Gateway, fd00::1"),
        ("REVOKER_TOPOLOGY", "verify"),
        ("REVOKER_STYTCH_PROJECT_ID", LIVE),
        ("REVOKER_STYTCH_SECRET", ""),
        ("REVOKER_STYTCH_SECRET_FILE", secret.to_str().unwrap()),
        ("REVOKER_STYTCH_BASE_URL", "http://gateway:8080/"),
        ("REVOKER_MAX_RATE", "6000/min"),
        ("REVOKER_SLOTS", "50"),
        ("REVOKER_ATTEMPTS", "3"),
        ("REVOKER_RETRY_DELAYS", "none"),
        ("REVOKER_OUTAGE", "dead-letter"),
        ("REVOKER_CALL_TIMEOUT", "2500ms"),
        ("REVOKER_DRAIN_TIMEOUT", "1m 30s"),
        ("REVOKER_SEAL_KEY_FILE", keys.to_str().unwrap()),
        ("REVOKER_OUTCOMES", "off"),
        ("REVOKER_STRICT_IDS", "on"),
        ("REVOKER_ADMIN_ADDR", "[::]:9000"),
        ("REVOKER_LOG", "info,lapin=warn"),
        ("REVOKER_LOG_FORMAT", "json"),
    ]);
    assert_eq!(
        s.broker.url.expose_secret(),
        "amqps://worker@rabbit.internal/prod"
    );
    assert_eq!(s.broker.password_file.as_deref(), Some(secret.as_path()));
    assert_eq!(
        (s.broker.prefix.as_str(), s.broker.topology),
        ("eu.revocation", TopologyMode::Verify)
    );
    assert!(s.broker.retry_delays.is_empty() && s.settle.retry_delays.is_empty());
    assert!(matches!(s.revoke.secret, SecretSource::File(path) if path == secret));
    assert_eq!(s.revoke.base_url, "http://gateway:8080");
    assert_eq!(s.revoke.call_timeout, Duration::from_millis(2500));
    assert_eq!(
        (s.gate.max_rate, s.gate.slots, s.gate.slots_urgent_only),
        (Some(100.0), 50, 8)
    );
    assert_eq!(
        (
            s.settle.attempts,
            s.settle.outcomes,
            s.settle.count_every_failure
        ),
        (3, false, true)
    );
    assert_eq!(s.settle.seal_key_file, Some(keys));
    assert_eq!(
        (s.expectations.environment, s.expectations.strict_ids),
        (Environment::Live, true)
    );
    assert_eq!(s.drain_timeout, Duration::from_secs(90));
    assert_eq!(s.telemetry.admin_addr.to_string(), "[::]:9000");
    assert_eq!(
        (s.telemetry.log.as_str(), s.telemetry.log_format),
        ("info,lapin=warn", Some(LogFormat::Json))
    );
    assert_eq!(s.warnings, Vec::<String>::new());
}

#[test]
fn the_management_api_may_have_a_user_of_its_own() {
    let name = "REVOKER_RABBITMQ_MANAGEMENT_URL";
    let read = |url| {
        let management = settings(&[(name, url)]).management.unwrap();
        (
            management.url.expose_secret().to_owned(),
            management.has_user,
        )
    };
    let own = ("http://ops:pw@localhost:15672/rabbit".to_owned(), true);
    assert_eq!(read("http://ops:pw@localhost:15672/rabbit/"), own);
    let none = ("https://rabbit:15671".to_owned(), false);
    assert_eq!(read("https://rabbit:15671"), none);
    assert!(settings(&[]).management.is_none());
}

#[test]
fn an_empty_variable_is_not_set() {
    let s = settings(&[
        ("REVOKER_PREFIX", ""),
        ("REVOKER_MAX_RATE", " "),
        ("REVOKER_ATTEMPTS", ""),
    ]);
    assert_eq!(
        (s.broker.prefix.as_str(), s.gate.max_rate, s.settle.attempts),
        ("revocation", None, 6)
    );
}

#[test]
fn rates_are_calls_a_second() {
    for (text, rate) in [
        ("100", 100.0),
        ("100/s", 100.0),
        ("6000/min", 100.0),
        ("90000/h", 25.0),
        ("0.5", 0.5),
    ] {
        assert_eq!(
            settings(&[("REVOKER_MAX_RATE", text)]).gate.max_rate,
            Some(rate),
            "{text}"
        );
    }
}

#[test]
fn urgent_keeps_its_part_of_the_slots() {
    for (slots, urgent_only) in [("1", 0), ("7", 1), ("100", 16), ("200", 32), ("2000", 32)] {
        assert_eq!(
            settings(&[("REVOKER_SLOTS", slots)]).gate.slots_urgent_only,
            urgent_only,
            "{slots}"
        );
    }
}

#[test]
fn unknown_variables_are_warned_about() {
    let s = settings(&[
        ("REVOKER_MAXRATE", "5"),
        ("REVOKER_HOBBY", "5"),
        ("OTHER", "5"),
        ("REVOKER_a b", "5"),
    ]);
    assert_eq!(
        s.warnings[..3],
        [
            "REVOKER_MAXRATE is not a setting and is ignored; did you mean REVOKER_MAX_RATE?",
            "REVOKER_HOBBY is not a setting and is ignored; see revoker run --help",
            "a variable that starts with REVOKER_ is not a setting and is ignored",
        ]
    );
    assert_eq!(s.warnings.len(), 4, "the fourth is about the key ring");
}

#[test]
fn flag_and_variable_are_one_name() {
    let docs = reference();
    assert_eq!(docs.len(), 32);
    for doc in docs {
        let name = doc
            .variable
            .strip_prefix("REVOKER_")
            .unwrap()
            .to_lowercase()
            .replace('_', "-");
        assert_eq!(doc.flag, format!("--{name}"));
        assert!(!doc.meaning.is_empty());
    }
}

#[test]
fn the_table_has_a_row_for_each_setting() {
    let table = markdown_table();
    assert_eq!(table.lines().count(), 2 + reference().len());
    let row = "| `REVOKER_ADMIN_ADDR` | `--admin-addr` | `127.0.0.1:9477` | Where /metrics";
    assert!(table.lines().any(|line| line.starts_with(row)), "{table}");
    // Cells hold no bar of their own.
    assert!(
        table
            .lines()
            .all(|line| line.replace("\\|", "").matches('|').count() == 5),
        "{table}"
    );
}

#[test]
fn nothing_prints_a_secret() {
    let args = RunArgs::from_variables(&with(&[(
        "REVOKER_AMQP_URL",
        "amqp://worker:hunter2@localhost",
    )]));
    let shown = format!("{args:?} {:?}", args.clone().settings().unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("secret-test-1"),
        "{shown}"
    );
}
