//! The rules of panels: each has a question, a unit, thresholds set on purpose, and a place of its own.

use std::collections::BTreeSet;

use serde_json::Value;

use super::committed;
use crate::expressions::panels::list;

/// Grafana's ids of the units we use; a misspelt one is shown as a plain number.
const UNITS: &[&str] = &[
    "locale",
    "s",
    "percentunit",
    "reqps",
    "cps",
    "bytes",
    "dateTimeFromNow",
];
const TYPES: &[&str] = &["stat", "timeseries", "bargauge", "table"];
/// What Grafana puts where nobody has thought.
const DEFAULT_THRESHOLD: u64 = 80;
const COLUMNS: u64 = 24;

/// Characters of a title for each column of its panel, on a screen of 1,500 pixels.
const TITLE_CHARS_PER_COLUMN: f64 = 5.5;

/// What is against the rules in one dashboard.
pub(super) fn lint(dashboard: &Value) -> Vec<String> {
    let mut found = whole(dashboard);
    let (mut ids, mut titles, mut places) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for panel in list(&dashboard["panels"]) {
        let title = panel["title"].as_str().unwrap_or_default();
        if !ids.insert(panel["id"].as_u64()) || panel["id"].is_null() {
            found.push(format!("{title}: its id is another's"));
        }
        if !titles.insert(title) {
            found.push(format!("{title}: its title is another's"));
        }
        found.extend(place(panel, &mut places).map(|what| format!("{title}: {what}")));
        if panel["type"] != "row" {
            found.extend(
                self::panel(panel)
                    .into_iter()
                    .map(|what| format!("{title}: {what}")),
            );
        }
    }
    found
}

fn whole(dashboard: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let fixed = [
        ("/editable", Value::from(false)),
        ("/timezone", "utc".into()),
        ("/graphTooltip", 1.into()),
        ("/schemaVersion", 39.into()),
        ("/templating/list/0/name", "datasource".into()),
        ("/templating/list/0/label", "Data source".into()),
        ("/templating/list/1/name", "job".into()),
    ];
    for (at, wanted) in fixed {
        if dashboard.pointer(at) != Some(&wanted) {
            found.push(format!("{at} is not {wanted}"));
        }
    }
    let tags: Vec<_> = list(&dashboard["links"])
        .map(|link| &link["tags"][0])
        .collect();
    if tags != ["revoker", "rabbitmq-prometheus"] || dashboard["tags"][0] != "revoker" {
        found.push("it does not link to the other dashboards".into());
    }
    if list(&dashboard["annotations"]["list"]).count() != 2 {
        found.push("starts and alerts are not marked".into());
    }
    found
}

/// Where a panel stands; it must be inside the grid and over no other.
fn place(panel: &Value, places: &mut Vec<[u64; 4]>) -> Option<String> {
    let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64());
    let (Some(x), Some(y), Some(w), Some(h)) = (x, y, w, h) else {
        return Some("it has no place".into());
    };
    let (right, bottom) = (x + w, y + h);
    let overlaps =
        |other: &&[u64; 4]| x < other[2] && other[0] < right && y < other[3] && other[1] < bottom;
    let problem = match () {
        () if w == 0 || h == 0 || right > COLUMNS => Some("it is not inside the grid"),
        () if places.iter().find(overlaps).is_some() => Some("it lies over another"),
        () => None,
    };
    places.push([x, y, right, bottom]);
    problem.map(str::to_owned)
}

