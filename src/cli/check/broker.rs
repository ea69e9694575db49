//! What the worker does at RabbitMQ, tried by a visit that changes and takes nothing: rights, the
//! dead-letter path, and what waits in retry queues that it does not know.

use std::{collections::BTreeSet, time::Duration};

use super::{
    management::Listing,
    report::{Check, Line, is_unavailable},
    topology,
};
use crate::{
    broker::{Error, Refusal, Settings, topology::Names, trial::Canary, visit::Visit},
    event::Lane,
    settle::PublishError,
};

/// Delays that are asked for when nobody can list the queues: those of our documents, and round ones.
/// RabbitMQ logs a line for each that is not there.
const USUAL_DELAYS_SECONDS: [u64; 10] = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600];
/// Routing keys as the worker's: a publisher's name, and an outcome's.
const PUBLISHER: &str = "revoker-check";
const OUTCOME: &str = "urgent.verified.revoker-check";

/// Everything but the connection and the management API.
pub(super) async fn lines(
    visit: &Visit,
    settings: &Settings,
    outcomes: bool,
    listing: Option<&Listing>,
) -> Vec<Line> {
    let mut lines = topology::lines(visit, settings, listing).await;
    let rights = rights(visit, settings, outcomes).await;
    let silent = rights.iter().any(|line| line.unavailable);
    lines.extend(rights);
    lines.push(match silent {
        true => Line::not_checked(
            Check::DeadLetters,
            "the broker takes no publish, see \"rights\"",
        ),
        false => dead_letters(visit, &settings.prefix).await,
    });
    lines.extend(orphans(visit, settings, listing).await);
    lines
}

/// What the worker's user must be able to do: publish dead letters, retries and outcomes, consume lanes,
/// read the operator's stream.
async fn rights(visit: &Visit, settings: &Settings, outcomes: bool) -> Vec<Line> {
    let (written, read) = needed(settings, outcomes);
    let mut tried = Vec::new();
    for (exchange, key) in &written {
        tried.push(visit.may_write(exchange, key).await);
        if tried.last().is_some_and(is_hopeless) {
            return allowed(&tried);
        }
    }
    for queue in &read {
        tried.push(visit.may_read(queue).await);
        if tried.last().is_some_and(is_hopeless) {
            break;
        }
    }
    allowed(&tried)
}

