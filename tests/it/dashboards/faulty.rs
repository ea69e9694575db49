//! The checker of dashboards is itself checked: a right dashboard with one fault must not pass.

use serde_json::Value;

use super::{committed, complaints};

/// Puts `to` in place of `from` in the one panel that asks this, and wants a complaint.
fn check(title: &str, from: &str, to: &str, says: &str) {
    let mut dashboard = committed().remove(0);
    let panels = dashboard["panels"].as_array_mut().unwrap();
    let panel = panels
        .iter_mut()
        .find(|panel| panel["title"] == title)
        .expect(title);
    let target = &mut panel["targets"][0];
    for field in ["expr", "legendFormat"] {
        let text = target[field].as_str().unwrap();
        target[field] = text.replacen(from, to, 1).into();
    }
    assert_ne!(dashboard, committed()[0], "{title} has no {from}");
    let found = complaints(&dashboard).join("; ");
    assert!(found.contains(says), "{title}, {to}: {found}");
}

#[test]
fn each_fault_of_an_expression_is_found() {
    let alive = "Still alive?";
    check(
        alive,
        "revoker_inflight_events",
        "revoker_in_hand_events",
        "is no metric",
    );
    check(alive, "queue!=\"dead\"", "queue!=\"deda\"", "never deda");
    check(alive, "by (job, queue)", "by (job, qeue)", "groups by qeue");
    check(alive, "and on ()", "and on (lane)", "groups by lane");
    check(alive, "sum(max", "sum((max", "must stand");
    check(alive, "$job", "$jobs", "no variable is called $jobs");
    check(
        alive,
        "$job",
        "$instance",
        "no variable is called $instance",
    );
    // What `or vector(0)` hides from whoever looks at the panel.
    check("Workers up?", "up{job", "up{jbo", "has no label jbo");
    check(
        "What does Stytch answer?",
        "{{result}}",
        "{{resutl}}",
        "names resutl",
    );
    check(
        "What does Stytch answer?",
        "$__rate_interval",
        "5m",
        "does not follow",
    );
    check("What does Stytch answer?", "rate(", "(", "only rises");
}

/// A metric that is renamed in the code, with dashboards left as they are, is the same fault seen from the
/// other side: none of its selectors is known any more.
#[test]
fn each_metric_of_the_panels_is_missed_when_it_is_renamed() {
    let dashboards = committed();
    for spec in revoker::telemetry::catalogue::CATALOGUE {
        let renamed = format!("{}_renamed", spec.name);
        let text = serde_json::to_string(&dashboards).unwrap();
        let text = text.replace(spec.name, &renamed);
        let dashboards: Vec<Value> = serde_json::from_str(&text).unwrap();
        let found: Vec<_> = dashboards.iter().flat_map(complaints).collect();
        assert!(
            found.iter().any(|complaint| complaint.contains(&renamed)),
            "{}",
            spec.name
        );
    }
}
