//! The process environment: the one place that looks at it beside clap.
//!
//! A misspelt variable would be ignored in silence, and the worker would run with a default instead of
//! what somebody wrote down; so unknown names that start like ours are worth a warning.

use std::{env, fs};

/// What the names of all our variables start with.
pub(super) const PREFIX: &str = "REVOKER_";
/// Longer names, or names of other characters, are not repeated in a warning.
const NAME_LEN_MAX: usize = 64;
/// How many unknown variables are named.
const WARNINGS_MAX: usize = 10;
/// How alike two names must be to be suggested; from strsim's range 0 to 1.
const SIMILARITY_MIN: f64 = 0.85;

/// Who runs this: `user@host`, as far as the environment and the system tell.
pub fn operator() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| env::var(name).ok());
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let part = |text: &str| match text.trim() {
        "" => "unknown".to_owned(),
        text => text
            .chars()
            .filter(|c| !c.is_control())
            .take(NAME_LEN_MAX)
            .collect(),
    };
    format!("{}@{}", part(&user.unwrap_or_default()), part(&host))
}

/// The names, never the values, of all `REVOKER_*` variables of this process, sorted.
pub(super) fn names() -> Vec<String> {
    let mut names: Vec<String> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with(PREFIX))
        .collect();
    names.sort();
    names
}

/// A warning for each name that is no setting.
pub(super) fn unknown_variables<'a>(
    names: impl Iterator<Item = &'a str>,
    known: &[&'static str],
) -> Vec<String> {
    names
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name))
        .take(WARNINGS_MAX)
        .map(|name| warning(name, known))
        .collect()
}

fn warning(name: &str, known: &[&'static str]) -> String {
    let printable = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.len() > NAME_LEN_MAX || !name.chars().all(printable) {
        return format!("a variable that starts with {PREFIX} is not a setting and is ignored");
    }
    let likeness = |other: &&'static str| strsim::jaro_winkler(strip(name), strip(other));
    let nearest = known
        .iter()
        .map(|other| (likeness(other), *other))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, other)) if likeness >= SIMILARITY_MIN => {
            format!("{name} is not a setting and is ignored; did you mean {other}?")
        }
        _ => format!("{name} is not a setting and is ignored; see revoker run --help"),
    }
}

fn strip(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}
