//! `revoker publish`: one event, checked by the worker's own decoder, then published and confirmed.
//!
//! Not a campaign: one event a call. Credentials come from files or standard input, never from the
//! command line, which everybody on the machine can read.

mod input;
mod verify;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Failure, print};
use crate::{
    broker::{self, PublishOne},
    config::{PublishArgs, PublishSettings},
    event::{
        Code, Environment, Expectations, Lane, Rejection,
        decode::{EventType, decode},
    },
    settle::PublishError,
};
pub(super) use input::read_credential;
use input::read_input;

const CONTENT_TYPE: &str = "application/json";

/// The event and where it goes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read a complete JSON event from standard input.
    #[arg(value_name = "-", value_parser = ["-"], group = "target", conflicts_with = "fields")]
    event: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// Publish an event that revokes nothing, and wait for its outcome: is there a worker, and does it hear us?
    #[arg(long, group = "target", conflicts_with = "fields")]
    verify: bool,
    /// With --verify: how long to wait for the outcome, 1s to 1h.
    #[arg(long, value_name = "DURATION", default_value = "30s", requires = "verify", value_parser = verify::timeout)]
    timeout: Duration,
    /// The lane: urgent when somebody waits for it, bulk for clean-ups.
    #[arg(long, value_name = "urgent|bulk", default_value = "urgent", value_parser = lane)]
    lane: Lane,
    /// Who publishes: the routing key.
    #[arg(long, value_name = "NAME", default_value = "cli", value_parser = publisher)]
    publisher: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: PublishArgs,
}

/// The event's fields; see the event contract for what each may hold.
#[derive(Debug, clap::Args)]
#[group(id = "fields", multiple = true)]
struct Fields {
    /// Revoke this session.
    #[arg(
        long,
        value_name = "ID",
        group = "target",
        help_heading = "Target (exactly one)"
    )]
    session_id: Option<String>,
    /// Revoke all sessions of this user that started before --cutoff.
    #[arg(
        long,
        value_name = "ID",
        group = "target",
        help_heading = "Target (exactly one)"
    )]
    user_id: Option<String>,
    /// Revoke the session whose token is in this file, or on standard input with `-`.
    #[arg(
        long,
        value_name = "FILE",
        group = "target",
        help_heading = "Target (exactly one)"
    )]
    session_token_file: Option<PathBuf>,
    /// Revoke the session whose JWT is in this file, or on standard input with `-`.
    #[arg(
        long,
        value_name = "FILE",
        group = "target",
        help_heading = "Target (exactly one)"
    )]
    session_jwt_file: Option<PathBuf>,
    /// Why: lower-case letters, digits and _, such as `password_reset` or `admin_action`.
    #[arg(long, value_name = "WORD", required_unless_present_any = ["event", "verify"])]
    reason: Option<String>,
    /// The event's id; by default a new UUID.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// When the reason arose, such as 2026-11-22T06:30:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    occurred_at: Option<String>,
    /// With --user-id: sessions started later stay alive; by default --occurred-at.
    #[arg(long, value_name = "TIME")]
    cutoff: Option<String>,
    /// With --user-id: this session stays alive.
    #[arg(long, value_name = "ID")]
    keep_session_id: Option<String>,
    /// The campaign that the event belongs to.
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
    /// Who caused it: admin, user, policy or system.
    #[arg(long, value_name = "WHO")]
    initiated_by: Option<String>,
    /// An opaque name of who caused it, for the audit trail.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// For people who read the audit trail.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Publishes the event.
///
/// # Errors
/// When settings or the event are wrong, and when the broker does not take it; with `--verify` also when
/// no worker tells that it has.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let now = Timestamp::now();
    let project_id = settings.project.as_ref().map(|(id, _)| id.as_str());
    let body = match &args.event {
        _ if args.verify => verify::event(project_id, now),
        Some(_) => read_input(Path::new("-"))?,
        None => args.fields.event(now)?,
    };
    let event_id = check(&body, &settings, now)
        .map_err(|rejection| Failure::Usage(format!("the event would be refused: {rejection}")))?;
    if args.verify {
        return verify::run(&args, &settings, &event_id, body).await;
    }
    let message = message(&args, &settings, &event_id, body);
    let (exchange, publisher) = (message.exchange.clone(), message.routing_key.clone());
    match broker::publish_once(&settings.broker, message).await {
        Ok(()) if args.json => {
            let done = json!({"event_id": event_id, "exchange": exchange, "publisher": publisher});
            Ok(print(&format!("{done}\n"))?)
        }
        Ok(()) => Ok(print(&format!(
            "published {event_id} to {exchange} as {publisher}\n"
        ))?),
        Err(error) => Err(failure(error, &exchange)),
    }
}

