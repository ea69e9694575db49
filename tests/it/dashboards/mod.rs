//! The dashboards, without any Prometheus: they are what the code writes, ask only what there is, show all
//! that there is, and keep the rules of panels. That each query has an answer is seen by the live tests.
//!
//! `UPDATE_DASHBOARDS=1 cargo test --test it dashboards` writes them anew.

mod faulty;
mod lint;
mod provisioning;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use revoker::telemetry::{
    catalogue::{CATALOGUE, Kind},
    dashboards::{all, colour},
};
use serde_json::Value;

use crate::expressions::{
    Known,
    panels::{asked, check, variables},
};

const FOLDER: &str = "dashboards";

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(FOLDER)
        .join(name)
}

/// The committed dashboards.
fn committed() -> Vec<Value> {
    let read = |file| serde_json::from_str(&fs::read_to_string(path(file)).unwrap()).unwrap();
    all().iter().map(|dashboard| read(dashboard.file)).collect()
}

fn revoker_dashboards(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revoker"));
    let output = command.arg("dashboards").args(arguments).env_clear();
    let output = output.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), said)
}

#[test]
fn the_dashboards_are_those_of_the_code() {
    let folder = path("");
    let folder = folder.to_str().unwrap();
    if std::env::var_os("UPDATE_DASHBOARDS").is_some() {
        assert!(revoker_dashboards(&["--output", folder]).0);
    }
    let (same, said) = revoker_dashboards(&["--check", "--output", folder]);
    assert!(
        same,
        "{said}UPDATE_DASHBOARDS=1 cargo test --test it dashboards"
    );
}

/// Whoever changes a file by hand is told.
#[test]
fn a_changed_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("new").to_str().unwrap().to_owned();
    let arguments = ["--output", &at, "--runbook", "https://wiki.example/revoker"];
    let check = [&arguments[..], &["--check"]].concat();
    let (there, said) = revoker_dashboards(&check);
    assert!(!there && said.contains("cannot be read"), "{said}");
    let (written, said) = revoker_dashboards(&arguments);
    assert!(written && said.lines().count() == all().len() + 2, "{said}");
    assert!(revoker_dashboards(&check).0);
    let file = Path::new(&at).join("health.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("https://wiki.example/revoker"));
    let alerts = fs::read_to_string(Path::new(&at).join("alerts.yml")).unwrap();
    assert!(alerts.contains("runbook_url: https://wiki.example/revoker#revokerdown"));
    fs::write(&file, text.replace("revoker_ready", "revoker_raedy")).unwrap();
    let (same, said) = revoker_dashboards(&check);
    assert!(!same && said.contains("health.json is not what"), "{said}");
}

/// What is wrong with every expression of a dashboard.
fn complaints(dashboard: &Value) -> Vec<String> {
    let (known, variables) = (Known::metrics(), variables(dashboard));
    let of = |asked: crate::expressions::panels::Asked| {
        let judged = check(&asked, &variables, &known);
        let at = asked.at.clone();
        let told = judged.complaints.into_iter();
        told.map(move |complaint| format!("{at}: {complaint}"))
    };
    asked(dashboard).into_iter().flat_map(of).collect()
}

#[test]
fn every_expression_asks_for_what_there_is() {
    for dashboard in committed() {
        let complaints = complaints(&dashboard);
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        assert!(asked(&dashboard).len() > 10);
    }
}

#[test]
fn every_metric_is_in_a_panel() {
    let mut shown = BTreeSet::new();
    for dashboard in committed() {
        let (known, variables) = (Known::metrics(), variables(&dashboard));
        for asked in asked(&dashboard) {
            let selectors = check(&asked, &variables, &known).selectors;
            shown.extend(selectors.into_iter().map(|selector| selector.name));
        }
    }
    for spec in CATALOGUE {
        let suffixes: &[&str] = match spec.kind {
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        let names = suffixes
            .iter()
            .map(|suffix| format!("{}{suffix}", spec.name));
        assert!(
            names.into_iter().any(|name| shown.contains(&name)),
            "{} is in no panel",
            spec.name
        );
    }
}

/// No word of a set whose colours are fixed may fall back to a palette.
#[test]
fn every_word_of_a_status_has_its_colour() {
    let fixed = [
        "lane", "level", "outcome", "queue", "result", "state", "delivery",
    ];
    for spec in CATALOGUE {
        for label in spec
            .labels
            .iter()
            .filter(|label| fixed.contains(&label.name()))
        {
            for word in label.values() {
                assert!(
                    colour(label.name(), word).is_some(),
                    "{}: {word}",
                    label.name()
                );
            }
        }
    }
    for (word, expected) in [
        ("revoked", "green"),
        ("rate_limited", "orange"),
        ("server_error", "red"),
        ("credentials", "dark-red"),
    ] {
        assert_eq!(colour("result", word), Some(expected));
    }
}
