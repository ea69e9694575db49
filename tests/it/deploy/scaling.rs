//! `deploy/SCALING.md` counts rightly, from the numbers that were measured.

use super::text_of;

/// The cells of the rows that begin so.
fn row(text: &str, begins: &str) -> Vec<String> {
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("| {begins} |")));
    let line = line.unwrap_or_else(|| panic!("no row {begins:?}"));
    line.trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// The number that a text begins with.
fn number(text: &str) -> f64 {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','));
    let digits = text[..end.unwrap_or(text.len())].replace(',', "");
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no number: {text}"))
}

/// A column of a row of tests/bench/RESULTS.md, of its first table of this scenario.
fn measured(scenario: &str, program: &str, column: &str) -> f64 {
    let results = text_of("tests/bench/RESULTS.md");
    let (_, table) = results
        .split_once(&format!("## `{scenario}`"))
        .expect(scenario);
    let head = row(table, "program");
    let at = head.iter().position(|name| name == column).expect(column);
    number(&row(table, program)[at])
}

#[test]
fn measured_numbers_are_those_of_the_results() {
    let scaling = text_of("deploy/SCALING.md");
    let with = "revoker-with-outcomes";
    let found = |begins: &str| number(&row(&scaling, begins)[1]);
    let wanted = [
        (
            "one worker, one lane, outcomes recorded, API answers at once",
            measured("instant", with, "events/s"),
        ),
        (
            "the same, outcomes off",
            measured("instant", "revoker", "events/s"),
        ),
        (
            "one core of a worker, outcomes recorded",
            1e6 / measured("instant", with, "CPU ms per 1,000"),
        ),
        (
            "one core, at a pace of 500/s",
            1e6 / measured("limited", with, "CPU ms per 1,000"),
        ),
        (
            "one worker, API answers after 20 ms",
            measured("latency", with, "events/s"),
        ),
        ("one worker, API answers after 50 ms", 168.0 / 0.05),
    ];
    for (begins, wanted) in wanted {
        let found = found(begins);
        assert!(
            (found / wanted - 1.0).abs() < 0.003,
            "{begins}: {found}, measured {wanted}"
        );
    }
    let share = measured("limited", "revoker", "÷ ideal");
    assert!(
        scaling.contains(&format!("limit × {share:.2}, ")),
        "{share}"
    );
    let took = measured("limited", "revoker", "s to finish");
    assert!(scaling.contains(&format!("({took} s for 20,000 at 500/s)")));
}

#[test]
fn times_are_sessions_by_the_limit() {
    let scaling = text_of("deploy/SCALING.md");
    let (_, table) = scaling.split_once("## How long it takes").unwrap();
    let limits: Vec<f64> = row(table, "sessions")[1..]
        .iter()
        .map(|head| number(head.trim_start_matches("at ")))
        .collect();
    for sessions in ["10,000", "1,000,000", "100,000,000"] {
        let cells = row(table, sessions);
        for (limit, cell) in limits.iter().zip(&cells[1..]) {
            let (_, unit) = cell.split_once(' ').unwrap();
            let seconds = match unit {
                "s" => 1.0,
                "min" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                other => panic!("{other}"),
            };
            let wanted = number(sessions) / limit * 1.06 / seconds;
            assert!(
                (number(cell) - wanted).abs() <= 0.05,
                "{sessions} at {limit}: {cell}, {wanted}"
            );
        }
    }
}

/// What the stream keeps, by its own argument.
#[test]
fn the_audit_stream_keeps_so_many() {
    let scaling = text_of("deploy/SCALING.md");
    let definitions = text_of("deploy/rabbitmq/definitions.json");
    let (_, rest) = definitions.split_once("\"x-max-age\": \"90D\"").unwrap();
    let (_, bytes) = rest.split_once("\"x-max-length-bytes\": ").unwrap();
    let (bytes, outcome) = (number(bytes), 803.0);
    let millions = bytes / outcome / 1e6;
    assert!(scaling.contains(&format!(
        "keeps {} GB, which is {millions:.1} million outcomes of {outcome} bytes",
        bytes / 1e9
    )));
}
