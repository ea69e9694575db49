//! What a start would do, told before it is done, and the question that follows.

use std::{
    fmt::Write,
    io::{BufRead, IsTerminal, stdin},
};

use anyhow::anyhow;
use jiff::Timestamp;

use super::{scan::Scan, screen::short, tell};
use crate::{broker::survey::Standing, cli::Failure};

/// From so many targets on, a start asks.
pub const ASK_FROM: u64 = 1_000;

/// What is known before a start.
pub struct Plan<'a> {
    /// The campaign.
    pub campaign_id: &'a str,
    /// What the list comes to.
    pub scan: &'a Scan,
    /// The project it goes to.
    pub project_id: &'a str,
    /// Sessions that started later stay.
    pub cutoff: Timestamp,
    /// The bulk lane.
    pub bulk: Standing,
    /// Calls a second that the workers allow at this time, if they have told of it lately.
    pub rate: Option<f64>,
    /// Whether it is only pretended.
    pub drill: bool,
}

impl Plan<'_> {
    /// For people.
    pub fn text(&self) -> String {
        let (scan, kind) = (self.scan, self.scan.kind.as_str());
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<12} {value}");
        };
        if self.drill {
            row(
                "DRILL",
                "a pretend API and lanes of its own: nobody is logged out".to_owned(),
            );
        }
        row("campaign", self.campaign_id.to_owned());
        row(
            "targets",
            format!("{} {kind}s{}", scan.sorted.len(), beside(scan)),
        );
        row("project", self.project_id.to_owned());
        row("cutoff", cutoff(kind, self.cutoff));
        row("time", self.time());
        row("bulk lane", lane(self.bulk));
        if scan.unknown_format > 0 {
            row(
                "note",
                format!(
                    "{} ids have a format that Stytch does not document",
                    scan.unknown_format
                ),
            );
        }
        if scan.invalid > 0 {
            row("invalid", format!("{} lines", scan.invalid));
            for (line, why) in &scan.invalid_shown {
                row("", format!("line {line}: {why}"));
            }
            let more = scan.invalid - scan.invalid_shown.len() as u64;
            if more > 0 {
                row("", format!("and {more} more"));
            }
        }
        text
    }

    /// How long it takes. A user takes two lists at least, and each of them a call.
    fn time(&self) -> String {
        let calls = match self.scan.kind {
            crate::campaign::Kind::User => 2,
            crate::campaign::Kind::Session => 1,
        };
        let calls = self.scan.sorted.len() as f64 * f64::from(calls);
        match self.rate.filter(|rate| *rate > 0.0) {
            Some(rate) => match std::time::Duration::try_from_secs_f64(calls / rate) {
                Ok(span) => format!(
                    "about {} at {rate:.0} calls/s, which the workers allow now",
                    short(span)
                ),
                Err(_) => "no worker may call at this time".to_owned(),
            },
            None => format!(
                "unknown until workers tell their rate; at 100 calls/s {}",
                short(std::time::Duration::from_secs_f64(calls / 100.0))
            ),
        }
    }
}

fn beside(scan: &Scan) -> String {
    let parts = [
        (scan.duplicates, "named twice"),
        (scan.excluded, "excluded"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!(" ({})", parts.join(", ")),
    }
}

fn cutoff(kind: &str, cutoff: Timestamp) -> String {
    match kind {
        "user" => format!("sessions opened after {cutoff:.0} stay"),
        _ => "none: each session on the list is revoked".to_owned(),
    }
}

fn lane(bulk: Standing) -> String {
    let waiting = match bulk.messages {
        0 => "empty".to_owned(),
        waiting => format!("{waiting} events wait before it"),
    };
    match bulk.consumers {
        0 => format!("no consumers: nothing will happen until a worker runs; {waiting}"),
        1 => format!("1 consumer; {waiting}"),
        many => format!("{many} consumers; {waiting}"),
    }
}

/// Asks on the terminal; only this very word goes on.
///
/// # Errors
/// When there is no terminal, or another answer.
pub fn confirm(question: &str, word: &str) -> Result<(), Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "{question} There is no terminal to ask on: give --yes"
        )));
    }
    tell(&format!("{question} Type {word} to go on:"));
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::Failed(error.into()))?;
    match answer.trim() == word {
        true => Ok(()),
        false => Err(Failure::Failed(anyhow!("not confirmed; nothing was done"))),
    }
}
