//! What a dashboard asks: its expressions with their legends, read from Grafana's JSON.

use serde_json::Value;

use super::{Judged, Known, judge, legend_labels, resolve};

/// One expression of a dashboard.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Where it stands, for people.
    pub(crate) at: String,
    /// As it is written, with variables.
    pub(crate) expr: String,
    /// The legend, or what else is written of each series.
    pub(crate) legend: String,
    /// Whether it asks for one moment.
    pub(crate) instant: bool,
    /// Whether the panel says what it means when there is nothing.
    pub(crate) may_be_empty: bool,
}

/// Every expression of a dashboard's panels and annotations.
pub(crate) fn asked(dashboard: &Value) -> Vec<Asked> {
    let title = dashboard["title"].as_str().unwrap_or("no title");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for panel in list(&dashboard["panels"]) {
        for target in list(&panel["targets"]) {
            all.push(Asked {
                at: format!(
                    "{title}: {} {}",
                    text(&panel["title"]),
                    text(&target["refId"])
                ),
                expr: text(&target["expr"]),
                legend: text(&target["legendFormat"]),
                instant: target["instant"] == true,
                may_be_empty: panel["fieldConfig"]["defaults"]["noValue"].is_string(),
            });
        }
    }
    for annotation in list(&dashboard["annotations"]["list"]) {
        all.push(Asked {
            at: format!("{title}: annotation {}", text(&annotation["name"])),
            expr: text(&annotation["expr"]),
            legend: text(&annotation["titleFormat"]),
            instant: false,
            may_be_empty: false,
        });
    }
    all
}

/// The entries of a list; none where there is no list.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The variables that a dashboard has, with values as Grafana would give them; one that it does not declare
/// is not there, so that whoever names it is found out. Intervals are those of a scrape each second and points
/// 5 s apart: a rate is over a step and a scrape, so that no increase falls between two points.
pub(crate) fn variables(dashboard: &Value) -> Vec<(&'static str, &'static str)> {
    const VALUES: &[(&str, &str)] = &[("job", "(revoker)"), ("instance", "(.+)")];
    let declared = |name: &str| {
        list(&dashboard["templating"]["list"]).any(|variable| variable["name"] == name)
    };
    let own = VALUES.iter().filter(|(name, _)| declared(name)).copied();
    own.chain([("__rate_interval", "6s"), ("__range", "300s")])
        .collect()
}

/// What is wrong with one expression of a dashboard, without asking any Prometheus.
pub(crate) fn check(asked: &Asked, variables: &[(&str, &str)], known: &Known) -> Judged {
    let mut judged = match resolve(&asked.expr, variables) {
        Ok(resolved) => judge(&resolved, known),
        Err(why) => Judged {
            complaints: vec![why],
            ..Judged::default()
        },
    };
    let complaints = &mut judged.complaints;
    for label in legend_labels(&asked.legend) {
        let is_open = judged
            .selectors
            .iter()
            .any(|selector| selector.name == "ALERTS");
        if !is_open && !judged.labels.contains(label) {
            complaints.push(format!("the legend names {label}, which no series has"));
        }
    }
    for (function, ranges) in [
        ("rate(", &["$__rate_interval]"][..]),
        ("increase(", &["$__rate_interval]", "$__range]"]),
    ] {
        for (at, _) in asked.expr.match_indices(function) {
            let range = asked.expr[at..]
                .split_once('[')
                .map_or("", |(_, range)| range);
            if !ranges.iter().any(|known| range.starts_with(known)) {
                complaints.push(format!(
                    "{function}) over a range that does not follow the panel's"
                ));
            }
        }
    }
    judged
}
