//! What lies beside the dashboards: provisioning and Prometheus's configuration name what is there.

use std::{collections::BTreeSet, fs};

use super::path;

fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(path(folder)).unwrap();
    let read =
        |entry: std::io::Result<fs::DirEntry>| fs::read_to_string(entry.unwrap().path()).unwrap();
    entries.map(read).collect()
}

#[test]
fn grafana_is_pointed_at_the_folder_that_it_mounts() {
    let [dashboards] = &files("provisioning/dashboards")[..] else {
        panic!("one file")
    };
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let (_, mounted) = dashboards.split_once("path: ").unwrap();
    let mounted = mounted.lines().next().unwrap();
    assert!(readme.contains(mounted), "{mounted} is not in the README");
    assert!(dashboards.contains("allowUiUpdates: false"));
    let [datasources] = &files("provisioning/datasources")[..] else {
        panic!("one file")
    };
    assert!(datasources.contains("type: prometheus"));
}

#[test]
fn prometheus_scrapes_both_and_loads_what_lies_there() {
    let text = fs::read_to_string(path("prometheus.yml")).unwrap();
    let named = |after: &str| -> BTreeSet<&str> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(after));
        lines
            .map(|rest| rest.trim_matches(['"', '\'', ' ']))
            .collect()
    };
    assert_eq!(
        named("- job_name: "),
        BTreeSet::from(["revoker", "rabbitmq"])
    );
    let workers_rabbitmq_and_alertmanager =
        ["[127.0.0.1:9477]", "[127.0.0.1:15692]", "[127.0.0.1:9093]"];
    assert_eq!(
        named("- targets: "),
        BTreeSet::from(workers_rabbitmq_and_alertmanager)
    );
    assert!(text.contains("rule_files: [rules.yml, alerts.yml]"));
}
