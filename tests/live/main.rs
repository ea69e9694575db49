//! Tests against a real RabbitMQ, the real binary and the pretend API, in one test binary.
//!
//! Not started by hand: `tests/run live` starts a private node, names it in `LIVE_AMQP_URL` (and a
//! folder of it in `LIVE_NODE_DIR`), and asks for the longer forms with `LIVE_FULL`. Without a broker
//! they fail, never skip: a green run that has tested nothing is worse than a red one.
//!
//! Each test has a [`harness::World`] of its own; none may lean on another, they run side by side.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![allow(
    clippy::print_stderr,
    reason = "a test tells its numbers, and its logs when it fails"
)]

mod alerts;
mod away;
mod campaign;
mod check;
mod contract;
mod dashboards;
mod dead_letters;
mod denylist;
mod deploy;
mod drain;
#[path = "../promql/mod.rs"]
mod expressions;
mod faults;
mod forged;
mod happy;
mod harness;
mod hostile;
mod intake;
mod killers;
mod newer;
mod orders;
mod pace;
mod permissions;
mod publish;
mod rotated;
mod scrape;
mod states;
mod status;
mod steered;
mod taken;
mod traced;
mod unread;
mod unreadable;
