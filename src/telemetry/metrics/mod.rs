//! The recorder: one typed method for each fact the worker can report.
//!
//! It decides nothing and names no label by string; names, labels and buckets stand in `catalogue`.
//! Every method is an indexed atomic operation, cheap enough for the path of each event.

mod campaigns;
mod events;
mod rabbitmq;
mod stytch;
mod worker;

use jiff::Timestamp;
use prometheus::{Registry, TextEncoder};

use super::catalogue::Families;
use super::labels::dead_letter_codes;
use crate::settle::code::Code;
use campaigns::Shown;
pub use campaigns::{CAMPAIGNS_MAX, Campaign};

/// All metrics of one worker, with a registry of their own.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    all: Families,
    dead_letter_codes: Vec<Code>,
    campaigns: Shown,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers the whole catalogue, every label combination at 0.
    pub fn new() -> Self {
        let registry = Registry::new();
        let all = Families::register(&registry);
        all.build_info.only().set(1.0);
        #[cfg(target_os = "linux")]
        registry
            .register(Box::new(
                prometheus::process_collector::ProcessCollector::for_self(),
            ))
            .expect("no metric of ours begins with process_");
        Self {
            campaigns: Shown::new(&all),
            registry,
            all,
            dead_letter_codes: dead_letter_codes().collect(),
        }
    }

    /// The text exposition.
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("every family of the catalogue has children")
    }
}

/// Seconds since the epoch, to the microsecond.
fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}

/// 1 for true.
const fn one_if(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
