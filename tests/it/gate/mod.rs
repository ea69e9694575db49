//! Tests of gate: who goes next, what an outage is, and that no slot is ever lost.
//!
//! Not here: how fast calls go when nothing is wrong.

mod breaker;
mod line;
mod wait;

use revoker::gate::{OutageMode, Settings};

/// A gate with so many slots, of which so many are urgent's, and no ceiling.
fn settings(slots: usize, slots_urgent_only: usize) -> Settings {
    Settings {
        max_rate: None,
        slots,
        slots_urgent_only,
        outage: OutageMode::Hold,
    }
}
