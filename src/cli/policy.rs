//! `revoker policy`: what the worker does with each of Stytch's answers, printed from the table that it uses.
//!
//! Needs no settings and asks nobody. What one word means is `revoker explain`'s answer.

use std::fmt::Write;

use serde_json::{Value, json};

use super::print;
use crate::revoke::{
    Class,
    outcome::Failure,
    rules::{RULES, Rule, Types},
};

/// How it is shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, one object an answer.
    #[arg(long)]
    json: bool,
}

/// Answers, what they mean, and what is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// HTTP statuses, such as `4xx`; or how a call ends without one.
    pub http: String,
    /// Stytch's error type; a family ends in `*`.
    pub error_type: String,
    /// What it means.
    pub class: Class,
}

/// Ends of a call that are no error of Stytch's.
const OTHERS: [(&str, &str, Class); 3] = [
    ("200", "", Class::Revoked),
    ("none in time", "", Class::Retryable(Failure::Timeout)),
    ("no connection", "", Class::Retryable(Failure::Network)),
];

/// Prints the table.
///
/// # Errors
/// When standard output is closed.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut text = String::new();
    if args.json {
        for row in rows() {
            let _ = writeln!(text, "{}", row.object());
        }
        return print(&text);
    }
    let _ = writeln!(
        text,
        "{:<14} {:<34} {:<13} CODE",
        "HTTP", "ERROR TYPE", "CLASS"
    );
    let mut classes: Vec<Class> = Vec::new();
    for row in rows() {
        let (http, word, class) = (&row.http, row.shown_type(), row.class.name());
        let line = format!(
            "{http:<14} {word:<34} {class:<13} {}",
            code(&row.class).unwrap_or("-")
        );
        let _ = writeln!(text, "{}", line.trim_end());
        if !classes.iter().any(|other| other.name() == class) {
            classes.push(row.class);
        }
    }
    let _ = writeln!(
        text,
        "\nThe first row that fits an answer holds. The worker, by class:"
    );
    for class in classes {
        let _ = writeln!(text, "  {:<13} {}", class.name(), deed(&class));
    }
    print(&text)
}

/// The whole table, in the order in which rows are looked at.
pub fn rows() -> Vec<Row> {
    let [ok, rest @ ..] = OTHERS.map(|(http, error_type, class)| Row {
        http: http.to_owned(),
        error_type: error_type.to_owned(),
        class,
    });
    [ok].into_iter()
        .chain(RULES.iter().map(Row::of))
        .chain(rest)
        .collect()
}

impl Row {
    /// A rule's row.
    pub fn of(rule: &Rule) -> Self {
        Self {
            http: statuses(rule.statuses),
            error_type: match rule.types {
                Types::One(word) => word.to_owned(),
                Types::Family(start) => format!("{start}*"),
                Types::Some => "any other".to_owned(),
                Types::Any => "any or none".to_owned(),
            },
            class: rule.class.clone(),
        }
    }

    fn shown_type(&self) -> &str {
        match self.error_type.as_str() {
            "" => "-",
            word => word,
        }
    }

    /// As JSON.
    pub fn object(&self) -> Value {
        json!({
            "http": self.http,
            "error_type": Some(&self.error_type).filter(|word| !word.is_empty()),
            "class": self.class.name(),
            "code": code(&self.class),
            "worker": deed(&self.class),
        })
    }
}

/// Statuses, as short as may be.
fn statuses((first, last): (u16, u16)) -> String {
    match last - first {
        0 => first.to_string(),
        99 => format!("{}xx", first / 100),
        _ => "any".to_owned(),
    }
}

/// The word that tells of such an answer in dead letters and logs.
pub fn code(class: &Class) -> Option<&'static str> {
    match class {
        Class::Permanent(code) | Class::Credentials(code) => Some(code.as_str()),
        Class::Revoked | Class::AlreadyGone | Class::RateLimited | Class::OwnLimit => None,
        Class::Retryable(failure) => Some(failure.as_str()),
    }
}

/// What the worker does.
pub const fn deed(class: &Class) -> &'static str {
    match class {
        Class::Revoked => "done: outcome revoked, then the ack",
        Class::AlreadyGone => {
            "done: outcome already_gone, with the error type as its code; Stytch knows no such session, which is not to say that it was logged out"
        }
        Class::Permanent(_) => {
            "to the dead-letter queue at once, with that code; the twentieth refusal in a row with the same unknown error type is no longer believed: it then waits, and nothing is dead-lettered for it"
        }
        Class::Credentials(_) => {
            "pauses: our secret, project or base URL is wrong, not the event; nothing is dead-lettered, no attempt counts; a canary asks every 30 s and as soon as the secret's file changes"
        }
        Class::RateLimited => {
            "news about the rate: all calls of this kind wait (doubling, jittered, at most 5 s, or as long as Retry-After says), then go slower; no attempt counts, unless others get through again and again meanwhile, or REVOKER_OUTAGE=dead-letter"
        }
        Class::OwnLimit => {
            "about this event alone: an attempt of its own, backed off as one that is retryable; the shared rate stays"
        }
        Class::Retryable(_) => {
            "an attempt: exponential backoff (250 ms doubling, full jitter, at most 15 s), REVOKER_ATTEMPTS in memory, then one after each of REVOKER_RETRY_DELAYS, then the dead-letter queue as attempts_exhausted; five failures in a row ask by a canary whether the API is out, and then nothing moves and no attempt counts, unless REVOKER_OUTAGE=dead-letter"
        }
    }
}
