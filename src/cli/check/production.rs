//! What works and is not for production. Nothing is asked for it but the settings and this process.

use super::report::{Check, Line};
use crate::{
    cli::memory,
    config::{Hardening, Problem},
};

/// All that is not hardened, and one line if nothing is left.
pub(super) fn lines(hardening: &Hardening) -> Vec<Line> {
    judge(hardening, memory::stays_in())
}

/// The same, of what was found. Pure.
pub fn judge(hardening: &Hardening, stays_in_memory: bool) -> Vec<Line> {
    let check = Check::Production;
    let mut lines: Vec<Line> = hardening.soft.iter().map(failed).collect();
    if !stays_in_memory {
        lines.push(Line::failed(
            check,
            "core dumps cannot be turned off, and would hold credentials",
            "let the supervisor set the limit of core files to 0, and allow prctl(PR_SET_DUMPABLE)",
        ));
    }
    if lines.is_empty() {
        lines.push(Line::ok(check, "credentials come from files that nobody else may read, go nowhere in plain text, and stay out of core dumps"));
    }
    let notes = hardening.notes.iter();
    lines.extend(notes.map(|note| Line::ok(check, format!("note: {note}"))));
    lines
}

fn failed(problem: &Problem) -> Line {
    let text = problem.to_string();
    let (said, todo) = text.split_once("; ").unwrap_or((&text, "mend it"));
    Line::failed(Check::Production, said, todo)
}
