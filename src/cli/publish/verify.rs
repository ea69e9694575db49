//! `revoker publish --verify`: an event that asks for nothing but its outcome, to try a publisher's whole way.
//!
//! Not `revoker check`, which looks at what a worker needs: this sees that a worker is there, takes what is
//! published, and is heard by its publisher.

use std::time::Duration;

use anyhow::anyhow;
use jiff::Timestamp;
use serde_json::json;

use super::{Args, Failure, failure, message, print};
use crate::{
    broker::{self, Question, Refusal},
    campaign::outcome::Outcome,
    config::PublishSettings,
    event::decode::EventType,
    settle::{code::Code, outcome},
};

/// Why such an event is published.
const REASON: &str = "verification";

/// What was heard.
struct Heard {
    outcome: String,
    code: Option<String>,
}

/// The event as JSON. It names the project where that is known, so that the worker of another refuses it.
pub(super) fn event(project_id: Option<&str>, now: Timestamp) -> Vec<u8> {
    let mut event = json!({
        "type": EventType::VerifyV1.as_str(),
        "id": uuid::Uuid::new_v4().to_string(),
        "occurred_at": now.to_string(),
        "reason": REASON,
    });
    if let Some(project_id) = project_id {
        event["project_id"] = project_id.into();
    }
    event.to_string().into_bytes()
}

/// Publishes it and waits for its outcome.
pub(super) async fn run(
    args: &Args,
    settings: &PublishSettings,
    event_id: &str,
    body: Vec<u8>,
) -> Result<(), Failure> {
    let message = message(args, settings, event_id, body);
    let exchange = message.exchange.clone();
    let question = Question {
        queue: format!("{}.verify.{event_id}", args.publisher),
        message,
        longest: args.timeout,
    };
    let told = broker::ask(&settings.broker, &question, |body| heard(body, event_id)).await;
    let told = told.map_err(|error| not_asked(error, &question.queue, &exchange))?;
    let Some((heard, took)) = told else {
        return Err(unanswered(args, event_id, &exchange));
    };
    if heard.outcome != outcome::Outcome::Verified.as_str() {
        return Err(refused(&heard, event_id));
    }
    let took_ms = took.as_millis();
    let text = match args.json {
        true => json!({
            "event_id": event_id, "exchange": exchange, "publisher": args.publisher,
            "outcome": heard.outcome, "seconds": took.as_secs_f64(),
        })
        .to_string(),
        false => format!(
            "verified {event_id}: published to {exchange} as {}, taken by a worker and told of, in {took_ms} ms",
            args.publisher
        ),
    };
    Ok(print(&format!("{text}\n"))?)
}

/// The outcome of that event, if it is one.
fn heard(body: &[u8], event_id: &str) -> Option<Heard> {
    let outcome = Outcome::read(body)?;
    (outcome.event_id.as_deref() == Some(event_id)).then(|| Heard {
        outcome: outcome.outcome.into_owned(),
        code: outcome.code.map(|code| code.into_owned()),
    })
}

fn refused(heard: &Heard, event_id: &str) -> Failure {
    let code = heard.code.as_deref().and_then(Code::named);
    let why = code.map_or_else(String::new, |code| {
        format!(": {}: {}; {}", code.as_str(), code.meaning(), code.remedy())
    });
    Failure::Failed(anyhow!(
        "the worker did not take {event_id} but ended it as {}{why}; revoker dead-letters show {event_id} has its text",
        heard.outcome
    ))
}

fn unanswered(args: &Args, event_id: &str, exchange: &str) -> Failure {
    let waited = humantime::format_duration(args.timeout);
    Failure::Unavailable(anyhow!(
        "RabbitMQ has {event_id} in {exchange}, and no outcome came within {waited}; see with revoker status whether a \
         worker runs with this vhost and prefix, in which state it is and how long its queue is; with \
         REVOKER_OUTCOMES=off it tells nobody, and its log names the event"
    ))
}

/// A publisher may publish and yet not listen: that is a right of its own.
fn not_asked(error: broker::Error, queue: &str, exchange: &str) -> Failure {
    match error {
        broker::Error::Refused(Refusal::Right, said) if !said.contains(exchange) => {
            Failure::Failed(anyhow!(
                "nothing was published: our user may not listen to its outcomes ({said}); give it the rights for a \
                 queue {queue} and its binding, see deploy/PUBLISHING.md, or publish without --verify"
            ))
        }
        error => failure(error, exchange),
    }
}

/// How long to wait for an answer.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    const TIMEOUT_MIN: Duration = Duration::from_secs(1);
    const TIMEOUT_MAX: Duration = Duration::from_secs(3600);
    let timeout = humantime::parse_duration(text).ok();
    let fits = timeout.filter(|timeout| (TIMEOUT_MIN..=TIMEOUT_MAX).contains(timeout));
    fits.ok_or_else(|| "give a duration from 1s to 1h, such as 30s or 2m".to_owned())
}
