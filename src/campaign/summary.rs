//! The summary of a report: one page for people, from the evidence's first and last line.
//!
//! Its words are chosen to claim nothing that the evidence does not show: "Stytch knows no such session"
//! is not "logged out", and what is not quite all is never 100 %.

mod words;

use std::{fmt::Write, time::Duration};

use super::{
    evidence::{Footer, Header},
    outcome::Done,
};
pub use words::plain;
use words::{against_list, anchor, cell, sentence, shown, signature, words, wrong};

/// A hundred percent, in the hundredths that are shown.
const ALL: u128 = 100 * 100;

/// What is beside the evidence.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The end of the chain.
    pub chain_end: String,
    /// The public key that signed, by its fingerprint.
    pub signed_by: Option<String>,
    /// Why the chain's end is not in the operator's stream; `None` if it is.
    pub not_anchored: Option<String>,
    /// What the list says that was given.
    pub list: Option<List>,
}

/// A list beside the proof.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct List {
    /// Its targets, each counted once.
    pub targets: u64,
    /// The part that was started from it; `None` if none was.
    pub part: Option<u32>,
    /// Targets without proof.
    pub missing: u64,
    /// Events that count and whose targets are not in it.
    pub strangers: u64,
}

/// How much is proven, such as `99.99 %`: rounded down, and 100 only if all is.
pub fn percent(footer: &Footer) -> String {
    if footer.complete {
        return "100 %".to_owned();
    }
    let of = u128::from(footer.expected.max(1));
    let hundredths = (u128::from(footer.proven) * ALL / of).min(ALL - 1);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// The short form for the terminal.
pub fn short(header: &Header, footer: &Footer, beside: &Beside) -> String {
    let mut text = format!(
        "{}campaign {}: {} of {} proven ({})\n",
        if header.drill { "DRILL: " } else { "" },
        header.campaign_id,
        footer.proven,
        footer.expected,
        percent(footer)
    );
    let mut line = |text_of: String| text += &format!("  {text_of}\n");
    for done in shown(footer) {
        line(format!("{}: {}", words(done), footer.count(done)));
    }
    if footer.refused > 0 {
        line(format!("outcomes that did not count: {}", footer.refused));
    }
    if let Some(at) = footer.safe_at {
        line(format!(
            "JWTs that were already issued have run out at {at}"
        ));
    }
    line(signature(beside));
    line(anchor(beside));
    if let Some(list) = beside.list {
        line(against_list(list));
    }
    for what in wrong(header, footer) {
        line(what);
    }
    text
}

/// The page.
pub fn page(header: &Header, footer: &Footer, beside: &Beside) -> String {
    let mut text = format!("# Campaign {}\n\n", header.campaign_id);
    if header.drill {
        text += "**DRILL: nobody was logged out. This report proves that the procedure works, and nothing else.**\n\n";
    }
    let _ = writeln!(
        text,
        "**{} of {} proven ({}).** {}\n",
        footer.proven,
        footer.expected,
        percent(footer),
        if footer.complete {
            "Complete."
        } else {
            "Not complete."
        }
    );
    for what in wrong(header, footer) {
        let _ = writeln!(text, "- {what}");
    }
    parts(&mut text, header);
    events(&mut text, footer);
    times(&mut text, footer);
    proof(&mut text, header, beside);
    text += LIMITS;
    text
}

/// What the report does not prove.
const LIMITS: &str = "
## What this report does not prove

- That the list was right: it proves what happened to the targets that were listed.
- That a session which Stytch did not know was ever there, or who ended it.
- That a service refuses JWTs that were issued before: one that validates them locally may accept them until they run out.
- That nobody logged in again: sessions newer than the cutoff stay alive on purpose.
- More than the workers and the broker said: it was computed from what workers wrote into RabbitMQ. Stytch's own log can be asked by the `request_id` of each line.
";

fn parts(text: &mut String, header: &Header) {
    let _ = write!(
        text,
        "\n## What was asked\n\nProject {}, written {} by {}.\n\n\
         | part | begun | by | why | reason | targets | published | cutoff |\n|---|---|---|---|---|---|---|---|\n",
        cell(&header.project_id),
        header.written_at,
        cell(&header.by)
    );
    for part in &header.parts {
        let manifest = &part.manifest;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} {}s | {} | {} |",
            manifest.part,
            part.started_at,
            cell(&part.by),
            cell(part.why.as_deref().unwrap_or("")),
            cell(&manifest.reason),
            manifest.expected,
            cell(&manifest.target_kind),
            part.published,
            manifest.cutoff
        );
    }
    if let Some(at) = header.cancelled {
        let _ = writeln!(text, "\nIt was cancelled at {at}.");
    }
}

fn events(text: &mut String, footer: &Footer) {
    *text += "\n## What happened\n\n| | events |\n|---|---|\n";
    let mut row = |what: &str, count: u64| {
        let _ = writeln!(text, "| {what} | {count} |");
    };
    row("expected", footer.expected);
    row("published", footer.published);
    row("proven", footer.proven);
    for done in Done::ALL.iter().rev().copied() {
        row(words(done), footer.count(done));
    }
    row(
        "outcomes that name the campaign and did not count",
        footer.refused,
    );
    let _ = write!(
        text,
        "\nSessions of users that were revoked: {}. Left alive because newer than the cutoff: {}.\n\
         Attempts that failed: {}.\n",
        footer.sessions_revoked, footer.sessions_newer, footer.attempts
    );
}

fn times(text: &mut String, footer: &Footer) {
    *text += "\n## When\n\n";
    match (footer.first_at, footer.last_at) {
        (Some(first), Some(last)) => {
            let _ = writeln!(
                text,
                "The first event ended at {first}, the last at {last}."
            );
        }
        _ => *text += "No event has ended.\n",
    }
    let exposure = Duration::try_from_secs_f64(footer.exposure_seconds_max).unwrap_or_default();
    let exposure = Duration::from_secs(exposure.as_secs_f64().ceil() as u64);
    let _ = writeln!(
        text,
        "Longest exposure, from the reason to the end of an event: {}.",
        humantime::format_duration(exposure)
    );
    if let Some(at) = footer.safe_at {
        let _ = writeln!(
            text,
            "Safe at {at}: until then, JWTs that were already issued may still be accepted by services that validate them locally."
        );
    }
}

fn proof(text: &mut String, header: &Header, beside: &Beside) {
    let _ = write!(
        text,
        "\n## How to check it\n\n- End of the chain: `{}`\n- {}\n- {}\n",
        beside.chain_end,
        sentence(&signature(beside)),
        sentence(&anchor(beside))
    );
    if let Some(list) = beside.list {
        let _ = writeln!(text, "- {}", sentence(&against_list(list)));
    }
    *text += "- Every number above follows from `evidence.ndjson`: `revoker campaign verify-report .` recomputes them\n";
    if beside.signed_by.is_some() {
        *text += "- Without Revoker: `ssh-keygen -Y verify -f allowed_signers -I revoker -n revoker-report -s digest.sig < digest`\n";
    }
    if header.drill {
        *text += "- DRILL\n";
    }
}
