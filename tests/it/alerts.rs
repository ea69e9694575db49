//! Alerts, their tests and the runbook belong together: each alert has all three, and no command of the
//! runbook is one that does not exist.
//!
//! That alerts fire and stay silent as they should is tested by promtool, and that the runbook's commands do their
//! work by the live tests. Read by lines: the files are our own, and written so.

use std::{collections::BTreeSet, fs, path::Path};

use clap::CommandFactory;
use revoker::{cli::Cli, config, telemetry::dashboards::RUNBOOK_DEFAULT};

use crate::expressions::{Known, judge};

fn text_of(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// An alert as it is written.
struct Alert<'t> {
    name: &'t str,
    text: &'t str,
}

impl Alert<'_> {
    /// The value of its only line `key: …`, without quotes.
    fn value(&self, key: &str) -> Option<&str> {
        let start = format!("{key}: ");
        let mut found = self
            .text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(&start));
        let value = found.next()?;
        assert!(found.next().is_none(), "{} has {key} twice", self.name);
        Some(value.trim_matches('"'))
    }
}

fn alerts(text: &str) -> Vec<Alert<'_>> {
    let found = text.split("\n      - alert: ").skip(1).map(|text| Alert {
        name: text.lines().next().unwrap(),
        text,
    });
    let found: Vec<_> = found.collect();
    assert!(found.len() > 20, "only {} alerts were found", found.len());
    found
}

#[test]
fn each_alert_says_what_is_wrong_and_where_to_read_on() {
    let text = text_of("dashboards/alerts.yml");
    for alert in alerts(&text) {
        let name = alert.name;
        let severity = alert.value("severity").unwrap_or("none");
        assert!(
            ["page", "ticket", "info"].contains(&severity),
            "{name}: {severity}"
        );
        let summary = alert.value("summary").expect(name);
        assert!(
            !summary.ends_with('.') && summary.len() < 90,
            "{name}: {summary}"
        );
        assert!(
            alert
                .value("description")
                .expect(name)
                .ends_with(['.', '?']),
            "{name}"
        );
        let section = format!("{RUNBOOK_DEFAULT}#{}", name.to_lowercase());
        assert_eq!(alert.value("runbook_url"), Some(section.as_str()), "{name}");
    }
}

/// The name of each rule or alert and its expression.
fn expressions(text: &str) -> Vec<(&str, String)> {
    let rules = text.split("\n      - ").skip(1).map(|rule| {
        let (_, name) = rule.lines().next().unwrap().split_once(": ").unwrap();
        let (_, expr) = rule.split_once("expr: ").expect(name);
        let folded = expr.strip_prefix("|\n").map(|rest| {
            let lines = rest
                .lines()
                .take_while(|line| line.starts_with("          "));
            lines.collect::<Vec<_>>().join("\n")
        });
        (
            name,
            folded.unwrap_or_else(|| expr.lines().next().unwrap().to_owned()),
        )
    });
    rules.collect()
}

/// What promtool cannot know: whether there is such a metric, with such a label and such a value.
#[test]
fn rules_and_alerts_ask_only_what_there_is() {
    let mut known = Known::metrics();
    let mut judged = 0;
    for file in ["dashboards/rules.yml", "dashboards/alerts.yml"] {
        let text = text_of(file);
        for (name, expr) in expressions(&text) {
            let found = judge(&expr, &known);
            assert_eq!(found.complaints, Vec::<String>::new(), "{name}: {expr}");
            if file.ends_with("rules.yml") {
                known.record(name, &found.labels);
            }
            judged += 1;
        }
    }
    assert!(judged > 35, "only {judged} expressions were found");
    let misspelt = judge(
        "sum by (lane) (increase(revoker_dead_letter_total[5m])) > 0",
        &known,
    );
    assert_eq!(
        misspelt.complaints[0],
        "revoker_dead_letter_total is no metric"
    );
}

/// RevokerWatchdog fires always: there is no silence to test.
#[test]
fn each_alert_is_seen_to_fire_and_to_stay_silent() {
    let (text, tests) = (
        text_of("dashboards/alerts.yml"),
        text_of("dashboards/alerts_test.yml"),
    );
    for Alert { name, .. } in alerts(&text) {
        assert!(
            tests.contains(&format!("- name: \"{name} fires: ")),
            "{name}"
        );
        let silent = tests.contains(&format!("- name: \"{name} is silent: "));
        assert!(silent || name == "RevokerWatchdog", "{name}");
    }
}

/// The runbook's alerts: the chapter, the name, the text.
fn sections(runbook: &str) -> Vec<(&str, &str, &str)> {
    let chapters = runbook.split("\n## ").skip(1).flat_map(|chapter| {
        let title = chapter.lines().next().unwrap();
        chapter
            .split("\n### ")
            .skip(1)
            .map(move |text| (title, text))
    });
    chapters
        .map(|(chapter, text)| (chapter, text.lines().next().unwrap(), text))
        .collect()
}

#[test]
fn the_runbook_has_a_section_for_each_alert() {
    let (text, runbook) = (
        text_of("dashboards/alerts.yml"),
        text_of("deploy/RUNBOOK.md"),
    );
    let sections = sections(&runbook);
    let of_alerts: Vec<_> = alerts(&text)
        .iter()
        .map(|alert| {
            (
                alert.value("severity").unwrap().to_owned(),
                alert.name.to_owned(),
            )
        })
        .collect();
    let of_sections: Vec<_> = sections
        .iter()
        .map(|(chapter, name, _)| (chapter.to_lowercase(), (*name).to_owned()))
        .collect();
    assert_eq!(
        of_sections, of_alerts,
        "chapters are severities, sections alerts, in one order"
    );
    for (_, name, text) in sections {
        let parts = ["Meaning", "Impact", "Diagnosis", "Mitigation"].map(|part| {
            let found = text.find(&format!("\n**{part}.**"));
            found.unwrap_or_else(|| panic!("{name} has no {part}"))
        });
        assert!(parts.is_sorted(), "{name}");
        assert!(text.contains("```sh\n"), "{name} has no command");
    }
}

#[test]
fn the_runbook_names_only_what_exists() {
    let runbook = text_of("deploy/RUNBOOK.md");
    let settings: BTreeSet<String> = config::reference()
        .into_iter()
        .map(|s| s.variable)
        .collect();
    let words = runbook.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    for word in words.filter(|word| word.starts_with("REVOKER_")) {
        assert!(settings.contains(word), "{word} is no setting");
    }
    let blocks = runbook
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let mut seen = 0;
    for line in blocks
        .flat_map(str::lines)
        .filter(|line| line.starts_with("revoker "))
    {
        // No argument of them holds a blank but those in quotes.
        let line = line.replace("$CODE", "attempts_exhausted").replace('$', "");
        let arguments = line
            .split('"')
            .enumerate()
            .flat_map(|(n, part)| match n % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            });
        let parsed = Cli::command().try_get_matches_from(arguments);
        let fine = parsed
            .as_ref()
            .map_or_else(|error| !error.use_stderr(), |_| true);
        assert!(fine, "{line}: {}", parsed.unwrap_err());
        seen += 1;
    }
    assert!(seen > 20, "only {seen} commands were found");
}
