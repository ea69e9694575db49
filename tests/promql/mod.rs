//! Reads PromQL and says what is wrong with an expression before any Prometheus sees it: names that no
//! metric has, labels and values that it cannot have, sides that can never match.
//!
//! For whatever holds expressions: panels, recording rules, alerts. Not a complete PromQL: what ours do not
//! use is refused. The library that would parse it brings a crate we ban and one that is unmaintained. That
//! an expression is valid is said by Prometheus itself in the live tests, or by promtool.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its own part"
)]

mod check;
mod known;
pub(crate) mod panels;
mod read;
mod tokens;

use std::collections::BTreeSet;

pub(crate) use known::{Known, PROCESS};
pub(crate) use read::Selector;

/// What is said of one expression.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What is wrong; nothing if nothing is.
    pub(crate) complaints: Vec<String>,
    /// The labels its result may have.
    pub(crate) labels: BTreeSet<String>,
    /// Every vector selector in it, in order.
    pub(crate) selectors: Vec<Selector>,
}

/// Judges an expression without variables.
pub(crate) fn judge(text: &str, known: &Known) -> Judged {
    match read::read(text) {
        Ok(expr) => check::check(&expr, known),
        Err(why) => Judged {
            complaints: vec![why],
            ..Judged::default()
        },
    }
}

/// Puts values in place of `$name` and `${name}`.
///
/// # Errors
/// The name of a variable that has no value.
pub(crate) fn resolve(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        resolved.push_str(before);
        let after = after.strip_prefix('{').unwrap_or(after);
        let braced = rest[before.len()..].starts_with("${");
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(after.len());
        let name = &after[..end];
        let value = variables.iter().find(|(known, _)| *known == name);
        let (_, value) = value.ok_or_else(|| format!("no variable is called ${name}"))?;
        resolved.push_str(value);
        rest = &after[end..];
        if braced {
            rest = rest
                .strip_prefix('}')
                .ok_or_else(|| format!("${{{name} is not closed"))?;
        }
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// The names in `{{name}}` of a legend.
pub(crate) fn legend_labels(legend: &str) -> Vec<&str> {
    let parts = legend.split("{{").skip(1);
    parts
        .filter_map(|part| part.split_once("}}").map(|(name, _)| name.trim()))
        .collect()
}
