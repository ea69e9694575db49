//! The two dashboards, as data: what each panel asks, what good looks like, and Grafana's JSON of it.
//!
//! Pure: constants in, JSON out. `dashboards/*.json` is what `revoker dashboards` writes of it; tests hold both
//! together, and every expression to the catalogue. Not here: alerts and recording rules, which lie beside
//! the JSON as Prometheus reads them.
//!
//! Totals are `floor(increase(…) + 0.01)`: an increase is reckoned up to the edges of its range, a little beyond the
//! first and the last scrape, and so comes out a fraction too high; the hundredth is for rounding of floats.
//! Those of campaigns add `min_over_time`: a campaign's counter is born in its first seconds, and what it read at the
//! first scrape is no increase.

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
