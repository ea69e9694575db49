//! Tests of gate: who goes next, what an outage is, and that no slot is ever lost.
//!
//! Not here: how well the rate is found out; `gate_sim` measures that.

mod blocks;
mod brake;
mod breaker;
mod dedupe;
mod intake;
mod line;
mod rate;
mod share;
mod trial;
mod unknown;
mod wait;

use std::time::Duration;

use revoker::gate::{OutageMode, Settings};

/// A gate with so many slots, of which so many are urgent's, and no ceiling.
fn settings(slots: usize, slots_urgent_only: usize) -> Settings {
    Settings {
        max_rate: None,
        max_rate_total: None,
        start_rate: 10.0,
        slots,
        slots_urgent_only,
        urgent_rate: 50.0,
        outage: OutageMode::Hold,
        hold_limit: Duration::from_secs(600),
    }
}
