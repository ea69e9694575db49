//! Which sessions and users are meant, checked before any call by the rules that hold for an event.
//!
//! The event decoder itself checks them: a thing under the wrong name must not reach Stytch, whose "no such
//! session" would read as if nothing were left to do. Its texts speak of an event's fields, so the names of
//! flags are put in their place. A value is never repeated: it may be a credential.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use serde_json::{Value, json};

use super::super::{Failure, patience::note, publish::read_credential};
use crate::event::{
    Code, Environment, Event, Expectations, Problem, Request, Target,
    decode::{EventType, decode},
};

/// Targets of one call of the program: more are a campaign, which can be paused and proven.
const TARGETS_MAX: usize = 100;

/// Whose sessions end.
#[derive(Debug, clap::Args)]
#[group(id = "targets", required = true, multiple = true)]
pub(super) struct Targets {
    /// Revoke these sessions.
    #[arg(long = "session", value_name = "ID", num_args = 1.., help_heading = "Targets (at least one, at most 100)")]
    sessions: Vec<String>,
    /// Revoke the session whose token is in this file, or on standard input with `-`.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Targets (at least one, at most 100)"
    )]
    session_token_file: Option<PathBuf>,
    /// Revoke all sessions of these users that started until --cutoff.
    #[arg(long = "user", value_name = "ID", num_args = 1.., help_heading = "Targets (at least one, at most 100)")]
    users: Vec<String>,
}

/// What targets are checked against, and what goes with each user.
pub(super) struct Rules<'a> {
    pub(super) project_id: &'a str,
    pub(super) environment: Environment,
    pub(super) cutoff: Option<&'a str>,
    pub(super) keep_session_id: Option<&'a str>,
}

impl Targets {
    /// The targets in the order in which they are revoked: each once.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub(super) fn read(&self, rules: &Rules<'_>, now: Timestamp) -> Result<Vec<Target>, Failure> {
        let tokens = usize::from(self.session_token_file.is_some());
        let count = self.sessions.len() + tokens + self.users.len();
        if count > TARGETS_MAX {
            return Err(Failure::Usage(format!(
                "{count} targets are too many, the limit is {TARGETS_MAX}; publish them as events, or as a campaign"
            )));
        }
        let token = self.session_token_file.as_deref().map(token).transpose()?;
        let sessions = numbered("--session", "session_id", &self.sessions);
        let token = token.iter().map(|token| {
            let flag = "--session-token-file".to_owned();
            (flag, "session_token", token.as_str())
        });
        let users = numbered("--user", "user_id", &self.users);
        let (mut targets, mut wrong) = (Vec::new(), Vec::new());
        for (flag, field, text) in sessions.chain(token).chain(users) {
            match rules.check(field, text, now) {
                Ok((target, unknown_format)) => {
                    if unknown_format {
                        note(&format!(
                            "warning: {flag} has a format that this version does not know; it is sent all the same"
                        ));
                    }
                    targets.push(target);
                }
                Err(problems) => {
                    wrong.extend(
                        problems
                            .iter()
                            .map(|problem| rules.explain(&flag, field, problem)),
                    );
                }
            }
        }
        wrong.dedup();
        match wrong.is_empty() {
            true => Ok(targets),
            false => Err(Failure::Usage(format!(
                "nothing was revoked: {}",
                wrong.join("\n  ")
            ))),
        }
    }
}

impl Rules<'_> {
    /// The target, and whether its id has an unknown format.
    fn check(
        &self,
        field: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<(Target, bool), Vec<Problem>> {
        let mut event = json!({
            "type": EventType::RevokeV1.as_str(), "id": "revoke", "occurred_at": now.to_string(),
            "reason": "admin_action",
        });
        event[field] = text.into();
        let of_user = [
            ("cutoff", self.cutoff),
            ("keep_session_id", self.keep_session_id),
        ];
        for (name, value) in of_user.into_iter().filter(|_| field == "user_id") {
            if let Some(value) = value {
                event[name] = Value::from(value);
            }
        }
        let expect = Expectations {
            project_id: self.project_id.to_owned(),
            environment: self.environment,
            strict_ids: false,
        };
        let body = Zeroizing::new(event.to_string());
        let decoded = decode(body.as_bytes(), None, None, &expect, now);
        let event = decoded.map_err(|rejection| rejection.problems)?;
        match event {
            Event {
                request: Request::Revoke(target),
                unknown_id_format,
                ..
            } => Ok((target, unknown_id_format)),
            // The type above asks for a target.
            _ => Err(vec![Problem::new(Code::TargetMissing, "no target")]),
        }
    }

    /// What is wrong with what a flag gave, in the words of the command line.
    fn explain(&self, flag: &str, field: &str, problem: &Problem) -> String {
        let (name, rest) = problem.text.split_once(' ').unwrap_or(("", &problem.text));
        let flag = match name {
            "cutoff" => "--cutoff",
            "keep_session_id" => "--keep-session-id",
            _ => flag,
        };
        match problem.code {
            Code::WrongEnvironment => {
                let ours = self.environment.as_str();
                format!(
                    "{flag} belongs to another project, REVOKER_STYTCH_PROJECT_ID is a {ours} one; give id and secret of the id's own project"
                )
            }
            Code::TooLarge => format!("{flag} is far too long for an id (value withheld)"),
            _ if [field, "cutoff", "keep_session_id"].contains(&name) => {
                format!("{flag} {}", in_flags(rest))
            }
            _ => format!("{flag}: {}", in_flags(&problem.text)),
        }
    }
}

/// Each id once, with the flag that gave it and its number: the id itself is not shown.
fn numbered<'a>(
    flag: &'a str,
    field: &'static str,
    ids: &'a [String],
) -> impl Iterator<Item = (String, &'static str, &'a str)> {
    let mut seen = HashSet::new();
    let first = ids
        .iter()
        .enumerate()
        .filter(move |(_, id)| seen.insert(id.as_str()));
    first.map(move |(at, id)| {
        let flag = match ids.len() {
            1 => flag.to_owned(),
            _ => format!("{flag} number {}", at + 1),
        };
        (flag, field, id.as_str())
    })
}

fn in_flags(text: &str) -> String {
    text.replace(
        "a session JWT goes in \"session_jwt\"",
        "a session JWT is not taken here, give the id of its session",
    )
    .replace("\"session_id\"", "--session")
    .replace("\"session_token\"", "--session-token-file")
    .replace("\"user_id\"", "--user")
}

fn token(path: &Path) -> Result<Zeroizing<String>, Failure> {
    if path != Path::new("-") && !path.exists() {
        let text = "--session-token-file names no file (name withheld, it may be a token); put the token into a file, or give - and write it to standard input";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(Zeroizing::new(read_credential(path)?))
}
