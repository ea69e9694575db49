//! `revoker dashboards`: dashboards for Grafana, and rules and alerts for Prometheus, as files.
//!
//! Dashboards are written from the same catalogue as what a worker exports, and the rules are those that were
//! tested with it, so that they cannot differ. Not here: what the panels ask, which `telemetry::dashboards` decides.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};

use super::{Failure, print};
use crate::telemetry::dashboards::{Dashboard, RUNBOOK_DEFAULT, all};

/// What is written.
#[derive(Debug, clap::Args)]
#[command(after_help = USE)]
pub struct Args {
    /// The folder for incident.json, health.json, rules.yml and alerts.yml, which is made, too.
    #[arg(long, value_name = "DIR", default_value = "dashboards")]
    output: PathBuf,
    /// Write nothing; fail if a file is not what would be written.
    #[arg(long)]
    check: bool,
    /// Where your runbook can be read: panels and alerts link to its sections.
    #[arg(long, value_name = "URL", default_value = RUNBOOK_DEFAULT)]
    runbook: String,
}

const USE: &str = "\
In Grafana: Dashboards, New, Import; or let Grafana read the folder (dashboards/provisioning).
In Prometheus: name rules.yml and alerts.yml in rule_files.";

/// What Prometheus reads, by name: kept as files, which promtool tests.
const RULES: [(&str, &str); 2] = [
    ("rules.yml", include_str!("../../dashboards/rules.yml")),
    ("alerts.yml", include_str!("../../dashboards/alerts.yml")),
];

/// Writes the files, or compares them.
///
/// # Errors
/// When a file cannot be written, or is not what it should be.
pub fn run(args: &Args) -> Result<(), Failure> {
    let json = |dashboard: Dashboard| {
        let text = format!("{:#}\n", dashboard.json(&args.runbook));
        (dashboard.file, text)
    };
    let rules = RULES.map(|(file, text)| (file, text.replace(RUNBOOK_DEFAULT, &args.runbook)));
    for (file, text) in all().into_iter().map(json).chain(rules) {
        let path = args.output.join(file);
        match args.check {
            true => compare(&path, &text)?,
            false => {
                write(&args.output, &path, &text)?;
                print(&format!("{}\n", path.display()))?;
            }
        }
    }
    Ok(())
}

fn write(folder: &Path, path: &Path, text: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn compare(path: &Path, text: &str) -> anyhow::Result<()> {
    let found = fs::read_to_string(path);
    match found.with_context(|| format!("{} cannot be read", path.display()))? == text {
        true => Ok(()),
        false => Err(anyhow!(
            "{} is not what this version writes: run revoker dashboards again",
            path.display()
        )),
    }
}
