//! One scrape of `/metrics`, as numbers that can be asked for.

use std::collections::BTreeMap;

/// A scrape.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// As it came.
    pub(crate) text: String,
    series: Vec<Series>,
}

#[derive(Debug, Clone)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Reads the text format. Our label values hold neither quotes nor commas.
    pub(crate) fn parse(text: String) -> Self {
        let lines = text
            .lines()
            .filter(|l| !l.starts_with('#') && !l.is_empty());
        let series = lines.map(series).collect();
        Self { text, series }
    }

    /// The sum over all series of that name that have these labels.
    ///
    /// # Panics
    /// When there is none: a misspelt name would read as 0 for ever.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &&Series| {
            let label = |(key, value): &(&str, &str)| {
                series.labels.get(*key).is_some_and(|found| found == value)
            };
            series.name == name && labels.iter().all(label)
        };
        let found: Vec<_> = self.series.iter().filter(has).map(|s| s.value).collect();
        assert!(!found.is_empty(), "no series {name} with {labels:?}");
        found.iter().sum()
    }

    /// Values of all series of that name.
    pub(crate) fn values(&self, name: &str) -> Vec<f64> {
        let all = self.series.iter().filter(|series| series.name == name);
        all.map(|series| series.value).collect()
    }

    /// The state that is shown.
    pub(crate) fn state(&self) -> String {
        let shown = |s: &&Series| s.name == "revoker_state" && s.value > 0.0;
        let state = self.series.iter().find(shown).expect("one state is shown");
        state.labels["state"].clone()
    }
}

fn series(line: &str) -> Series {
    let (head, value) = line.rsplit_once(' ').expect("a series has a value");
    let (name, labels) = head.split_once('{').unwrap_or((head, ""));
    let pairs = labels.trim_end_matches('}').split(',');
    let labels = pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()));
    Series {
        name: name.to_owned(),
        labels: labels.collect(),
        value: value.parse().expect("a series' value is a number"),
    }
}