/// The message of an event.
fn message(args: &Args, settings: &PublishSettings, event_id: &str, body: Vec<u8>) -> PublishOne {
    PublishOne {
        exchange: format!("{}.{}", settings.broker.prefix, args.lane.as_str()),
        routing_key: args.publisher.clone(),
        body: Bytes::from(body),
        content_type: CONTENT_TYPE.to_owned(),
        message_id: event_id.to_owned(),
    }
}

impl Fields {
    /// The event as JSON. Nothing is checked here: the decoder does it, as it will in the worker.
    fn event(&self, now: Timestamp) -> anyhow::Result<Vec<u8>> {
        let token = self
            .session_token_file
            .as_deref()
            .map(read_credential)
            .transpose()?;
        let jwt = self
            .session_jwt_file
            .as_deref()
            .map(read_credential)
            .transpose()?;
        let id = self
            .id
            .clone()
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let occurred_at = self.occurred_at.clone().unwrap_or_else(|| now.to_string());
        let fields = [
            ("type", Some(EventType::RevokeV1.as_str().to_owned())),
            ("id", Some(id)),
            ("occurred_at", Some(occurred_at)),
            ("reason", self.reason.clone()),
            ("session_id", self.session_id.clone()),
            ("user_id", self.user_id.clone()),
            ("session_token", token),
            ("session_jwt", jwt),
            ("cutoff", self.cutoff.clone()),
            ("keep_session_id", self.keep_session_id.clone()),
            ("campaign_id", self.campaign.clone()),
            ("initiated_by", self.initiated_by.clone()),
            ("actor", self.actor.clone()),
            ("note", self.note.clone()),
        ];
        let given = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))));
        Ok(Value::Object(Map::from_iter(given))
            .to_string()
            .into_bytes())
    }
}

/// The event's id, if the worker will take it. Without a project set here, ids of every project pass.
fn check(body: &[u8], settings: &PublishSettings, now: Timestamp) -> Result<String, Rejection> {
    let (project_id, environment) = match settings.project.clone() {
        Some(project) => project,
        None => (String::new(), Environment::Test),
    };
    let expect = Expectations {
        project_id,
        environment,
        strict_ids: false,
    };
    match decode(body, Some(CONTENT_TYPE), None, &expect, now) {
        Ok(event) => Ok(event.id),
        Err(mut rejection) if settings.project.is_none() => {
            let of_project = [
                Code::WrongEnvironment,
                Code::WrongProject,
                Code::JwtWrongProject,
            ];
            rejection
                .problems
                .retain(|problem| !of_project.contains(&problem.code));
            match rejection.event_id.clone() {
                Some(id) if rejection.problems.is_empty() => Ok(id),
                _ => Err(rejection),
            }
        }
        Err(rejection) => Err(rejection),
    }
}

fn failure(error: broker::Error, exchange: &str) -> Failure {
    let unrouted = matches!(
        error,
        broker::Error::Publish(PublishError::Returned) | broker::Error::Missing(_)
    );
    if unrouted {
        return Failure::Failed(anyhow::anyhow!(
            "no queue takes what is published to {exchange}, the event was not accepted; start a worker \
             with the same vhost and REVOKER_PREFIX, which declares it"
        ));
    }
    Failure::from(error)
}

fn lane(word: &str) -> Result<Lane, String> {
    let lane = Lane::ALL.iter().find(|lane| lane.as_str() == word);
    lane.copied()
        .ok_or_else(|| "give urgent or bulk".to_owned())
}

/// A routing key that topic permissions can be written for.
pub(super) fn publisher(name: &str) -> Result<String, String> {
    const NAME_LEN_MAX: usize = 64;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match (1..=NAME_LEN_MAX).contains(&name.len()) && name.chars().all(allowed) {
        true => Ok(name.to_owned()),
        false => Err(format!(
            "give 1 to {NAME_LEN_MAX} letters, digits, dots, dashes and underscores"
        )),
    }
}
