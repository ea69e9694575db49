//! The metrics there are, with their kinds, labels and what values these can have.

use std::collections::{BTreeMap, BTreeSet};

use revoker::telemetry::{
    catalogue::{CATALOGUE, Kind, Spec},
    labels::Label,
};

/// Metrics that an expression may name.
#[derive(Debug, Clone)]
pub(crate) struct Known(BTreeMap<String, Metric>);

/// What is known of one.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    /// Whether it only rises.
    pub(crate) counts: bool,
    /// Labels, each with its values if they are a closed set.
    pub(crate) labels: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Whether it may have further labels.
    pub(crate) open: bool,
}

/// What the `prometheus` crate's collector exports, and whether it only rises.
pub(crate) const PROCESS: &[(&str, bool)] = &[
    ("process_cpu_seconds_total", true),
    ("process_max_fds", false),
    ("process_open_fds", false),
    ("process_resident_memory_bytes", false),
    ("process_start_time_seconds", false),
    ("process_threads", false),
    ("process_virtual_memory_bytes", false),
];

impl Known {
    /// The catalogue, what the process collector exports, and what Prometheus itself makes.
    pub(crate) fn metrics() -> Self {
        let mut known = Self(BTreeMap::new());
        for spec in CATALOGUE {
            known.add_spec(spec);
        }
        for (name, counts) in PROCESS {
            known.add(name, *counts, &[], false);
        }
        for name in ["up", "scrape_samples_scraped"] {
            known.add(name, false, &[], false);
        }
        known.add("ALERTS", false, &[], true);
        known
    }

    /// A recording rule's result, with the labels of its expression.
    pub(crate) fn record(&mut self, name: &str, labels: &BTreeSet<String>) {
        let labels = labels.iter().map(|label| (label.clone(), None)).collect();
        let metric = Metric {
            counts: false,
            labels,
            open: false,
        };
        self.0.insert(name.to_owned(), metric);
    }

    /// The metric of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Metric> {
        self.0.get(name)
    }

    fn add_spec(&mut self, spec: &Spec) {
        let closed = |label: &Label| {
            let values = label.values().iter().map(|v| (*v).to_owned()).collect();
            (label.name(), (!label.is_open()).then_some(values))
        };
        let labels: Vec<_> = spec.labels.iter().map(closed).collect();
        let counts = !matches!(spec.kind, Kind::Gauge);
        if spec.kind != Kind::Histogram {
            return self.add(spec.name, counts, &labels, false);
        }
        let edges = spec.buckets.iter().map(f64::to_string);
        let edges = edges.chain(["+Inf".to_owned()]).collect();
        for suffix in ["_sum", "_count"] {
            self.add(&format!("{}{suffix}", spec.name), true, &labels, false);
        }
        let labels = [&labels[..], &[("le", Some(edges))]].concat();
        self.add(&format!("{}_bucket", spec.name), true, &labels, false);
    }

    fn add(
        &mut self,
        name: &str,
        counts: bool,
        labels: &[(&str, Option<BTreeSet<String>>)],
        open: bool,
    ) {
        // What the scrape adds.
        let target = ["job", "instance"].map(|name| (name, None));
        let labels = labels.iter().cloned().chain(target);
        let metric = Metric {
            counts,
            labels: labels
                .map(|(name, values)| (name.to_owned(), values))
                .collect(),
            open,
        };
        self.0.insert(name.to_owned(), metric);
    }
}
