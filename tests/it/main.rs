//! Tests without a broker, in one binary; modules in the order of the flow.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod config;
mod event;
mod sandbox;
mod telemetry;
mod tidy;