/// Exchanges with a routing key as the worker would use it, and queues.
fn needed(settings: &Settings, outcomes: bool) -> (Vec<(String, &'static str)>, Vec<String>) {
    let names = Names::new(&settings.prefix);
    let delays: BTreeSet<Duration> = settings.retry_delays.iter().copied().collect();
    let mut written = vec![(names.dead(), PUBLISHER)];
    written.extend(outcomes.then(|| (names.outcomes(), OUTCOME)));
    for lane in Lane::ALL {
        written.extend(delays.iter().map(|d| (names.retry(*lane, *d), PUBLISHER)));
    }
    let lanes = Lane::ALL.iter().map(|lane| names.lane(*lane));
    let read = lanes.chain([names.unhandled(), names.control()]);
    (written, read.collect())
}

/// The next try would only wait as long.
fn is_hopeless(tried: &Result<(), Error>) -> bool {
    tried.as_ref().is_err_and(is_unavailable)
}

/// One line for all that our user may do, one for each that it may not. What is not there is told
/// elsewhere.
pub fn allowed(tried: &[Result<(), Error>]) -> Vec<Line> {
    let (mut may, mut missing, mut lines) = (0, 0, vec![]);
    for one in tried {
        match one {
            Ok(()) => may += 1,
            Err(Error::Missing(_)) => missing += 1,
            Err(Error::Refused(Refusal::Right, said)) => {
                let todo = "give the worker's user the permission to write (an exchange) or to read (a queue)";
                lines.push(Line::failed(Check::Rights, said.as_str(), todo));
            }
            Err(error) => lines.push(Line::broker(Check::Rights, error)),
        }
    }
    if missing > 0 {
        let said = format!("{missing} are not there, see \"exchanges\" and \"queues\"");
        lines.push(Line::not_checked(Check::Rights, said));
    }
    if may > 0 {
        let said = format!("our user may write to and read {may} that the worker needs");
        lines.insert(0, Line::ok(Check::Rights, said));
    }
    lines
}

async fn dead_letters(visit: &Visit, prefix: &str) -> Line {
    let (check, dead) = (Check::DeadLetters, Names::new(prefix).dead());
    match visit.canary().await {
        Ok(Canary::Arrived) => Line::ok(
            check,
            format!("a canary arrived in {dead}, and is gone again"),
        ),
        Ok(Canary::NotSeenToGo) => Line::ok(
            check,
            format!("a canary arrived in {dead}; other dead letters have come there since"),
        ),
        Ok(Canary::NotEmpty(n)) => Line::not_checked(
            check,
            format!(
                "{n} dead letters stand in {dead}, behind which a canary would stay; see \"rights\" and \"bindings\" for its parts"
            ),
        ),
        Ok(Canary::Consumed) => Line::not_checked(
            check,
            format!("somebody consumes {dead}, and would get the canary"),
        ),
        Err(Error::Publish(PublishError::Returned)) => Line::failed(
            check,
            format!(
                "no queue takes what is published to the exchange {dead}: events that cannot be done would stay unacked"
            ),
            format!(
                "bind the queue {dead} to it with the key #, or start a worker with REVOKER_TOPOLOGY=declare, which does"
            ),
        ),
        Err(Error::Missing(_)) => Line::not_checked(check, "its exchange or queue is not there"),
        Err(error) => Line::broker(check, &error),
    }
}

async fn orphans(visit: &Visit, settings: &Settings, listing: Option<&Listing>) -> Vec<Line> {
    let (found, asked) = match listing {
        Some(listing) => (
            Ok(listing.orphans(visit.topology(), &settings.prefix)),
            None,
        ),
        None => (
            usual_orphans(visit, settings).await,
            Some("of the usual delays; REVOKER_RABBITMQ_MANAGEMENT_URL would show all"),
        ),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return vec![Line::broker(Check::Orphans, &error)],
    };
    let mut lines: Vec<Line> = found.iter().filter(|(_, n)| *n > 0).map(|(name, messages)| Line::failed(
        Check::Orphans,
        format!("{messages} events wait in {name}, which is no queue of our REVOKER_RETRY_DELAYS"),
        "they come back by themselves when their delay is over; look again then, and delete the queue when it is empty",
    )).collect();
    if lines.is_empty() {
        let said = match found.len() {
            0 => "there are none".to_owned(),
            n => format!("{n} are empty and may be deleted"),
        };
        let said = asked.map_or(said.clone(), |asked| format!("{said} ({asked})"));
        lines.push(Line::ok(Check::Orphans, said));
    }
    lines
}

async fn usual_orphans(visit: &Visit, settings: &Settings) -> Result<Vec<(String, u64)>, Error> {
    let names = Names::new(&settings.prefix);
    let usual = USUAL_DELAYS_SECONDS.map(Duration::from_secs);
    let others = usual.iter().filter(|d| !settings.retry_delays.contains(d));
    let mut found = Vec::new();
    for delay in others {
        for lane in Lane::ALL {
            let name = names.retry(*lane, *delay);
            if let Some(standing) = visit.standing(&name).await? {
                found.push((name, standing.messages.into()));
            }
        }
    }
    Ok(found)
}

/// What is not asked without a connection.
pub(super) fn unasked() -> Vec<Line> {
    let checks = [
        Check::Management,
        Check::Lock,
        Check::Exchanges,
        Check::Queues,
        Check::DeliveryLimits,
        Check::Streams,
        Check::Bindings,
        Check::Policies,
        Check::Rights,
        Check::DeadLetters,
        Check::Orphans,
    ];
    let line = |check: &Check| Line::not_checked(*check, "RabbitMQ cannot be used");
    checks.iter().map(line).collect()
}
