//! From a dashboard to Grafana's JSON, as version 11 and later import it.

use serde_json::{Map, Value, json};

use super::{
    Dashboard,
    fields::{defaults, overrides},
    panel::{Kind, Panel, Row},
};

/// The form of the JSON: Grafana 11's.
const SCHEMA_VERSION: u32 = 39;
/// Both dashboards have it, and link to what has it.
const TAG: &str = "revoker";
/// RabbitMQ's own dashboards have it.
const TAG_RABBITMQ: &str = "rabbitmq-prometheus";
/// Columns of Grafana's grid.
const COLUMNS: u32 = 24;
/// Height of a tile, in rows of the grid.
const TILE_HEIGHT: u32 = 5;
/// Height of everything else.
const HEIGHT: u32 = 8;

/// The whole.
pub(super) fn dashboard(of: &Dashboard, runbook: &str) -> Value {
    let chosen = match of.by_instance {
        true => "job=~\"$job\",instance=~\"$instance\"",
        false => "job=~\"$job\"",
    };
    json!({
        "uid": of.uid,
        "title": of.title,
        "description": of.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": false,
        "graphTooltip": 1, // one crosshair through all panels
        "timezone": "utc",
        "time": { "from": of.range, "to": "now" },
        "timepicker": {},
        "refresh": of.refresh,
        "fiscalYearStartMonth": 0,
        "weekStart": "",
        "links": [linked("Revoker", TAG), linked("RabbitMQ", TAG_RABBITMQ)],
        "annotations": { "list": annotations() },
        "templating": { "list": variables(of, runbook) },
        "panels": panels(of, chosen),
    })
}

