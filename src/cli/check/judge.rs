//! What RabbitMQ's management API answers, judged: arguments, policies, bindings, and queues of other
//! delays. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::report::{Check, Line};
use crate::broker::topology::{Argument, Queue};

/// One queue of `GET /api/queues/VHOST`.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// `quorum`, `classic` or `stream`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Value,
    /// The policy in force.
    #[serde(default)]
    pub policy: Option<String>,
    /// The operator policy in force.
    #[serde(default)]
    pub operator_policy: Option<String>,
    /// What both come to.
    #[serde(default)]
    pub effective_policy_definition: Value,
    /// `running`, or why not.
    #[serde(default)]
    pub state: String,
    /// Ready messages.
    #[serde(default)]
    pub messages_ready: u64,
}

/// One binding of `GET /api/queues/VHOST/QUEUE/bindings`.
#[derive(Debug, Clone, Deserialize)]
pub struct Bound {
    /// The exchange.
    pub source: String,
    /// The key.
    pub routing_key: String,
}

/// What a queue of ours is for, as far as a policy can harm it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Events.
    Lane,
    /// Delayed events.
    Retry,
    /// Dead letters, ours and the broker's.
    Kept,
    /// Outcomes, and the operator's words.
    Stream,
}

impl Kind {
    fn of(queue: &Queue) -> Self {
        let has = |name| argument(queue, name).is_some();
        match argument(queue, "x-queue-type") {
            Some(Argument::Text(kind)) if kind == "stream" => Self::Stream,
            _ if has("x-message-ttl") => Self::Retry,
            _ if has("x-dead-letter-exchange") => Self::Lane,
            _ => Self::Kept,
        }
    }
}

fn argument<'q>(queue: &'q Queue, name: &str) -> Option<&'q Argument> {
    let mut arguments = queue.arguments.iter();
    arguments.find(|(n, _)| *n == name).map(|(_, value)| value)
}

/// How a queue's arguments differ from ours: the argument, what was found, what we want.
pub fn difference(wanted: &Queue, found: &Listed) -> Option<String> {
    let empty = Map::new();
    let has = found.arguments.as_object().unwrap_or(&empty);
    let ours = wanted.arguments.iter().map(|(name, value)| match value {
        Argument::Text(text) => (*name, Value::from(text.as_str())),
        Argument::Int(number) => (*name, Value::from(*number)),
    });
    let shown = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
    for (name, value) in ours {
        let found = has.get(name);
        if found != Some(&value) {
            let found = shown(found);
            return Some(format!("'{name}' is {found}, wanted {value}"));
        }
    }
    let stranger = has
        .iter()
        .find(|(name, _)| argument(wanted, name).is_none())?;
    Some(format!("'{}' is {}, wanted none", stranger.0, stranger.1))
}

/// A failed line for each part of a policy that would lose or hold up messages of this queue.
pub fn policies(queue: &Queue, found: &Listed, vhost: &str) -> Vec<Line> {
    let Some(policy) = found.effective_policy_definition.as_object() else {
        return Vec::new();
    };
    let kind = Kind::of(queue);
    let harms = policy.iter().filter_map(|(key, value)| {
        let harm = harm(kind, queue, key, value)?;
        let said = format!("a policy sets {key} to {value} on {}: {harm}", queue.name);
        let check = match key.as_str() {
            "delivery-limit" => Check::DeliveryLimits,
            _ => Check::Policies,
        };
        Some(Line::failed(check, said, remedy(found, vhost)))
    });
    harms.collect()
}

/// Why this part of a policy harms such a queue. An argument of ours wins over a policy but where both
/// are numbers: then the lower one holds.
fn harm(kind: Kind, queue: &Queue, key: &str, value: &Value) -> Option<&'static str> {
    let lower = |name| match argument(queue, name) {
        Some(Argument::Int(ours)) => value.as_i64().is_none_or(|theirs| theirs < *ours),
        _ => true,
    };
    match (key, kind) {
        ("delivery-limit", Kind::Lane | Kind::Kept) if lower("x-delivery-limit") => {
            Some("RabbitMQ gives up a message that was returned so often")
        }
        ("message-ttl", Kind::Lane) => Some("events expire unprocessed, into the dead letters"),
        ("message-ttl", Kind::Kept) => Some("dead letters vanish"),
        ("message-ttl", Kind::Retry) if lower("x-message-ttl") => {
            Some("delayed events come back too early")
        }
        ("expires", _) => Some("the queue is deleted, with what is in it, when nobody uses it"),
        ("max-length" | "max-length-bytes", Kind::Kept) => {
            Some("dead letters are dropped or refused when it is full")
        }
        ("max-length-bytes", Kind::Stream) if lower("x-max-length-bytes") => {
            Some("old entries of the audit trail go sooner")
        }
        ("max-age", Kind::Stream) if is_shorter(queue, value) => {
            Some("old entries of the audit trail go sooner")
        }
        ("dead-letter-routing-key", Kind::Lane | Kind::Retry) => {
            Some("the publisher's name, which is the routing key, is lost")
        }
        _ => None,
    }
}

/// Whether a stream's age in a policy is shorter than ours, or unreadable.
fn is_shorter(queue: &Queue, value: &Value) -> bool {
    let Some(Argument::Text(ours)) = argument(queue, "x-max-age") else {
        return false; // the stream without an age is bounded by its size alone
    };
    let theirs = value.as_str().and_then(age_seconds);
    theirs.is_none_or(|theirs| age_seconds(ours).is_some_and(|ours| theirs < ours))
}

/// `90D` in seconds; the units are RabbitMQ's.
fn age_seconds(age: &str) -> Option<u64> {
    let unit = age.chars().last()?;
    let number: u64 = age[..age.len() - unit.len_utf8()].parse().ok()?;
    let seconds = match unit {
        'Y' => 365 * 86_400,
        'M' => 30 * 86_400,
        'D' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return None,
    };
    number.checked_mul(seconds)
}

fn remedy(found: &Listed, vhost: &str) -> String {
    let clear = |name: &Option<String>, command| {
        let name = name.as_ref().filter(|name| !name.is_empty())?;
        Some(format!("rabbitmqctl {command} -p '{vhost}' '{name}'"))
    };
    let commands = [
        clear(&found.policy, "clear_policy"),
        clear(&found.operator_policy, "clear_operator_policy"),
    ];
    let commands: Vec<String> = commands.into_iter().flatten().collect();
    format!(
        "give the policy a pattern that leaves our queues out, or run {}",
        commands.join(" and ")
    )
}

/// The exchanges that a queue should be bound to and is not.
pub fn unbound<'q>(queue: &'q Queue, bindings: &[Bound]) -> Vec<&'q str> {
    let is_missing = |exchange: &&String| {
        let mut bindings = bindings.iter();
        !bindings.any(|bound| bound.source == **exchange && bound.routing_key == "#")
    };
    let missing = queue.bound_to.iter().filter(is_missing);
    missing.map(String::as_str).collect()
}

/// Whether a queue is a retry queue of this prefix.
pub fn is_retry(name: &str, prefix: &str) -> bool {
    let rest = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|rest| {
        let lane = rest.split_once(".retry.").map(|(lane, _)| lane);
        matches!(lane, Some("urgent" | "bulk"))
    })
}
