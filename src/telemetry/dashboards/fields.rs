//! How the values of a panel are drawn: Grafana's `fieldConfig`.

use serde_json::{Value, json};

use super::{
    colours::{COLOURED, colour},
    panel::{Kind, Panel, Step, WHEN},
};
use crate::telemetry::catalogue::CATALOGUE;

fn thresholds(steps: &[Step]) -> Value {
    let step = |(from, colour): &Step| json!({ "value": from, "color": colour });
    json!({ "mode": "absolute", "steps": steps.iter().map(step).collect::<Vec<_>>() })
}

/// What holds for every series: unit, range, thresholds, lines.
pub(super) fn defaults(panel: &Panel) -> Value {
    let plain: &[Step] = &[(None, "green")];
    let steps = if panel.steps.is_empty() {
        plain
    } else {
        &panel.steps
    };
    let by_value = matches!(panel.kind, Kind::Stat | Kind::Bars);
    let mut defaults = json!({
        "unit": panel.unit,
        "thresholds": thresholds(steps),
        "mappings": [],
        "color": { "mode": if by_value { "thresholds" } else { "palette-classic" } },
    });
    // A time has no natural zero.
    if panel.unit != WHEN {
        defaults["min"] = 0.into();
    }
    let optional = [
        ("max", panel.max.map(Value::from)),
        ("decimals", panel.decimals.map(Value::from)),
        ("noValue", panel.none.map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            defaults[name] = value;
        }
    }
    if matches!(panel.kind, Kind::Lines | Kind::Stack) {
        let stacked = panel.kind == Kind::Stack;
        let shown = if panel.steps.is_empty() {
            "off"
        } else {
            "dashed"
        };
        defaults["custom"] = json!({
            // A line on top of a stack would be drawn over it by every series that is 0.
            "drawStyle": "line", "lineWidth": if stacked { 0 } else { 1 }, "fillOpacity": if stacked { 70 } else { 0 },
            "showPoints": "auto", "spanNulls": false, "axisPlacement": "auto",
            "stacking": { "mode": if stacked { "normal" } else { "none" }, "group": "A" },
            "thresholdsStyle": { "mode": shown },
        });
    }
    defaults
}

/// Fixed colours of words, and steps of one series.
pub(super) fn overrides(panel: &Panel) -> Vec<Value> {
    let by_name = |name: &str, property: Value| json!({ "matcher": { "id": "byName", "options": name }, "properties": [property] });
    let mut all = Vec::new();
    if matches!(panel.kind, Kind::Lines | Kind::Stack) {
        for label in COLOURED {
            let legend = format!("{{{{{label}}}}}");
            if !panel.targets.iter().any(|(_, asked)| *asked == legend) {
                continue;
            }
            for word in words(label) {
                let fixed = colour(label, word).map(|colour| {
                    json!({ "id": "color", "value": { "mode": "fixed", "fixedColor": colour } })
                });
                all.extend(fixed.map(|fixed| by_name(word, fixed)));
            }
        }
    }
    if let Some((series, steps)) = &panel.steps_of {
        let steps = json!({ "id": "thresholds", "value": thresholds(steps) });
        all.push(by_name(series, steps));
    }
    all
}

/// Every word that a label of this name can have, once.
fn words(label: &str) -> Vec<&'static str> {
    let mut words = Vec::new();
    let labels = CATALOGUE.iter().flat_map(|spec| spec.labels);
    for word in labels
        .filter(|l| l.name() == label)
        .flat_map(|l| l.values())
    {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}
