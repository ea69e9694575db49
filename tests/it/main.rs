//! Tests without a broker, in one binary; modules in the order of the flow.

mod config;
mod event;
mod sandbox;
mod telemetry;
mod tidy;
