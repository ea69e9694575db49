//! Exchanges, queues and their arguments: is each there, and as it should be?
//!
//! Asking is a visit's work; what the answers come to is pure.

use super::{
    judge::{self, Listed},
    management::Listing,
    report::{Check, Line, is_unavailable},
};
use crate::broker::{
    Error, Settings, TopologyMode,
    topology::Queue,
    visit::{Compared, Visit},
};

const DECLARE: &str =
    "start one worker with REVOKER_TOPOLOGY=declare; or check REVOKER_PREFIX and the vhost";
const ASK_ELSEWHERE: &str =
    "set REVOKER_RABBITMQ_MANAGEMENT_URL, or let the user of this check configure";

/// What was found of an exchange or a queue: its name, and how it compares.
pub type Found<'n> = (&'n str, Result<Compared, Error>);

/// The lock, the exchanges and the queues.
pub(super) async fn lines(
    visit: &Visit,
    settings: &Settings,
    listing: Option<&Listing>,
) -> Vec<Line> {
    let mut lines = vec![lock(visit, settings).await];
    lines.extend(exchanges(visit, settings.topology).await);
    lines.extend(queues(visit, settings.topology, listing).await);
    lines
}

async fn lock(visit: &Visit, settings: &Settings) -> Line {
    let (prefix, project) = (&settings.prefix, &settings.project_id);
    match visit.lock().await {
        Ok(()) => Line::ok(Check::Lock, format!("{prefix}.* belong to {project}")),
        Err(Error::Missing(_)) => Line::failed(
            Check::Lock,
            format!("nobody owns {prefix}.* yet: no worker has been here"),
            DECLARE,
        ),
        Err(error) => Line::broker(Check::Lock, &error),
    }
}

async fn exchanges(visit: &Visit, mode: TopologyMode) -> Vec<Line> {
    let mut all = Vec::new();
    for exchange in &visit.topology().exchanges {
        let found = visit.exchange(exchange).await;
        let gone = found.as_ref().is_err_and(is_unavailable);
        all.push((exchange.as_str(), found));
        if gone {
            break; // the next one would only wait as long
        }
    }
    compared(Check::Exchanges, &all, mode)
}

async fn queues(visit: &Visit, mode: TopologyMode, listing: Option<&Listing>) -> Vec<Line> {
    let mut all = Vec::new();
    for queue in &visit.topology().queues {
        let found = visit.queue(queue).await;
        let gone = found.as_ref().is_err_and(is_unavailable);
        let listed = listing.and_then(|listing| listing.queues.get(&queue.name));
        all.push((queue.name.as_str(), known_elsewhere(queue, found, listed)));
        if gone {
            break;
        }
    }
    let mut lines = compared(Check::Queues, &all, mode);
    lines.push(delivery_limits(&all, listing.is_some()));
    lines.push(streams(&all));
    lines
}

/// What the broker does not compare for our user, the management API may tell; and of several arguments
/// that differ it names the type first, where the broker names any.
pub fn known_elsewhere(
    queue: &Queue,
    found: Result<Compared, Error>,
    listed: Option<&Listed>,
) -> Result<Compared, Error> {
    match (found, listed) {
        (found @ (Ok(Compared::NotAllowed(_)) | Err(Error::Mismatch(_))), Some(listed)) => {
            match (judge::difference(queue, listed), found) {
                (Some(difference), _) => Err(Error::Mismatch(format!(
                    "the queue '{}' exists with other arguments: {difference}; drain it (or move its messages with a shovel), delete it and start the worker, which declares it rightly",
                    queue.name
                ))),
                (None, Err(error)) => Err(error),
                (None, Ok(_)) => Ok(Compared::Same),
            }
        }
        (found, _) => found,
    }
}

/// One line for all that are as they should be, one for all that are not there, one for each that is
/// otherwise. A worker that declares needs the right that the comparison needs; one that verifies does not.
pub fn compared(check: Check, all: &[Found<'_>], mode: TopologyMode) -> Vec<Line> {
    let (mut same, mut missing, mut unknown, mut lines) = (0, vec![], vec![], vec![]);
    for (name, found) in all {
        match found {
            Ok(Compared::Same) => same += 1,
            Ok(Compared::NotAllowed(said)) => unknown.push(said),
            Err(Error::Missing(_)) => missing.push(*name),
            Err(error) if is_low_limit(error) => {} // has a line of its own
            Err(error) => lines.push(Line::broker(check, error)),
        }
    }
    if same > 0 {
        let said = format!("{same} are there, as they should be");
        lines.insert(0, Line::ok(check, said));
    }
    if !missing.is_empty() {
        let said = format!("not there: {}", missing.join(", "));
        lines.push(Line::failed(check, said, DECLARE));
    }
    match (unknown.first(), mode, unknown.len()) {
        (Some(said), TopologyMode::Declare, n) => lines.push(Line::failed(
            check,
            format!("our user may not declare {n} of them: {said}"),
            "give the worker's user the permission to configure, or set REVOKER_TOPOLOGY=verify",
        )),
        (Some(_), TopologyMode::Verify, n) => lines.push(Line::not_checked(
            check,
            format!("{n} are there, but our user may not declare them, so RabbitMQ does not compare their arguments; {ASK_ELSEWHERE}"),
        )),
        (None, ..) => {}
    }
    lines
}

/// An unset or low limit drops messages in silence, so it has a line of its own. Arguments are one half
/// of it, policies the other.
pub fn delivery_limits(all: &[Found<'_>], knows_policies: bool) -> Line {
    let check = Check::DeliveryLimits;
    let mut errors = all.iter().filter_map(|(_, found)| found.as_ref().err());
    if let Some(error) = errors.find(|error| is_low_limit(error)) {
        return Line::broker(check, error);
    }
    if !all.iter().all(|(_, found)| *found == Ok(Compared::Same)) {
        return Line::not_checked(check, "not every queue could be compared, see \"queues\"");
    }
    let whole = match knows_policies {
        true => "",
        false => ", by its arguments; a policy might",
    };
    let said = format!("no queue gives up a message that is returned often{whole}");
    Line::ok(check, said)
}

fn is_low_limit(error: &Error) -> bool {
    matches!(error, Error::Mismatch(said) if said.contains("'x-delivery-limit'"))
}

/// Streams are available where ours are.
pub fn streams(all: &[Found<'_>]) -> Line {
    let is_stream = |name: &str| name.ends_with(".audit") || name.ends_with(".control");
    let streams: Vec<_> = all.iter().filter(|(name, _)| is_stream(name)).collect();
    let are_there = streams
        .iter()
        .all(|(_, found)| *found == Ok(Compared::Same));
    match are_there && !streams.is_empty() {
        true => Line::ok(
            Check::Streams,
            "outcomes and the operator's words are kept in streams",
        ),
        false => Line::not_checked(
            Check::Streams,
            "ours could not be compared, see \"queues\"; RabbitMQ has them unless its feature flag stream_queue is disabled",
        ),
    }
}
