//! The house rules as tests: size, shape, purity, who may name whom, what lies at the top.
//!
//! Each rule is a function from one file to its findings, so that each can be shown a bad snippet
//! that it must catch: a rule that has never failed is not known to see. No parser, on purpose: a
//! few hundred lines that blank out strings and comments and read paths are enough, and can be read.

mod arrows;
mod blank;
mod purity;
mod shape;
mod source;
mod top;

use source::Source;

/// A rule: what it has against one file, each as `line: complaint`.
type Rule = fn(&Source) -> Vec<String>;

/// Every rule that looks at one file at a time.
const RULES: &[(&str, Rule)] = &[
    ("header", shape::header),
    ("white space", shape::white_space),
    ("file length", shape::file_length),
    ("function length", shape::function_length),
    ("leftovers", shape::leftovers),
    ("unwrap", shape::unwrap),
    ("expect", shape::expect),
    ("seams", shape::seams),
    ("foreign crates", arrows::foreign_crates),
    ("stages", arrows::stages),
    ("purity", purity::purity),
];

#[test]
fn every_file_keeps_the_house_rules() {
    let files = source::all();
    assert!(
        files.len() > 20,
        "only {} files found: is this the repository?",
        files.len()
    );
    let mut findings = Vec::new();
    for file in &files {
        for (rule, look) in RULES {
            let found = look(file);
            findings.extend(
                found
                    .iter()
                    .map(|what| format!("{}:{what} [{rule}]", file.path)),
            );
        }
    }
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

/// Shows a rule a file of that path: it must complain about exactly these lines.
fn check(rule: Rule, path: &str, text: &str, lines: &[usize]) {
    let found = rule(&Source::new(path, text));
    let line = |what: &String| what.split(':').next().unwrap().parse::<usize>().unwrap();
    let found_lines: Vec<usize> = found.iter().map(line).collect();
    assert_eq!(found_lines, lines, "{path}: {found:?}\n{text}");
}
