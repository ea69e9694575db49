//! What the files of `deploy/` set are settings, with values that the program takes and that fit each other.
//!
//! Whether they are files that Docker, Kubernetes and systemd take is asked by `tests/run deploy`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use revoker::{
    config::{self, RunArgs, Settings},
    settle::seal::new_key_line,
};

use super::text_of;
use crate::config::file;

const COMPOSE: &str = "deploy/compose.yaml";
const DOCKERFILE: &str = "deploy/Dockerfile";
const KUBERNETES: &str = "deploy/kubernetes/base/settings.env";
const DEPLOYMENT: &str = "deploy/kubernetes/base/deployment.yaml";
const SCALED: &str = "deploy/kubernetes/components/keda/scaledobject.yaml";
const SYSTEMD: &str = "deploy/systemd/revoker.service";

/// The one variable that is of the build and no setting.
const OF_THE_BUILD: &str = "REVOKER_REVISION";
/// A supervisor waits longer than the worker drains, at least by so much.
const DRAIN_MARGIN: Duration = Duration::from_secs(5);

/// Every file under a folder.
fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path.to_string_lossy().into_owned()),
        }
    }
}

/// `NAME=value`, `NAME: value` or `Environment=NAME=value`: all that a file sets, in its order.
fn assignments(text: &str) -> Vec<(&str, &str)> {
    let assigned = |line: &'_ str| -> Option<(usize, usize)> {
        let name = line.find("REVOKER_")?;
        let before = line[..name].trim_start();
        let end = name + line[name..].find(['=', ':'])?;
        ["", "Environment=", "ENV "]
            .contains(&before)
            .then_some((name, end))
    };
    let lines = text.lines().filter_map(|line| {
        let (name, end) = assigned(line)?;
        let value = line[end + 1..].trim().trim_end_matches('\\').trim();
        Some((&line[name..end], value))
    });
    lines.filter(|(name, _)| *name != OF_THE_BUILD).collect()
}

/// What these settings come to, with files of our own in the place of theirs.
fn parsed(set: &BTreeMap<&str, &str>) -> Settings {
    let secret = file("deployed.secret", "a secret", 0o600);
    let keys = file("deployed.keys", &new_key_line(), 0o600);
    let own = |name: &str| match name {
        "REVOKER_SEAL_KEY_FILE" => Some(keys.to_str().unwrap()),
        _ if name.ends_with("_FILE") => Some(secret.to_str().unwrap()),
        _ => None,
    };
    let pairs: Vec<_> = set
        .iter()
        .map(|(name, value)| (*name, own(name).unwrap_or(value)))
        .collect();
    RunArgs::from_variables(&pairs).settings().unwrap()
}

/// The first value of each; where a file sets one twice, for two services, each is tried.
fn check(path: &str, at_least: usize) -> Settings {
    let text = text_of(path);
    let all = assignments(&text);
    assert!(all.len() >= at_least, "{path}: only {all:?}");
    let mut first = BTreeMap::new();
    for (name, value) in &all {
        first.entry(*name).or_insert(*value);
    }
    for (name, value) in &all {
        let mut set = first.clone();
        set.insert(name, value);
        parsed(&set);
    }
    let settings = parsed(&first);
    assert!(
        settings.warnings.is_empty(),
        "{path}: {:?}",
        settings.warnings
    );
    settings
}

/// The whole number after these words.
fn number(text: &str, words: &str) -> u64 {
    let (_, rest) = text.split_once(words).expect(words);
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().expect(words)
}

#[test]
fn every_variable_that_is_named_exists() {
    let mut paths = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy"),
        &mut paths,
    );
    let known: BTreeSet<String> = config::reference()
        .into_iter()
        .map(|setting| setting.variable)
        .chain([OF_THE_BUILD.to_owned(), "REVOKER_".to_owned()])
        .collect();
    let mut seen = BTreeSet::new();
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        for word in words.filter(|word| word.starts_with("REVOKER_")) {
            assert!(known.contains(word), "{path}: {word} is no setting");
            seen.insert(word.to_owned());
        }
    }
    assert!(paths.len() > 20 && seen.len() > 10, "{paths:?} {seen:?}");
}

#[test]
fn every_value_is_taken_and_outlasts_the_drain() {
    let waits = [
        (
            COMPOSE,
            COMPOSE,
            9,
            "\n    # Above the drain timeout.\n    stop_grace_period: ",
        ),
        (KUBERNETES, DEPLOYMENT, 9, "terminationGracePeriodSeconds: "),
        (SYSTEMD, SYSTEMD, 9, "TimeoutStopSec="),
    ];
    for (path, waits, at_least, words) in waits {
        let drain = check(path, at_least).drain_timeout;
        let waits = Duration::from_secs(number(&text_of(waits), words));
        assert!(waits >= drain + DRAIN_MARGIN, "{path}: {waits:?}");
    }
}

/// What is to be copied is hardened; the pretend API's world cannot be.
#[test]
fn what_is_for_production_is_hardened() {
    for path in [KUBERNETES, SYSTEMD] {
        let found = check(path, 9).hardening;
        assert!(found.soft.is_empty(), "{path}: {found:?}");
    }
    assert!(!check(COMPOSE, 9).hardening.soft.is_empty());
}

#[test]
fn the_port_is_one() {
    let port = |path: &str| {
        let text = text_of(path);
        let (_, address) = *assignments(&text)
            .iter()
            .find(|(name, _)| *name == "REVOKER_ADMIN_ADDR")
            .unwrap();
        address.rsplit_once(':').unwrap().1.parse::<u64>().unwrap()
    };
    let image = port(DOCKERFILE);
    assert_eq!(port(KUBERNETES), image);
    for (path, words) in [
        (DOCKERFILE, "EXPOSE "),
        (DEPLOYMENT, "containerPort: "),
        (DEPLOYMENT, "prometheus.io/port: \""),
        (COMPOSE, "127.0.0.1:9477:"),
        ("deploy/compose/prometheus.yml", "worker:"),
        (
            "deploy/kubernetes/base/networkpolicy.yaml",
            "ports:\n        - { port: ",
        ),
        (
            "deploy/kubernetes/components/prometheus-operator/service.yaml",
            "port: ",
        ),
    ] {
        assert_eq!(number(&text_of(path), words), image, "{path}: {words}");
    }
}

/// Replicas share the limit, and what each may send past a hold must stay under half of it.
#[test]
fn the_most_replicas_follow_from_the_limit() {
    const URGENT_PAST_A_HOLD: u64 = 8;
    const SIMULATED: u64 = 4;
    let text = text_of(SCALED);
    let limit = number(&text, "revoker/limit-per-second: \"");
    let most = (limit / (2 * URGENT_PAST_A_HOLD)).min(SIMULATED);
    assert_eq!(number(&text, "maxReplicaCount: "), most);
    let ten_minutes_each = limit / most * 600;
    assert_eq!(number(&text, "value: \""), ten_minutes_each);
    assert_eq!(number(&text, "here "), limit / most);
}
