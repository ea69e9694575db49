//! What the worker would say of one message, and what it would take without a word.
//!
//! Pure: the worker's own decoder, with warnings beside it. Not the reading of files, nor the printing.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    closed_set,
    event::{
        Code, Environment, Event, Expectations, Problem, Properties, REASONS, Request, Target,
        decode::{decode_message, occurred_ahead},
    },
};

closed_set! {
    /// What is taken, and may not be what was meant.
    Warning {
        /// `occurred_at` is ahead of the clock.
        TimeInFuture => "time_in_future",
        /// An id of no format that Stytch documents.
        UnknownIdFormat => "unknown_id_format",
        /// A credential where an id would do.
        Credential => "credential",
        /// A reason without a metric label of its own.
        UnknownReason => "unknown_reason",
        /// `not_after` has passed.
        Obsolete => "obsolete",
    }
}

/// A project, as far as it matters: its id and environment.
pub type Project = (String, Environment);

/// What is asked of every message.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The project of the worker; without one, ids of either environment pass, but not of both.
    pub project: Option<Project>,
    /// As `REVOKER_STRICT_IDS`.
    pub strict_ids: bool,
}

/// What there is to say of one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The event's id, when that field itself was right.
    pub event_id: Option<String>,
    /// Why the worker refuses it; empty if it is taken.
    pub problems: Vec<Problem>,
    /// What it takes all the same.
    pub warnings: Vec<(Warning, String)>,
}

/// Judges a message as a worker would.
pub fn judge(body: &[u8], properties: &Properties, rules: &Rules, now: Timestamp) -> Report {
    let candidates = match rules.project.clone().or_else(|| named_project(body)) {
        Some(project) => vec![project],
        None => [Environment::Test, Environment::Live]
            .map(|environment| (String::new(), environment))
            .into(),
    };
    let reports = candidates.into_iter().map(|(project_id, environment)| {
        let expect = Expectations {
            project_id,
            environment,
            strict_ids: rules.strict_ids,
        };
        judge_for(body, properties, &expect, rules.project.is_some(), now)
    });
    reports
        .min_by_key(|report| report.problems.len())
        .unwrap_or_default()
}

fn judge_for(
    body: &[u8],
    properties: &Properties,
    expect: &Expectations,
    is_known: bool,
    now: Timestamp,
) -> Report {
    // Nothing is ahead of the end of time, so that times come out as they are written.
    match decode_message(body, properties, expect, Timestamp::MAX) {
        Ok(event) => Report {
            warnings: warnings(&event, now),
            event_id: Some(event.id),
            problems: Vec::new(),
        },
        Err(mut rejection) => {
            // Which project it will be is not known here.
            let of_project =
                |code| matches!(code, Code::WrongProject | Code::JwtWrongProject) && !is_known;
            rejection.problems.retain(|p| !of_project(p.code));
            Report {
                event_id: rejection.event_id,
                problems: rejection.problems,
                warnings: Vec::new(),
            }
        }
    }
}

/// The project that an event names itself, in whichever dialect.
fn named_project(body: &[u8]) -> Option<Project> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let named = |object: &Value| object.get("project_id")?.as_str().map(str::to_owned);
    let id = named(&body).or_else(|| named(body.get("data")?))?;
    crate::config::project(&id).ok()
}

fn warnings(event: &Event, now: Timestamp) -> Vec<(Warning, String)> {
    let mut warnings = Vec::new();
    if let Some(problem) = occurred_ahead(event.occurred_at, now) {
        warnings.push((Warning::TimeInFuture, problem.text));
    }
    if event.unknown_id_format {
        let text = "an id has a format that this version does not know; it is sent to Stytch as it is, check that it is one";
        warnings.push((Warning::UnknownIdFormat, text.to_owned()));
    }
    if event.holds_credential {
        let field = match event.request {
            Request::Revoke(Target::Token(_)) => "session_token",
            _ => "session_jwt",
        };
        let text = format!(
            "{field} is a credential, which RabbitMQ keeps in clear until the event is done; prefer session_id or user_id"
        );
        warnings.push((Warning::Credential, text));
    }
    if !REASONS.contains(&event.reason.as_str()) {
        let known = REASONS.join(", ");
        let text = format!(
            "reason has no metric label of its own and is counted as other; known are {known}"
        );
        warnings.push((Warning::UnknownReason, text));
    }
    if event.not_after.is_some_and(|until| until < now) {
        let text = "not_after has passed; the worker would end the event without a call";
        warnings.push((Warning::Obsolete, text.to_owned()));
    }
    warnings
}
