//! The README says what the code says: its tables, names, links and promises.
//!
//! Tables that come from the code, and what the simulated rate control comes to, are written by `UPDATE_README=1 cargo test --test it readme`. What
//! `deploy/demo --try` prints is compared by `tests/run demo`, which runs it.

use std::{collections::BTreeSet, fs, path::Path};

use crate::gate_sim::plot;
use clap::CommandFactory;
use revoker::{
    cli::Cli,
    config,
    revoke::outcome::classify,
    settle::code::Code,
    telemetry::{catalogue, labels::dead_letter_codes},
};

fn text_of(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands between `<!-- name -->` and `<!-- /name -->`.
fn block<'a>(readme: &'a str, name: &str) -> &'a str {
    let (_, rest) = readme.split_once(&format!("<!-- {name} -->\n")).unwrap();
    rest.split_once(&format!("<!-- /{name} -->")).unwrap().0
}

/// Every `word` of the text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of a table, without its head, as cells.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .skip(2)
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}

#[test]
fn tables_are_those_of_the_code() {
    let tables = [
        ("settings", config::markdown_table()),
        ("metrics", catalogue::markdown_table()),
        ("codes", codes_table()),
        ("rate", plot::paragraph()),
    ];
    let mut readme = text_of("README.md");
    if std::env::var_os("UPDATE_README").is_some() {
        for (name, table) in &tables {
            let old = format!("<!-- {name} -->\n{}", block(&readme, name));
            readme = readme.replace(&old, &format!("<!-- {name} -->\n{table}"));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        fs::write(path, &readme).unwrap();
    }
    for (name, table) in tables {
        assert_eq!(
            block(&readme, name),
            table,
            "the table \"{name}\" is old: UPDATE_README=1 cargo test --test it readme"
        );
    }
}

/// The dead-letter codes by what they mean; a code that no row names makes the test fail.
fn codes_table() -> String {
    let own = |code: Code| match code {
        Code::AttemptsExhausted => "every attempt and every delay is used up",
        Code::UserSessionsRemain => "the user still has old sessions after every round",
        Code::Expired => "its publisher set an `expiration`, and it expired unprocessed",
        Code::SealKeyUnknown => "a sealed retry whose key is gone from the key ring",
        Code::DeliveryLimit => {
            "handled alone, again and again, it ended the worker each time; it was not read"
        }
        Code::InternalError => "the worker panicked over it: a bug, please report it",
        Code::Rejected(_) => "the event breaks the contract; `revoker-text` says how",
        Code::Api(_) => "Stytch refuses it for good",
    };
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    for code in dead_letter_codes() {
        let (why, word) = (own(code), format!("`{}`", code.as_str()));
        match rows.iter_mut().find(|(other, _)| *other == why) {
            Some((_, words)) => words.push(word),
            None => rows.push((why, vec![word])),
        }
    }
    let rows = rows
        .iter()
        .map(|(why, words)| format!("| {why} | {} |\n", words.join(", ")));
    format!("| why | codes |\n|---|---|\n{}", rows.collect::<String>())
}

#[test]
fn answers_mean_what_the_table_says() {
    let readme = text_of("README.md");
    let mut checked = 0;
    for cells in rows(block(&readme, "answers")) {
        let [answers, class, _] = cells[..] else {
            panic!("{cells:?}")
        };
        for answer in answers.split(", ") {
            let mut parts = answer.split_whitespace();
            let Some(status) = parts.next().and_then(|word| word.parse::<u16>().ok()) else {
                // Not an HTTP answer: a time-out and its kin.
                assert_eq!(class, "retryable", "{answer}");
                continue;
            };
            if status == 200 {
                assert_eq!(class, "revoked");
                continue;
            }
            let class_of = classify(status, quoted(answer).next());
            assert_eq!(class_of.name(), class, "{answer}");
            checked += 1;
        }
    }
    assert!(checked > 25, "only {checked} answers were found");
}

/// Names in the text that start so; of metrics without what a histogram adds.
fn names_in<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(move |word| word.starts_with(start))
        .map(|word| word.trim_end_matches("_bucket"))
}

#[test]
fn every_name_exists() {
    let readme = text_of("README.md");
    let known: BTreeSet<String> = config::reference()
        .into_iter()
        .map(|setting| setting.variable)
        .collect();
    for word in names_in(&readme, "REVOKER_") {
        assert!(known.contains(word), "{word} is no setting");
    }
    let metrics: BTreeSet<&str> = catalogue::CATALOGUE.iter().map(|spec| spec.name).collect();
    let dashboards = text_of("dashboards/README.md");
    for word in names_in(&readme, "revoker_").chain(names_in(&dashboards, "revoker_")) {
        assert!(metrics.contains(word), "{word} is no metric");
    }
    let commands: BTreeSet<String> = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for command in &commands {
        let named = format!("`revoker {command}`");
        assert!(readme.contains(&named), "{named} is not in the README");
    }
    let code = quoted(&readme).filter_map(|code| code.strip_prefix("revoker "));
    for command in code {
        let command = command.split_whitespace().next().unwrap();
        assert!(commands.contains(command), "{command} is no subcommand");
    }
}

/// What the live tests run is what people copy.
#[test]
fn examples_are_the_files() {
    let readme = text_of("README.md");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples");
    let mut shown = 0;
    // Those for publishers stand in their own guide.
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    for path in files.filter(|path| path.is_file()) {
        let example = format!("```python\n{}```\n", fs::read_to_string(&path).unwrap());
        assert!(readme.contains(&example), "{path:?} is not in the README");
        shown += 1;
    }
    assert!(shown > 0);
}

#[test]
fn links_lead_somewhere() {
    let readme = text_of("README.md");
    let targets: Vec<&str> = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.starts_with("https://"))
        .collect();
    assert!(!targets.is_empty());
    for target in targets {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        assert!(path.exists(), "{target} is not there");
    }
}

/// The numbered lines of a text, each as one line, whatever was wrapped.
fn numbered(text: &str, comment: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.strip_prefix(comment).unwrap_or(line);
        let starts =
            line.as_bytes().first().is_some_and(u8::is_ascii_digit) && line[1..].starts_with(". ");
        match items.last_mut() {
            _ if starts => items.push(line.to_owned()),
            Some(item) if inside && line.starts_with("   ") => {
                item.push(' ');
                item.push_str(line.trim());
            }
            _ => {}
        }
        inside = starts || (inside && line.starts_with("   "));
    }
    items
}

#[test]
fn promises_are_those_of_the_code() {
    let (code, readme) = (text_of("src/lib.rs"), text_of("README.md"));
    let promised = numbered(&code, "//! ");
    assert_eq!(promised.len(), 5);
    assert_eq!(numbered(&readme, ""), promised);
}
