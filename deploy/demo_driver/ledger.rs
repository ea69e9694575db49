//! What became of every event, by the sandbox's record and the dead-letter queue.
//!
//! An event counts once: as dead-lettered if it is in the queue, else as revoked if the sandbox ended
//! what it names, else as already gone if the sandbox was asked and knew no such session. Whatever is
//! left is lost.

use std::{
    collections::BTreeMap,
    io::Write,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::sleep;

use crate::{
    broker::DeadLetters,
    load::{Event, Fate, Load},
    progress::Progress,
    sandbox::{Sandbox, Session},
};

/// How often the record is read while waiting.
const READ_EVERY: Duration = Duration::from_secs(1);
/// How long nothing may change before waiting for the rest is given up.
const PATIENCE: Duration = Duration::from_secs(45);

type Sessions = std::collections::HashMap<String, Session>;

/// The count.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    published: usize,
    revoked: usize,
    already_gone: usize,
    dead_lettered: usize,
    /// Ready messages in the lanes after the worker ended; 0 if that was not looked at.
    pub still_queued: u32,
    letters: usize,
    codes: BTreeMap<String, usize>,
    users_done: usize,
    newer_kept: usize,
    newer_ended: usize,
    /// Ends that differ from what the event was made for: expected, then found.
    surprises: BTreeMap<(&'static str, &'static str), usize>,
}

impl Ledger {
    /// Counts again and again until every event is accounted for, or nothing changes any more.
    pub(crate) async fn wait(
        load: &Load,
        sandbox: &Sandbox,
        letters: &DeadLetters,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let mut ledger = Self::default();
        let mut changed = Instant::now();
        let mut before = 0;
        while changed.elapsed() < PATIENCE {
            ledger.count(load, sandbox, letters).await?;
            let done = ledger.accounted();
            let summary = format!(
                "{} revoked, {} already gone, {} dead-lettered",
                ledger.revoked, ledger.already_gone, ledger.dead_lettered
            );
            progress.set(done as u64, &summary);
            if done == ledger.published {
                break;
            }
            if done != before {
                (before, changed) = (done, Instant::now());
            }
            sleep(READ_EVERY).await;
        }
        Ok(ledger)
    }

    /// Counts anew; `still_queued` stays as it is.
    pub(crate) async fn count(
        &mut self,
        load: &Load,
        sandbox: &Sandbox,
        letters: &DeadLetters,
    ) -> anyhow::Result<()> {
        let found = letters.found();
        let sessions = sandbox.sessions().await?;
        // The sandbox keeps no record of ids it never knew, only how often it was asked for such.
        let mut unknown_answers = sandbox.stats().await?["revokes"]["unknown"]
            .as_u64()
            .unwrap_or(0);
        let still_queued = self.still_queued;
        *self = Self {
            published: load.events.len(),
            letters: found.count,
            still_queued,
            ..Self::default()
        };
        for event in &load.events {
            let end = match found.of(event) {
                Some(letter) => {
                    *self.codes.entry(letter.code.clone()).or_default() += 1;
                    "dead-lettered"
                }
                None => end_of(event, &sessions, &mut unknown_answers),
            };
            self.add(event, end, &sessions);
        }
        Ok(())
    }

    fn add(&mut self, event: &Event, end: &'static str, sessions: &Sessions) {
        match end {
            "revoked" => self.revoked += 1,
            "already gone" => self.already_gone += 1,
            "dead-lettered" => self.dead_lettered += 1,
            _ => {}
        }
        let expected = match &event.fate {
            Fate::Revoked(_) => "revoked",
            Fate::AllRevoked { newer, .. } => {
                self.users_done += usize::from(end == "revoked");
                match is_revoked(newer, sessions) {
                    true => self.newer_ended += 1,
                    false => self.newer_kept += 1,
                }
                "revoked"
            }
            Fate::EndedBefore(_) | Fate::NeverWas => "already gone",
            Fate::DeadLettered => "dead-lettered",
        };
        if end != expected {
            *self.surprises.entry((expected, end)).or_default() += 1;
        }
    }

