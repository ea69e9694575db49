//! Every exchange, queue and binding, as data.
//!
//! Arguments cannot be changed once deployed (the broker answers 406): a snapshot test holds them,
//! and a change means a new name and a documented move. Each argument's reason stands beside it.

use std::{collections::BTreeSet, time::Duration};

use crate::event::Lane;

/// The names under one prefix.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names that start with `prefix`.
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// The prefix itself.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The exchange publishers write to, and the queue it fills.
    pub fn lane(&self, lane: Lane) -> String {
        format!("{}.{}", self.prefix, lane.as_str())
    }

    /// A delay's exchange and queue, such as `revocation.urgent.retry.10m`.
    pub fn retry(&self, lane: Lane, delay: Duration) -> String {
        let delay = humantime::format_duration(delay)
            .to_string()
            .replace(' ', "");
        format!("{}.retry.{delay}", self.lane(lane))
    }

    /// The exchange through which delayed events come back: only we and the broker write to it.
    pub fn back(&self, lane: Lane) -> String {
        format!("{}.return", self.lane(lane))
    }

    /// What the broker itself dead-letters from a lane.
    pub fn unhandled(&self) -> String {
        format!("{}.unhandled", self.prefix)
    }

    /// Dead letters.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// What whoever looks at the dead letters has for himself: a queue, for as long as he looks.
    pub fn dead_lock(&self) -> String {
        format!("{}.lock", self.dead())
    }

    /// The exchange of outcomes.
    pub fn outcomes(&self) -> String {
        format!("{}.outcomes", self.prefix)
    }

    /// The stream that keeps outcomes.
    pub fn audit(&self) -> String {
        format!("{}.audit", self.prefix)
    }

    /// The operator's stream.
    pub fn control(&self) -> String {
        format!("{}.control", self.prefix)
    }

    /// The lock that says which project these names belong to.
    pub fn owner(&self) -> String {
        format!("{}.owner", self.prefix)
    }
}

/// An argument of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A long string.
    Text(String),
    /// A 64-bit integer: always this type, since the broker compares types too.
    Int(i64),
}

/// A durable queue, bound with `#` to the exchange given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<(&'static str, Argument)>,
    /// The exchanges it takes everything from.
    pub bound_to: Vec<String>,
}

/// Everything that is declared; all exchanges are durable topic exchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The owner lock: an exchange declared before all else, actively even when the rest is only
    /// checked, since a passive declare compares nothing.
    pub owner: (String, Vec<(&'static str, Argument)>),
    /// All other exchanges, none with arguments: those that queues are bound to.
    pub exchanges: BTreeSet<String>,
    /// All queues.
    pub queues: Vec<Queue>,
}

/// Far above what any message lives through, and written out: unset, RabbitMQ 4 drops a message at
/// its 21st return; −1 means "none" there, but "drop at the first return" on 3.10.
const DELIVERY_LIMIT: i64 = 1_000_000;
/// How long outcomes are kept.
const AUDIT_AGE_MAX: &str = "90D";
/// How much of them at most: about 40 million outcomes.
const AUDIT_BYTES_MAX: i64 = 20_000_000_000;
/// How much of the operator's words.
const CONTROL_BYTES_MAX: i64 = 1_000_000_000;

/// The topology of one prefix, project and set of delays.
pub fn topology(prefix: &str, project_id: &str, delays: &[Duration]) -> Topology {
    let names = Names::new(prefix);
    let mut queues = vec![
        queue(names.unhandled(), kept(), &[names.unhandled()]),
        queue(names.dead(), kept(), &[names.dead()]),
        queue(names.audit(), audit(), &[names.outcomes()]),
        queue(
            names.control(),
            stream(CONTROL_BYTES_MAX),
            &[names.control()],
        ),
    ];
    let delays: BTreeSet<&Duration> = delays.iter().collect();
    for lane in Lane::ALL {
        let (name, back) = (names.lane(*lane), names.back(*lane));
        let arguments = handed_on(kept(), names.unhandled());
        queues.push(queue(name.clone(), arguments, &[name, back.clone()]));
        queues.extend(delays.iter().map(|delay| {
            let name = names.retry(*lane, **delay);
            queue(
                name.clone(),
                handed_on(delayed(**delay), back.clone()),
                &[name],
            )
        }));
    }
    let lock = format!("{}.{project_id}", names.owner());
    Topology {
        owner: (
            names.owner(),
            vec![("alternate-exchange", Argument::Text(lock))],
        ),
        exchanges: queues
            .iter()
            .flat_map(|queue| queue.bound_to.clone())
            .collect(),
        queues,
    }
}

fn queue(name: String, arguments: Vec<(&'static str, Argument)>, bound_to: &[String]) -> Queue {
    Queue {
        name,
        arguments,
        bound_to: bound_to.to_vec(),
    }
}

/// A stream, which keeps what was read, up to a size.
fn stream(bytes_max: i64) -> Vec<(&'static str, Argument)> {
    vec![
        text("x-queue-type", "stream"),
        ("x-max-length-bytes", Argument::Int(bytes_max)),
    ]
}

fn audit() -> Vec<(&'static str, Argument)> {
    let mut arguments = stream(AUDIT_BYTES_MAX);
    arguments.push(text("x-max-age", AUDIT_AGE_MAX));
    arguments
}

/// A queue that nobody reads: what waits in it goes on when its time is over.
fn delayed(delay: Duration) -> Vec<(&'static str, Argument)> {
    let ttl_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
    vec![
        text("x-queue-type", "quorum"),
        ("x-message-ttl", Argument::Int(ttl_ms)),
    ]
}

/// A queue that outlives a node and never drops.
fn kept() -> Vec<(&'static str, Argument)> {
    vec![
        text("x-queue-type", "quorum"),
        ("x-delivery-limit", Argument::Int(DELIVERY_LIMIT)),
    ]
}

/// A queue whose expired messages go on without loss: at-least-once, which the broker only does with
/// `reject-publish` and otherwise silently does not.
fn handed_on(
    mut arguments: Vec<(&'static str, Argument)>,
    to: String,
) -> Vec<(&'static str, Argument)> {
    arguments.push(text("x-overflow", "reject-publish"));
    arguments.push(("x-dead-letter-exchange", Argument::Text(to)));
    arguments.push(text("x-dead-letter-strategy", "at-least-once"));
    arguments
}

fn text(name: &'static str, value: &str) -> (&'static str, Argument) {
    (name, Argument::Text(value.to_owned()))
}
