//! What works and is not for production; files that others may read.

use revoker::config::{Hardening, Problem, RunArgs};

use super::{LIVE, file, settings, with};

/// The variables that these settings have something against: what is soft, and what is noted.
fn check(changed: &[(&str, &str)], soft: &[&str], notes: &[&str]) {
    let found = hardened_but(changed);
    let names = |problems: &[Problem]| -> Vec<String> {
        let short = |problem: &Problem| problem.variable.replace("REVOKER_", "");
        problems.iter().map(short).collect()
    };
    assert_eq!(names(&found.soft), soft, "{changed:?}: {found:?}");
    assert_eq!(names(&found.notes), notes, "{changed:?}: {found:?}");
    let mut all = found.soft.iter().chain(&found.notes);
    assert!(all.all(|problem| problem.text.contains("; ") && !problem.text.contains("hunter2")));
}

/// What is found of settings as they should be, but for these.
fn hardened_but(changed: &[(&str, &str)]) -> Hardening {
    let secret = file("hardened.secret", "hunter2", 0o600);
    let keys = file(
        "hardened.keys",
        &revoker::settle::seal::new_key_line(),
        0o600,
    );
    let hardened = [
        ("REVOKER_AMQP_URL", "amqps://revoker@rabbit/revoker"),
        ("REVOKER_AMQP_PASSWORD_FILE", secret.to_str().unwrap()),
        ("REVOKER_TOPOLOGY", "verify"),
        ("REVOKER_STYTCH_PROJECT_ID", LIVE),
        ("REVOKER_STYTCH_SECRET", ""),
        ("REVOKER_STYTCH_SECRET_FILE", secret.to_str().unwrap()),
        ("REVOKER_MAX_RATE", "100/s"),
        ("REVOKER_SEAL_KEY_FILE", keys.to_str().unwrap()),
        ("REVOKER_SIGN_KEY_FILE", "/any"),
    ];
    let kept = hardened
        .into_iter()
        .filter(|(name, _)| changed.iter().all(|(other, _)| name != other));
    let all: Vec<_> = kept.chain(changed.iter().copied()).collect();
    RunArgs::from_variables(&with(&all))
        .settings()
        .unwrap()
        .hardening
}

#[test]
fn what_is_not_for_production_is_named() {
    check(&[], &[], &[]);
    let url = |url| [("REVOKER_AMQP_URL", url)];
    check(
        &url("amqps://revoker:hunter2@rabbit/revoker"),
        &["AMQP_URL"],
        &[],
    );
    check(&url("amqps://rabbit/revoker"), &["AMQP_URL"], &[]);
    let certificate = file("hardened.pem", include_str!("../tls/one.pem"), 0o644);
    let key = file("hardened.key", include_str!("../tls/one.key"), 0o600);
    let by_certificate = [
        ("REVOKER_AMQP_URL", "amqps://rabbit/revoker"),
        ("REVOKER_AMQP_PASSWORD_FILE", ""),
        (
            "REVOKER_AMQP_CLIENT_CERT_FILE",
            certificate.to_str().unwrap(),
        ),
        ("REVOKER_AMQP_CLIENT_KEY_FILE", key.to_str().unwrap()),
    ];
    check(&by_certificate, &[], &[]);
    check(
        &url("amqps://guest:hunter2@rabbit/"),
        &["AMQP_URL", "AMQP_URL"],
        &[],
    );
    // A path and a query are no userinfo.
    check(&url("amqps://revoker@rabbit/a:b@c"), &[], &[]);
    let plain = [
        ("REVOKER_AMQP_URL", "amqp://revoker@rabbit/"),
        ("REVOKER_ALLOW_PLAINTEXT", "rabbit"),
    ];
    check(&plain, &["ALLOW_PLAINTEXT"], &[]);
    check(&[("REVOKER_TOPOLOGY", "declare")], &["TOPOLOGY"], &[]);
    let secret = [
        ("REVOKER_STYTCH_SECRET", "hunter2"),
        ("REVOKER_STYTCH_SECRET_FILE", ""),
    ];
    check(&secret, &["STYTCH_SECRET"], &[]);
    let sandbox = [("REVOKER_STYTCH_BASE_URL", "http://127.0.0.1:4010")];
    check(&sandbox, &["STYTCH_BASE_URL"], &[]);
    let own_domain = [("REVOKER_STYTCH_BASE_URL", "https://login.example.com")];
    check(&own_domain, &[], &[]);
    let test = [
        ("REVOKER_STYTCH_PROJECT_ID", super::PROJECT),
        ("REVOKER_SEAL_KEY_FILE", ""),
    ];
    check(&test, &["STYTCH_PROJECT_ID", "SEAL_KEY_FILE"], &[]);
    check(&[("REVOKER_OUTCOMES", "off")], &["OUTCOMES"], &[]);
    let (each, all) = ("REVOKER_MAX_RATE", "REVOKER_MAX_RATE_TOTAL");
    check(&[(each, "")], &[], &["MAX_RATE_TOTAL"]);
    check(&[(each, ""), (all, "100/s")], &[], &[]);
    check(&[("REVOKER_ADMIN_ADDR", "[::]:9477")], &[], &["ADMIN_ADDR"]);
}

#[test]
fn a_secret_that_others_may_read_is_warned_of() {
    let open = file("open.secret", "hunter2", 0o644);
    let (open, named) = (open.to_str().unwrap(), format!("{open:?}"));
    let both = [
        ("REVOKER_AMQP_PASSWORD_FILE", open),
        ("REVOKER_STYTCH_SECRET", ""),
        ("REVOKER_STYTCH_SECRET_FILE", open),
    ];
    let warnings = settings(&both).warnings;
    for flag in ["amqp-password-file", "stytch-secret-file"] {
        let text = format!(
            "(--{flag}) names the file {named}, which others than its owner may use (mode 644); run chmod 600 on it"
        );
        let found = warnings.iter().filter(|warning| warning.ends_with(&text));
        assert_eq!(found.count(), 1, "{warnings:?}");
    }
    check(&both, &["AMQP_PASSWORD_FILE", "STYTCH_SECRET_FILE"], &[]);
}
