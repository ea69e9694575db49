//! Tests of the telemetry stage: what is exported before the first event, what is recorded, which
//! state is shown, what a log line looks like, and what a stranger can do to the admin port.

mod admin;
mod campaigns;
mod log_filter;
mod logs;
mod metrics;
mod recorded;
mod state;

use jiff::Timestamp;

/// That many seconds after a fixed moment.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}
