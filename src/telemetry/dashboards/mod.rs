//! The two dashboards, as data: what each panel asks, what good looks like, and Grafana's JSON of it.
//!
//! Pure: constants in, JSON out. `dashboards/*.json` is what `revoker dashboards` writes of it; tests hold both
//! together, and every expression to the catalogue. Not here: alerts and recording rules, which lie beside
//! the JSON as Prometheus reads them.

mod colours;
mod fields;
mod health;
mod incident;
mod json;
mod panel;

use serde_json::Value;

pub use colours::colour;
use panel::Row;

/// Where the runbook is, unless told otherwise: to be replaced by where yours can be read.
pub const RUNBOOK_DEFAULT: &str = "https://runbooks.example/revoker/deploy/RUNBOOK.md";

/// One dashboard.
#[derive(Debug)]
pub struct Dashboard {
    /// The file it is written to.
    pub file: &'static str,
    /// Grafana's name for it in links, which never changes.
    pub uid: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it answers.
    pub description: &'static str,
    /// The time range it opens with.
    range: &'static str,
    /// How often it is read again.
    refresh: &'static str,
    /// Whether one worker can be chosen.
    by_instance: bool,
    rows: Vec<Row>,
}

impl Dashboard {
    /// As Grafana imports it; `runbook` is where the runbook can be read.
    pub fn json(&self, runbook: &str) -> Value {
        json::dashboard(self, runbook)
    }
}

/// Every dashboard.
pub fn all() -> Vec<Dashboard> {
    vec![incident::dashboard(), health::dashboard()]
}
