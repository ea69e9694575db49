//! Settings of the gate: how fast, how many at once, and what an outage means.

use super::{parse, problems::Reader, setting::Setting};
use crate::gate::{OutageMode, Settings};

pub(super) const MAX_RATE: Setting = Setting::new(
    "REVOKER_MAX_RATE",
    "max-rate",
    "RATE",
    "Calls a second at most, per kind of call: 100, 100/s, 6000/min or 90000/h; not set: only what Stytch allows",
);
pub(super) const START_RATE: Setting = Setting::new(
    "REVOKER_START_RATE",
    "start-rate",
    "RATE",
    "Calls a second in the first moment, per kind of call; doubles each second until Stytch answers 429",
)
.default("10/s");
pub(super) const SLOTS: Setting = Setting::new(
    "REVOKER_SLOTS",
    "slots",
    "COUNT",
    "Calls on the wire at once, 1 to 2000; 32 of them (with fewer than 200, 16 %) are for the urgent lane only",
)
.default("200");
pub(super) const OUTAGE: Setting = Setting::new(
    "REVOKER_OUTAGE",
    "outage",
    "hold|dead-letter",
    "What a failing API means: hold pauses the worker and costs no event an attempt; dead-letter counts every failure, 429 included, as an attempt",
)
.default("hold");

/// In the order of `--help`.
pub(super) const SETTINGS: &[&Setting] = &[&MAX_RATE, &START_RATE, &SLOTS, &OUTAGE];

/// How many slots bulk never gets.
const URGENT_ONLY: usize = 32;
/// With fewer slots than this, urgent's part shrinks in proportion.
const SLOTS_FULL: usize = 200;

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Settings> {
    let max_rate = reader.read(&MAX_RATE, parse::rate);
    let start_rate = reader.read(&START_RATE, parse::rate);
    let slots = reader.read(&SLOTS, parse::number(1..=2000));
    let modes = [
        ("hold", OutageMode::Hold),
        ("dead-letter", OutageMode::DeadLetter),
    ];
    let outage = reader.read(&OUTAGE, parse::word(&modes));
    let slots: usize = slots?;
    let slots_urgent_only = slots.min(SLOTS_FULL) * URGENT_ONLY / SLOTS_FULL;
    Some(Settings {
        max_rate,
        start_rate: start_rate?,
        slots,
        slots_urgent_only,
        outage: outage?,
    })
}
