//! What lies at the top of the repository, and what the manifest promises.

use std::{collections::BTreeSet, fs, path::Path};

/// All that may lie at the top, beside dotfiles and the build's own folder.
const ALLOWED: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "dashboards",
    "deploy",
    "src",
    "tests",
];

/// The build's own folder, which is never committed.
const BUILD: &str = "target";

/// Which of the names may not be there.
fn strangers<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names
        .filter(|name| !name.starts_with('.') && *name != BUILD && !ALLOWED.contains(name))
        .collect()
}

#[test]
fn nothing_else_lies_at_the_top() {
    let entries = fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("the repository can be read");
    let names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let found = strangers(names.iter().map(String::as_str));
    assert!(found.is_empty(), "not allowed at the top: {found:?}");
}

#[test]
fn the_top_rule_sees() {
    let found = strangers(["src", "target", ".git", "notes.txt", "benches"].into_iter());
    assert_eq!(found, BTreeSet::from(["benches", "notes.txt"]));
}

#[test]
fn unsafe_code_is_forbidden_for_every_target() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("the manifest can be read");
    let lints = manifest
        .split("[lints.rust]")
        .nth(1)
        .expect("the manifest sets lints");
    let lints = lints.split("\n[").next().unwrap();
    assert!(
        lints
            .lines()
            .any(|line| line.trim() == r#"unsafe_code = "forbid""#),
        "{lints}"
    );
}