fn panel(panel: &Value) -> Vec<String> {
    let defaults = &panel["fieldConfig"]["defaults"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (unit, description) = (text(&defaults["unit"]), text(&panel["description"]));
    let overrides = list(&panel["fieldConfig"]["overrides"]).flat_map(|o| list(&o["properties"]));
    let of_series = overrides
        .filter(|p| p["id"] == "thresholds")
        .flat_map(|p| list(&p["value"]["steps"]));
    let steps: Vec<&Value> = list(&defaults["thresholds"]["steps"])
        .chain(of_series)
        .collect();
    let is_red = |step: &&Value| step["color"] == "red" || step["color"] == "orange";
    let columns = panel["gridPos"]["w"].as_f64().unwrap_or_default();
    let runbook = text(&panel["links"][0]["url"]);
    let (targets, mut refs) = (|| list(&panel["targets"]), BTreeSet::new());
    let of_datasource = |value: &Value| value["datasource"]["uid"] == "${datasource}";
    let rules = [
        (
            TYPES.contains(&&*text(&panel["type"])),
            "its type is not one of ours",
        ),
        (
            text(&panel["title"]).ends_with('?'),
            "its title is no question",
        ),
        (
            text(&panel["title"]).len() as f64 <= TITLE_CHARS_PER_COLUMN * columns,
            "its title is cut off",
        ),
        (
            ["Good: ", "Otherwise: "]
                .iter()
                .all(|word| description.contains(word))
                && !description.contains(": ."),
            "its description does not say what is good and what to do",
        ),
        (UNITS.contains(&&*unit), "its unit is not known"),
        (
            unit == "dateTimeFromNow" || defaults["min"] == 0,
            "it does not begin at 0",
        ),
        (
            !steps.is_empty() && steps[0]["value"].is_null(),
            "it has no thresholds",
        ),
        (
            steps.iter().all(|step| step["value"] != DEFAULT_THRESHOLD),
            "its threshold is Grafana's, not ours",
        ),
        (
            !steps.iter().any(is_red) || runbook.starts_with("${runbook}#revoker"),
            "it turns red or orange and names no runbook",
        ),
        (
            of_datasource(panel) && targets().all(of_datasource),
            "it asks a data source of its own",
        ),
        (
            targets().count() > 0 && targets().all(|target| refs.insert(text(&target["refId"]))),
            "it asks nothing, or twice by one name",
        ),
        (
            targets().all(|target| panel["type"] == "table" || target["legendFormat"] != ""),
            "a series has no name",
        ),
    ];
    let broken = rules.into_iter().filter(|(kept, _)| !kept);
    broken.map(|(_, what)| what.to_owned()).collect()
}

#[test]
fn every_panel_keeps_the_rules() {
    let mut uids = BTreeSet::new();
    for dashboard in committed() {
        let found = lint(&dashboard);
        assert!(
            found.is_empty(),
            "{}: {}",
            dashboard["title"],
            found.join("\n")
        );
        assert!(uids.insert(dashboard["uid"].as_str().unwrap().to_owned()));
    }
    assert_eq!(uids.len(), 2);
}

#[test]
fn every_link_leads_to_a_section_of_the_runbook() {
    let runbook = std::fs::read_to_string(super::path("../deploy/RUNBOOK.md")).unwrap();
    let sections: BTreeSet<_> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(|name| format!("Runbook: {name}"))
        .collect();
    for dashboard in committed() {
        let links = list(&dashboard["panels"]).flat_map(|panel| list(&panel["links"]));
        for title in links.map(|link| link["title"].as_str().unwrap()) {
            assert!(sections.contains(title), "{title}");
        }
    }
}

/// Each rule is shown a panel that breaks it.
#[test]
fn the_rules_see() {
    let right = committed().remove(0);
    let check = |at: &str, value: Value, says: &str| {
        let mut wrong = right.clone();
        *wrong.pointer_mut(at).expect(at) = value;
        let found = lint(&wrong).join("; ");
        assert!(found.contains(says), "{at}: {found}");
    };
    let defaults = |name: &str| format!("/panels/2/fieldConfig/defaults/{name}");
    check("/editable", true.into(), "/editable");
    check("/timezone", "browser".into(), "/timezone");
    check("/templating/list/0/label", "".into(), "label");
    check("/links/1/tags", Value::Null, "link to the other");
    check("/annotations/list", Value::Null, "not marked");
    check("/panels/2/id", 2.into(), "another's");
    check("/panels/2/title", "Workers up?".into(), "another's");
    check("/panels/2/title", "Alive".into(), "no question");
    let long = "How many of them are alive?";
    check("/panels/2/title", long.into(), "cut off");
    check("/panels/2/description", "Good: .".into(), "description");
    check("/panels/2/type", "gauge".into(), "not one of ours");
    check("/panels/2/gridPos/x", 0.into(), "over another");
    check("/panels/2/gridPos/w", 24.into(), "inside the grid");
    check(&defaults("unit"), "short".into(), "unit");
    check(&defaults("min"), Value::Null, "begin at 0");
    check(
        &defaults("thresholds/steps/1/value"),
        80.into(),
        "Grafana's",
    );
    check(&defaults("thresholds/steps"), Value::Null, "no thresholds");
    check("/panels/2/links", Value::Null, "no runbook");
    check(
        "/panels/2/datasource/uid",
        "prometheus-1".into(),
        "data source",
    );
    check(
        "/panels/2/targets/0/datasource/uid",
        "prometheus-1".into(),
        "data source",
    );
    check("/panels/2/targets", Value::Null, "asks nothing");
    check("/panels/2/targets/0/legendFormat", "".into(), "no name");
    let twice = vec![right["panels"][2]["targets"][0].clone(); 2];
    check("/panels/2/targets", twice.into(), "twice");
}
