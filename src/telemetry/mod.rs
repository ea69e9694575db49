//! What the worker tells about itself: metrics, logs, the admin port.

use std::net::SocketAddr;

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
