//! Tests without a broker, in one binary; modules in the order of the flow.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod alerts;
mod bench;
mod broker;
mod campaign;
mod cli;
mod compat;
mod config;
mod contract;
mod dashboards;
mod deploy;
mod event;
#[path = "../promql/mod.rs"]
mod expressions;
mod fuzz;
mod gate;
mod gate_sim;
mod promql;
mod publishing;
mod readme;
mod revoke;
mod sandbox;
mod seal;
mod settle;
mod telemetry;
mod tidy;
mod tls;
mod worker;
