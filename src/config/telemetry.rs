//! Settings of telemetry: the admin port and the log.

use std::net::SocketAddr;

use super::{parse, problems::Reader, setting::Setting};
use crate::telemetry::{LogFormat, Settings, logs};

pub(super) const ADMIN_ADDR: Setting = Setting::new(
    "REVOKER_ADMIN_ADDR",
    "admin-addr",
    "ADDRESS:PORT",
    "Where /metrics, /healthz and /readyz listen; 0.0.0.0:9477 or [::]:9477 lets other machines ask",
)
.default("127.0.0.1:9477");
pub(super) const LOG: Setting = Setting::new(
    "REVOKER_LOG",
    "log",
    "LEVEL",
    "What is logged: off, error, warn, info, debug or trace, or target=level pairs separated by commas, such as info,lapin=warn",
)
.default("info");
pub(super) const LOG_FORMAT: Setting = Setting::new(
    "REVOKER_LOG_FORMAT",
    "log-format",
    "text|json",
    "Form of a log line; not set: text on a terminal, one JSON object a line otherwise",
);

/// In the order of `--help`.
pub(super) const SETTINGS: &[&Setting] = &[&ADMIN_ADDR, &LOG, &LOG_FORMAT];

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Settings> {
    let admin_addr = admin_addr(reader);
    let log = reader.read(&LOG, log_filter);
    let log_format = reader.read(
        &LOG_FORMAT,
        parse::word(&[("text", LogFormat::Text), ("json", LogFormat::Json)]),
    );
    Some(Settings {
        admin_addr: admin_addr?,
        log: log?,
        log_format,
    })
}

/// The admin port alone.
pub(super) fn admin_addr(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    reader.read(&ADMIN_ADDR, address)
}

/// The same, without a word about one that is wrong.
pub(super) fn admin_addr_of(reader: &Reader<'_>) -> Option<SocketAddr> {
    reader
        .raw(&ADMIN_ADDR)
        .and_then(|value| address(value).ok())
}

fn address(value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| {
        format!(
            "is {}; give an IP address and a port, such as 127.0.0.1:9477 or [::1]:9477",
            parse::shown(value)
        )
    })
}

/// The rule is telemetry's, which makes the filter; the sentence is as those of all settings.
fn log_filter(value: &str) -> Result<String, String> {
    let wrong = |_| {
        format!(
            "is {}; give one of {}, or target=level pairs separated by commas, such as info,lapin=warn",
            parse::shown(value),
            logs::levels()
        )
    };
    logs::filter(value).map(|_| value.to_owned()).map_err(wrong)
}
