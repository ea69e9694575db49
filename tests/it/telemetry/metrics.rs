//! The catalogue: complete at 0, within its budget, and in the README.

use std::collections::BTreeMap;

use revoker::telemetry::{
    Metrics,
    catalogue::{CATALOGUE, Kind, markdown_table},
};

/// Series a worker may export, `process_*` included.
const SERIES_MAX: usize = 1_000;

/// Every series of our own with its value.
pub(super) fn series(metrics: &Metrics) -> BTreeMap<String, f64> {
    metrics
        .render()
        .lines()
        .filter(|line| line.starts_with("revoker_"))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn every_series_exists_at_zero_before_the_first_event() {
    let all = series(&Metrics::new());
    for (name, value) in &all {
        let expected = if name.starts_with("revoker_build_info{") {
            1.0
        } else {
            0.0
        };
        assert_eq!(*value, expected, "{name}");
    }
    for spec in CATALOGUE {
        let of_spec = |name: &str| {
            let bare = name.split('{').next().unwrap();
            let suffixes: &[&str] = if spec.kind == Kind::Histogram {
                &["_bucket", "_sum", "_count"]
            } else {
                &[""]
            };
            suffixes
                .iter()
                .any(|suffix| bare.strip_suffix(suffix) == Some(spec.name))
        };
        let found = all.keys().filter(|name| of_spec(name)).count();
        assert_eq!(found, spec.series(), "{}", spec.name);
    }
    assert_eq!(
        all.len(),
        CATALOGUE.iter().map(|spec| spec.series()).sum::<usize>()
    );
}

#[test]
fn the_series_stay_within_the_budget() {
    let lines = Metrics::new().render();
    let count = lines.lines().filter(|line| !line.starts_with('#')).count();
    assert!(count <= SERIES_MAX, "{count} series");
    assert!(
        lines.contains("\nprocess_resident_memory_bytes "),
        "no process metrics"
    );
}

#[test]
fn the_readme_table_has_a_row_for_each_metric() {
    let table = markdown_table();
    let names: Vec<&str> = table
        .lines()
        .skip(2)
        .map(|row| row.split('`').nth(1).unwrap())
        .collect();
    assert_eq!(
        names,
        CATALOGUE.iter().map(|spec| spec.name).collect::<Vec<_>>()
    );
    let row = "| `revoker_amqp_publishes_total` | counter | `to`: retry, dead, outcome, control; \
               `result`: ack, nack, returned, timeout | Messages published, by how the publish ended. |";
    assert!(table.lines().any(|line| line == row), "{table}");
    let columns = |row: &str| row.matches('|').count();
    assert!(table.lines().all(|row| columns(row) == 5), "{table}");
}
