//! The lines of a check, for people and as JSON, and the exit code that they come to.

use serde_json::{Value, json};

use crate::{broker, cli::Failure, closed_set, telemetry::Why};

closed_set! {
    /// What is checked.
    Check {
        /// Flags and variables.
        Settings => "settings",
        /// What works and is not for production.
        Production => "production",
        /// The connection to RabbitMQ.
        Broker => "broker",
        /// RabbitMQ's management API.
        Management => "management API",
        /// Whose these names are.
        Lock => "owner lock",
        /// Every exchange.
        Exchanges => "exchanges",
        /// Every queue.
        Queues => "queues",
        /// How often a message may be returned.
        DeliveryLimits => "delivery limits",
        /// Streams.
        Streams => "streams",
        /// What is bound to what.
        Bindings => "bindings",
        /// Policies, and with them expiry and lengths.
        Policies => "policies",
        /// What our user may do.
        Rights => "rights",
        /// The way into the dead-letter queue.
        DeadLetters => "dead-letter path",
        /// Retry queues of other delays.
        Orphans => "orphaned retries",
        /// Our credentials at Stytch.
        Credentials => "credentials",
    }
}

closed_set! {
    /// What came of it.
    Verdict {
        /// As it should be.
        Ok => "ok",
        /// Not as it should be.
        Failed => "failed",
        /// Nobody knows.
        NotChecked => "not checked",
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What was checked.
    pub check: Check,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found.
    pub said: String,
    /// What to do about it.
    pub todo: Option<String>,
    /// Whether it failed because a service does not answer.
    pub unavailable: bool,
}

impl Line {
    /// As it should be.
    pub fn ok(check: Check, said: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            said: said.into(),
            todo: None,
            unavailable: false,
        }
    }

    /// Not as it should be, and what to do.
    pub fn failed(check: Check, said: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Failed,
            todo: Some(todo.into()),
            ..Self::ok(check, said)
        }
    }

    /// Nobody knows, and why.
    pub fn not_checked(check: Check, why: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::NotChecked,
            ..Self::ok(check, why)
        }
    }

    /// What the broker's error means.
    pub fn broker(check: Check, error: &broker::Error) -> Self {
        let (text, why) = (error.to_string(), Why::Broker(error.trouble()).sentence());
        let (said, todo) = match (text.split_once("; "), why.split_once("; ")) {
            (Some((said, todo)), _) => (said, todo),
            (None, Some((_, todo))) => (text.as_str(), todo),
            (None, None) => (text.as_str(), why),
        };
        Self {
            unavailable: is_unavailable(error),
            ..Self::failed(check, said, todo)
        }
    }
}

/// Whether trying again later may help.
pub fn is_unavailable(error: &broker::Error) -> bool {
    matches!(
        error,
        broker::Error::Unreachable(_) | broker::Error::TimedOut(_) | broker::Error::Blocked
    )
}

/// All lines.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Line>);

impl Report {
    /// The lines in the order of what was checked. Where one says that all is well and another that it
    /// is not, they were asked by halves, and the first is left out.
    pub fn of(mut lines: Vec<Line>) -> Self {
        lines.sort_by_key(|line| line.check);
        let mut report = Self(lines);
        for check in [Check::DeliveryLimits, Check::Policies] {
            if report.has_failed(check) {
                let stays = |line: &Line| line.check != check || line.verdict == Verdict::Failed;
                report.0.retain(stays);
            }
        }
        report
    }

    /// Whether a line of this check failed.
    pub fn has_failed(&self, check: Check) -> bool {
        let mut lines = self.0.iter();
        lines.any(|line| line.check == check && line.verdict == Verdict::Failed)
    }

    /// How many lines there are with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let lines = self.0.iter();
        lines.filter(|line| line.verdict == verdict).count()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text: String = self.0.iter().map(shown).collect();
        let counts = Verdict::ALL.iter().map(|verdict| {
            let (n, word) = (self.count(*verdict), verdict.as_str());
            format!("{n} {word}")
        });
        let counts: Vec<String> = counts.collect();
        text.push_str(&format!("\n{}\n", counts.join(", ")));
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let lines: Vec<Value> = self
            .0
            .iter()
            .map(|line| {
                json!({
                    "check": line.check.as_str(),
                    "verdict": line.verdict.as_str(),
                    "said": line.said,
                    "do": line.todo,
                })
            })
            .collect();
        let well = self.count(Verdict::Failed) == 0;
        format!("{}\n", json!({ "well": well, "lines": lines }))
    }

    /// How the program ends.
    ///
    /// # Errors
    /// When something failed: 64 for settings, 69 if all that failed is a service that does not answer.
    pub fn end(&self) -> Result<(), Failure> {
        let failed = || self.0.iter().filter(|l| l.verdict == Verdict::Failed);
        let text = format!("{} of {} checks failed", failed().count(), self.0.len());
        if failed().next().is_none() {
            Ok(())
        } else if self.has_failed(Check::Settings) {
            Err(Failure::Usage(text))
        } else if failed().all(|line| line.unavailable) {
            Err(Failure::Unavailable(anyhow::anyhow!(text)))
        } else {
            Err(Failure::Failed(anyhow::anyhow!(text)))
        }
    }
}

/// `verdict  check  what was found`, and under it what to do.
fn shown(line: &Line) -> String {
    let (verdict, check) = (line.verdict.as_str(), line.check.as_str());
    let mut text = format!("{verdict:<11}  {check:<16}  {}\n", plain(&line.said));
    if let Some(todo) = &line.todo {
        text.push_str(&format!("{:31}do: {}\n", "", plain(todo)));
    }
    text
}

/// Servers' words without what would steer a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