    fn accounted(&self) -> usize {
        self.revoked + self.already_gone + self.dead_lettered
    }

    fn lost(&self) -> usize {
        self.published - self.accounted()
    }

    /// Whether every event ended as it was made to, and nothing else happened.
    pub(crate) fn is_right(&self) -> bool {
        self.lost() == 0
            && self.surprises.is_empty()
            && self.newer_ended == 0
            && self.still_queued == 0
    }

    /// The table.
    pub(crate) fn print(&self, stats: &Value, took: Duration) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let mut row =
            |name: &str, count: usize, note: &str| writeln!(out, "  {name:<16}{count:>8}   {note}");
        let codes: Vec<_> = self
            .codes
            .iter()
            .map(|(code, n)| format!("{code} {n}"))
            .collect();
        let rate = self.published as f64 / took.as_secs_f64().max(0.001);
        row(
            "published",
            self.published,
            &format!("all confirmed by the broker; {rate:.0} a second until the last was settled"),
        )?;
        row("revoked", self.revoked, "the sandbox ended the session")?;
        row(
            "  of users",
            self.users_done,
            &format!(
                "no older session is left; {} newer ones live on",
                self.newer_kept
            ),
        )?;
        row(
            "already gone",
            self.already_gone,
            "the sandbox knew no such session",
        )?;
        row("dead-lettered", self.dead_lettered, &codes.join(", "))?;
        row("lost", self.lost(), "")?;
        if self.letters > self.dead_lettered {
            row(
                "letters twice",
                self.letters - self.dead_lettered,
                "an event may be dead-lettered again after a fault",
            )?;
        }
        if self.still_queued > 0 {
            row(
                "still queued",
                self.still_queued as usize,
                "after the worker had ended",
            )?;
        }
        if self.newer_ended > 0 {
            row(
                "ended too many",
                self.newer_ended,
                "sessions newer than the event",
            )?;
        }
        for ((expected, end), count) in &self.surprises {
            row(
                "unexpected",
                *count,
                &format!("{end} instead of {expected}"),
            )?;
        }
        writeln!(
            out,
            "  the sandbox answered {}, of these on purpose {}",
            counts(&stats["answers"]),
            counts(&stats["faults"])
        )?;
        Ok(())
    }

    /// The last line.
    pub(crate) fn print_result(&self, took: Duration) -> anyhow::Result<()> {
        let seconds = (took.as_secs_f64() * 10.0).round() / 10.0;
        writeln!(
            std::io::stdout().lock(),
            r#"{{"published":{},"revoked":{},"already_gone":{},"dead_lettered":{},"lost":{},"seconds":{seconds}}}"#,
            self.published,
            self.revoked,
            self.already_gone,
            self.dead_lettered,
            self.lost()
        )?;
        Ok(())
    }
}

/// `200: 1905, 404: 81`.
fn counts(object: &Value) -> String {
    let counts = object.as_object().into_iter().flatten();
    let counts: Vec<_> = counts.map(|(key, n)| format!("{key}: {n}")).collect();
    counts.join(", ")
}

fn is_revoked(session_id: &str, sessions: &Sessions) -> bool {
    let session = sessions.get(session_id);
    session.is_some_and(|session| session.revoked_at_ms.is_some())
}

/// How an event that is not in the dead-letter queue ended.
fn end_of(event: &Event, sessions: &Sessions, unknown_answers: &mut u64) -> &'static str {
    let (done, end) = match &event.fate {
        Fate::Revoked(id) => (is_revoked(id, sessions), "revoked"),
        Fate::AllRevoked { older, .. } => {
            (older.iter().all(|id| is_revoked(id, sessions)), "revoked")
        }
        // The first call was the log-out itself.
        Fate::EndedBefore(id) => (
            sessions
                .get(id)
                .is_some_and(|session| session.revoke_calls > 1),
            "already gone",
        ),
        Fate::NeverWas => {
            let asked = *unknown_answers > 0;
            *unknown_answers = unknown_answers.saturating_sub(1);
            (asked, "already gone")
        }
        Fate::DeadLettered => (false, "lost"),
    };
    if done { end } else { "lost" }
}
