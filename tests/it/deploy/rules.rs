//! The rules of `dashboards/` as the Prometheus operator takes them.
//!
//! `UPDATE_RULES=1 cargo test --test it deploy` writes them anew.

use std::{fs, path::Path};

use super::text_of;

const RULE: &str = "deploy/kubernetes/components/prometheus-operator/prometheusrule.yaml";
const SOURCES: [&str; 2] = ["dashboards/rules.yml", "dashboards/alerts.yml"];

/// The groups of such files, in one object.
fn rule(sources: &[String]) -> String {
    let mut groups = String::new();
    for source in sources {
        let (_, list) = source.split_once("groups:\n").expect("a file of rules");
        let by = list.find('-').expect("a group");
        for line in list.lines() {
            let line = line.get(by.min(line.len())..).unwrap_or_default();
            let line = format!("    {line}");
            groups.push_str(line.trim_end());
            groups.push('\n');
        }
    }
    if groups.is_empty() {
        groups = "    []\n".to_owned();
    }
    format!(
        "# Written from {} by UPDATE_RULES=1 cargo test --test it deploy.\n\
         apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: revoker\n  \
         labels: {{ app.kubernetes.io/name: revoker }}\nspec:\n  groups:\n{groups}",
        SOURCES.join(" and ")
    )
}

#[test]
fn they_are_those_of_the_dashboards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let there = SOURCES.iter().filter(|path| root.join(path).exists());
    let sources: Vec<String> = there.map(|path| text_of(path)).collect();
    let wanted = rule(&sources);
    if std::env::var_os("UPDATE_RULES").is_some() {
        fs::write(root.join(RULE), &wanted).unwrap();
    }
    assert!(
        text_of(RULE) == wanted,
        "{RULE} is old: UPDATE_RULES=1 cargo test --test it deploy"
    );
}

#[test]
fn groups_keep_their_form() {
    let source =
        |by: &str| format!("# Why.\ngroups:\n{by}- name: a\n\n{by}  rules:\n{by}    - alert: b\n");
    let wanted = "  groups:\n    - name: a\n\n      rules:\n        - alert: b\n    - name: a\n";
    for by in ["", "  "] {
        let text = rule(&[source(by), source(by)]);
        assert!(text.contains(wanted), "{text}");
    }
}
