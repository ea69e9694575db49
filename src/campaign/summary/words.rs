//! The summary's sentences, each used by the page and by the short form.

use super::{Beside, List};
use crate::campaign::{
    evidence::{Footer, Header},
    outcome::Done,
};

/// What keeps it from being complete, and what to do.
pub(super) fn wrong(header: &Header, footer: &Footer) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(gap) = &footer.gap {
        let since = match gap.since {
            Some(at) => format!("incomplete since {at}"),
            None => "incomplete: no outcome is left".to_owned(),
        };
        found.push(format!(
            "{since}: the audit stream has forgotten its entries from {} on, or was made anew; an earlier report may have them",
            gap.wanted
        ));
    }
    if footer.strangers {
        found.push("events count that the manifests do not have; --input FILE with the list tells how many".to_owned());
    }
    if header.parts.iter().any(|part| !part.published_all) {
        found.push(
            "its list was not published to the end; start the campaign again with the same list"
                .to_owned(),
        );
    }
    let left = [
        (
            Done::Waiting,
            "still wait; write the report again when they are done",
        ),
        (
            Done::Failed,
            "failed; see revoker's dead letters, replay them, and write the report again",
        ),
        (
            Done::Cancelled,
            "were cancelled; --input FILE writes those that are left into missing.csv",
        ),
        (
            Done::Obsolete,
            "were obsolete: not_after had passed; --input FILE writes them into missing.csv",
        ),
    ];
    for (done, remedy) in left {
        match footer.count(done) {
            0 => {}
            count => found.push(format!("{count} {remedy}")),
        }
    }
    found
}

pub(super) fn shown(footer: &Footer) -> impl Iterator<Item = Done> + '_ {
    let all = Done::ALL.iter().rev().copied();
    all.filter(|done| footer.count(*done) > 0)
}

pub(super) fn words(done: Done) -> &'static str {
    match done {
        Done::Waiting => "waiting",
        Done::Failed => "failed (dead-lettered)",
        Done::Cancelled => "cancelled",
        Done::Obsolete => "obsolete",
        Done::Duplicate => "duplicate: another event did it",
        Done::UnknownUser => "Stytch knows no such user",
        Done::NoSuchSession => "Stytch knows no such session",
        Done::Revoked => "revoked",
    }
}

pub(super) fn signature(beside: &Beside) -> String {
    match &beside.signed_by {
        Some(key) => format!("signed with {key}"),
        None => "unsigned".to_owned(),
    }
}

pub(super) fn anchor(beside: &Beside) -> String {
    match &beside.not_anchored {
        None => "anchored in the operator's stream".to_owned(),
        Some(why) => format!("not anchored in the operator's stream: {why}"),
    }
}

pub(super) fn against_list(list: List) -> String {
    let of = match list.part {
        Some(part) => format!("the list is that of part {part}"),
        None => "the list is of no part of this campaign".to_owned(),
    };
    format!(
        "{of}: {} targets, {} without proof, {} proven or failed that are not in it",
        list.targets, list.missing, list.strangers
    )
}

pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// An operator's words without what a terminal would obey.
pub fn plain(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.collect()
}

/// The same in a table: nothing that would end the cell, the row or the text.
pub(super) fn cell(text: &str) -> String {
    plain(text)
        .replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
}
