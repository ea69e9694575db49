//! What the worker tells about itself: metrics, logs, the admin port.
//!
//! It decides nothing. The pure stages do not know it: facts come out of them, and `worker` records.
//! Names the closed sets of other stages, because they are its label values, and nothing else there.

pub mod admin;
pub mod catalogue;
pub mod dashboards;
mod family;
pub mod labels;
pub mod logs;
pub mod metrics;
pub mod sets;
pub mod state;
pub mod why;

use std::net::SocketAddr;

pub use admin::Admin;
pub use metrics::Metrics;
pub use state::{State, StateBoard};
pub use why::Why;

/// What telemetry needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where `/metrics`, `/healthz` and `/readyz` listen.
    pub admin_addr: SocketAddr,
    /// `REVOKER_LOG`: a level, or `target=level` pairs separated by commas.
    pub log: String,
    /// `REVOKER_LOG_FORMAT`; `None`: text on a terminal, JSON otherwise.
    pub log_format: Option<LogFormat>,
}

/// `REVOKER_LOG_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
