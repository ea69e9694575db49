//! What came of all targets, for people and as JSON, and the exit code that follows.
//!
//! Pure: nothing is asked or printed here. Each target tells of itself, see [`Line`].

use anyhow::anyhow;
use jiff::Timestamp;
use serde_json::json;

use super::{
    super::Failure,
    line::{Line, State, count},
};
use crate::event::Target;

/// All targets.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) lines: Vec<Line>,
    /// Whether the user did not want to wait for the rest.
    pub(super) interrupted: bool,
}

impl Report {
    /// Before anything is done.
    pub(super) fn new(targets: Vec<Target>) -> Self {
        let lines = targets.into_iter().map(Line::new).collect();
        Self {
            lines,
            interrupted: false,
        }
    }

    /// A line for each target, and a sum.
    pub(super) fn text(&self) -> String {
        let mut text: String = self.lines.iter().map(|line| line.text() + "\n").collect();
        if self.lines.len() > 1 {
            let ended = self.lines.iter().filter(|line| line.state.is_end()).count();
            text += &format!(
                "in all: {} revoked; of {}, {ended} have nothing left to revoke, {} may have\n",
                count(self.sessions(), "session"),
                count(self.lines.len() as u64, "target"),
                self.lines.len() - ended,
            );
        }
        if let Some(safe_at) = self.safe_at() {
            // Whole seconds, not too early.
            let shown = Timestamp::from_second(safe_at.as_second() + 1).unwrap_or(safe_at);
            text += &format!(
                "JWTs that were issued before can validate locally until {shown} (safe_at)\n"
            );
        }
        text
    }

    /// One object in one line.
    pub(super) fn json(&self) -> String {
        let count = |is: fn(&State) -> bool| self.lines.iter().filter(|l| is(&l.state)).count();
        let report = json!({
            "results": self.lines.iter().map(Line::json).collect::<Vec<_>>(),
            "targets": self.lines.len(),
            "sessions": self.sessions(),
            "ended": count(State::is_end),
            "failed": count(|state| matches!(state, State::Failed(_))),
            "not_tried": count(|state| *state == State::NotTried),
            "interrupted": self.interrupted,
            "safe_at": self.safe_at(),
        });
        format!("{report}\n")
    }

    /// The exit code, with what is left and what to do.
    ///
    /// # Errors
    /// When something is left, or may be.
    pub(super) fn end(&self) -> Result<(), Failure> {
        let open: Vec<&Line> = self.lines.iter().filter(|l| !l.state.is_end()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let known = left(&open);
        let targets = format!(
            "{} of {}",
            open.len(),
            count(self.lines.len() as u64, "target")
        );
        if self.interrupted {
            return Err(Failure::Failed(anyhow!(
                "interrupted: {targets} not done, {known}, and the call that was on its way may have \
                 been done; run it again, what is done is not done twice"
            )));
        }
        let failed = open.iter().find_map(|line| match &line.state {
            State::Failed(text) => Some(text.as_str()),
            _ => None,
        });
        let why = failed.unwrap_or("it was not tried");
        let error = anyhow!("{targets} not done, {known}: {why}; run it again for what is left");
        let nothing_answered = self.lines.iter().all(|line| !line.answered);
        let unreachable = open
            .iter()
            .all(|l| l.exhausted || l.state == State::NotTried);
        Err(match nothing_answered && unreachable {
            true => Failure::Unavailable(error),
            false => Failure::Failed(error),
        })
    }

    fn sessions(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.sessions)).sum()
    }

    fn safe_at(&self) -> Option<Timestamp> {
        self.lines.iter().filter_map(Line::safe_at).max()
    }
}

/// How many sessions are left of these targets.
fn left(open: &[&Line]) -> String {
    let (mut sessions, mut unlisted) = (0, false);
    for line in open {
        match (&line.target, line.left) {
            (Target::User { .. }, None | Some(0)) => unlisted = true,
            (Target::User { .. }, Some(left)) => sessions += u64::from(left),
            _ => sessions += 1,
        }
    }
    let sessions_left = count(sessions, "session");
    match (sessions, unlisted) {
        (0, _) => "how many sessions are left is not known".to_owned(),
        (_, true) => format!("at least {sessions_left} left"),
        (_, false) => format!("{sessions_left} left"),
    }
}
