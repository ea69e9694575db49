//! `revoker dashboards`: the dashboards as files, to be imported into Grafana or provisioned.
//!
//! Written from the same catalogue as what a worker exports, so that the two cannot differ. Not here: what
//! the panels ask, which `telemetry::dashboards` decides.

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
    /// The folder for incident.json and health.json, which is made, too.
    #[arg(long, value_name = "DIR", default_value = "dashboards")]
    output: PathBuf,
    /// Write nothing; fail if a file is not what would be written.
    #[arg(long)]
    check: bool,
    /// Where your runbook can be read: the panels link to its sections.
    #[arg(long, value_name = "URL", default_value = RUNBOOK_DEFAULT)]
    runbook: String,
}

const USE: &str = "\
In Grafana: Dashboards, New, Import; or let Grafana read the folder (dashboards/provisioning).";

/// Writes the files, or compares them.
///
/// # Errors
/// When a file cannot be written, or is not what it should be.
pub fn run(args: &Args) -> Result<(), Failure> {
    let written = |dashboard: &Dashboard| format!("{:#}\n", dashboard.json(&args.runbook));
    for dashboard in all() {
        let (path, text) = (args.output.join(dashboard.file), written(&dashboard));
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