fn linked(title: &str, tag: &str) -> Value {
    json!({
        "type": "dashboards", "title": title, "tags": [tag], "asDropdown": false, "icon": "external link",
        "includeVars": false, "keepTime": true, "targetBlank": false, "tooltip": "", "url": "",
    })
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// Starts of workers, and alerts while they fire.
fn annotations() -> [Value; 2] {
    let annotation = |name: &str, colour: &str, expr: &str, title: &str, is_time: bool| {
        json!({
            "name": name, "datasource": datasource(), "enable": true, "hide": false, "iconColor": colour,
            "expr": expr, "step": "60s", "titleFormat": title, "textFormat": "{{instance}}",
            // The value itself says when, in milliseconds.
            "useValueForTime": if is_time { "on" } else { "off" },
        })
    };
    let starts = "process_start_time_seconds{job=~\"$job\"} * 1000";
    let firing = "ALERTS{alertname=~\"Revoker.*\",alertstate=\"firing\"}";
    [
        annotation("Starts", "blue", starts, "a worker started", true),
        annotation("Firing alerts", "red", firing, "{{alertname}}", false),
    ]
}

fn variables(of: &Dashboard, runbook: &str) -> Vec<Value> {
    let queried = |name: &str, label: &str, query: &str| {
        json!({
            "type": "query", "name": name, "label": label, "datasource": datasource(),
            "definition": query, "query": { "query": query, "refId": "Variable", "qryType": 1 },
            "refresh": 2, "sort": 1, "regex": "", "hide": 0, "options": [], "skipUrlSync": false,
            // All is each of them by name: a wildcard would match other programs, too.
            "multi": true, "includeAll": true, "current": { "text": ["All"], "value": ["$__all"] },
        })
    };
    let mut all = vec![
        json!({
            "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus",
            "refresh": 1, "regex": "", "hide": 0, "options": [], "multi": false, "includeAll": false,
            "skipUrlSync": false, "current": {},
        }),
        queried("job", "Job", "label_values(revoker_build_info, job)"),
    ];
    if of.by_instance {
        let query = "label_values(revoker_build_info{job=~\"$job\"}, instance)";
        all.push(queried("instance", "Instance", query));
    }
    let only = json!({ "text": runbook, "value": runbook, "selected": true });
    all.push(json!({
        "type": "constant", "name": "runbook", "label": "Runbook", "query": runbook, "hide": 2,
        "skipUrlSync": true, "current": only, "options": [only],
    }));
    all
}

/// Left to right, and down.
fn panels(of: &Dashboard, chosen: &str) -> Vec<Value> {
    let (mut panels, mut y) = (Vec::new(), 0);
    for row in &of.rows {
        panels.push(json!({
            "id": panels.len() + 1, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": y, "w": COLUMNS, "h": 1 },
        }));
        y += 1;
        let (mut x, mut tallest) = (0, 0);
        for panel in &row.panels {
            let width = u32::from(panel.width);
            if x + width > COLUMNS {
                (x, y, tallest) = (0, y + tallest, 0);
            }
            let height = height(row);
            let mut value = self::panel(panel, chosen);
            value["id"] = (panels.len() + 1).into();
            value["gridPos"] = json!({ "x": x, "y": y, "w": width, "h": height });
            panels.push(value);
            (x, tallest) = (x + width, tallest.max(height));
        }
        y += tallest;
    }
    panels
}

/// A row of nothing but tiles, and what is as narrow, is low.
fn height(row: &Row) -> u32 {
    let tile = Panel::new(Kind::Stat, "").width;
    match row.panels.iter().all(|panel| panel.width == tile) {
        true => TILE_HEIGHT,
        false => HEIGHT,
    }
}

fn panel(panel: &Panel, chosen: &str) -> Value {
    let asked = panel.targets.iter().enumerate();
    let targets: Vec<_> = asked
        .map(|(at, (expr, legend))| {
            let over_time = matches!(panel.kind, Kind::Lines | Kind::Stack);
            json!({
                "refId": char::from(b'A' + at as u8).to_string(), "datasource": datasource(),
                "expr": expr.replace("$where", chosen), "legendFormat": legend, "editorMode": "code",
                "instant": !over_time, "range": over_time,
                "format": if panel.kind == Kind::Table { "table" } else { "time_series" },
            })
        })
        .collect();
    let links = panel.runbook.map(|section| {
        let url = format!("${{runbook}}#{}", section.to_lowercase());
        json!({ "title": format!("Runbook: {section}"), "url": url, "targetBlank": true })
    });
    json!({
        "type": kind(panel.kind),
        "title": panel.title,
        "description": format!("Good: {}.\n\nOtherwise: {}.", panel.good, panel.otherwise),
        "datasource": datasource(),
        "targets": targets,
        "links": Vec::from_iter(links),
        "transparent": false,
        "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel) },
        "options": options(panel),
        "transformations": transformations(panel),
    })
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Stat => "stat",
        Kind::Bars => "bargauge",
        Kind::Lines | Kind::Stack => "timeseries",
        Kind::Table => "table",
    }
}

fn options(panel: &Panel) -> Value {
    let now = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match panel.kind {
        Kind::Stat => json!({
            "reduceOptions": now, "colorMode": "value", "graphMode": "none", "textMode": "auto",
            "justifyMode": "auto", "orientation": "auto", "wideLayout": true,
        }),
        Kind::Bars => json!({
            "reduceOptions": now, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true,
            "valueMode": "color", "namePlacement": "top", "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16,
        }),
        Kind::Lines | Kind::Stack => json!({
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Table => {
            json!({ "showHeader": true, "cellHeight": "sm", "footer": { "show": false, "reducer": [], "fields": "" } })
        }
    }
}

/// Of a table: no time, and where there is an outcome, a column for each.
fn transformations(panel: &Panel) -> Vec<Value> {
    if panel.kind != Kind::Table {
        return Vec::new();
    }
    let of_campaigns = panel
        .targets
        .iter()
        .any(|(expr, _)| expr.contains("(campaign, outcome)"));
    if of_campaigns {
        let matrix = json!({ "rowField": "campaign", "columnField": "outcome", "valueField": "Value", "emptyValue": "zero" });
        return vec![json!({ "id": "groupingToMatrix", "options": matrix })];
    }
    let mut renamed = Map::new();
    renamed.insert("Value".into(), "workers".into());
    let organized =
        json!({ "excludeByName": { "Time": true }, "indexByName": {}, "renameByName": renamed });
    vec![json!({ "id": "organize", "options": organized })]
}
