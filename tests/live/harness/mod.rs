//! What every live test stands on: a world with its own names, pretend API, workers and broker client.
//!
//! Nothing here knows a fault or a promise; those are the tests' own. Everything that is started ends
//! with the value that stands for it, also when a test fails.

pub(crate) mod broker;
pub(crate) mod certificates;
pub(crate) mod checks;
pub(crate) mod door;
pub(crate) mod event;
pub(crate) mod ledger;
pub(crate) mod metrics;
pub(crate) mod node;
pub(crate) mod once;
pub(crate) mod operator;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod proxy;
pub(crate) mod publish;
pub(crate) mod raw;
pub(crate) mod read;
pub(crate) mod repair;
pub(crate) mod sandbox;
pub(crate) mod secret;
pub(crate) mod shell;
pub(crate) mod tally;
pub(crate) mod user;
pub(crate) mod wait;
pub(crate) mod worker;
pub(crate) mod world;

use std::{path::PathBuf, time::Duration};

pub(crate) use event::Event;
pub(crate) use node::Node;
pub(crate) use sandbox::Sandbox;
pub(crate) use world::World;

/// What a healthy machine does in a second or two may take this long on a busy one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the longer forms were asked for.
pub(crate) fn is_full() -> bool {
    std::env::var("LIVE_FULL").is_ok_and(|value| !value.is_empty())
}

/// The shared broker's URL.
fn shared_amqp_url() -> String {
    std::env::var("LIVE_AMQP_URL")
        .expect("LIVE_AMQP_URL must name a broker: run these tests with `tests/run live`")
}

/// Where tests keep logs and nodes of their own: beside the shared node, so that `tests/run` finds and
/// ends what an interrupted run leaves behind.
pub(crate) fn scratch(kind: &str) -> PathBuf {
    let node = std::env::var("LIVE_NODE_DIR")
        .expect("LIVE_NODE_DIR must name the node's folder: run these tests with `tests/run live`");
    let beside = PathBuf::from(node).with_file_name(kind);
    std::fs::create_dir_all(&beside).unwrap();
    beside
}
