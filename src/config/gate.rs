//! Settings of the gate: how fast, how many at once, and what an outage means.

use std::time::Duration;

use super::{parse, problems::Reader, setting::Setting};
use crate::gate::{OutageMode, Settings};

pub(super) const MAX_RATE: Setting = Setting::new(
    "REVOKER_MAX_RATE",
    "max-rate",
    "RATE",
    "Calls a second at most, per kind of call, but for urgent ones, of which up to 8 a second may pass: 100, 100/s, 6000/min or 90000/h; not set: only what Stytch allows",
);
pub(super) const MAX_RATE_TOTAL: Setting = Setting::new(
    "REVOKER_MAX_RATE_TOTAL",
    "max-rate-total",
    "RATE",
    "The same for all workers together: each takes its part, by the number of consumers of the urgent lane, which it hears every 5 s. With REVOKER_MAX_RATE, the lower of the two holds",
);
pub(super) const START_RATE: Setting = Setting::new(
    "REVOKER_START_RATE",
    "start-rate",
    "RATE",
    "Calls a second in the first moment, per kind of call; doubles every half second up to 400 a second, and each second from there, until Stytch answers 429",
)
.default("20/s");
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

pub(super) const HOLD_LIMIT: Setting = Setting::new(
    "REVOKER_HOLD_LIMIT",
    "hold-limit",
    "DURATION",
    "How long an event may be in hand, 10s to 1h, well under the broker's consumer_timeout (30 minutes by default): a lane that cannot send for a tenth of it is given back, an event that has waited for half of it goes to the first retry delay without an attempt",
)
.default("10m");

pub(super) const URGENT_RATE: Setting = Setting::new(
    "REVOKER_URGENT_RATE",
    "urgent-rate",
    "RATE",
    "Events a second that one publisher may have ahead of bulk in the urgent lane; what is more is paced like bulk, never dropped",
)
.default("50/s");

/// In the order of `--help`.
pub(super) const SETTINGS: &[&Setting] = &[
    &MAX_RATE,
    &MAX_RATE_TOTAL,
    &START_RATE,
    &SLOTS,
    &URGENT_RATE,
    &OUTAGE,
    &HOLD_LIMIT,
];

/// How many slots bulk never gets.
const URGENT_ONLY: usize = 32;
/// With fewer slots than this, urgent's part shrinks in proportion.
const SLOTS_FULL: usize = 200;

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Settings> {
    let max_rate = reader.read(&MAX_RATE, parse::rate);
    let max_rate_total = reader.read(&MAX_RATE_TOTAL, parse::rate);
    let start_rate = reader.read(&START_RATE, parse::rate);
    let slots = reader.read(&SLOTS, parse::number(1..=2000));
    let urgent_rate = reader.read(&URGENT_RATE, parse::rate);
    let modes = [
        ("hold", OutageMode::Hold),
        ("dead-letter", OutageMode::DeadLetter),
    ];
    let outage = reader.read(&OUTAGE, parse::word(&modes));
    let hold_limits = Duration::from_secs(10)..=Duration::from_secs(3600);
    let hold_limit = reader.read(&HOLD_LIMIT, parse::duration(hold_limits));
    let slots: usize = slots?;
    let slots_urgent_only = slots.min(SLOTS_FULL) * URGENT_ONLY / SLOTS_FULL;
    Some(Settings {
        max_rate,
        max_rate_total,
        start_rate: start_rate?,
        slots,
        slots_urgent_only,
        urgent_rate: urgent_rate?,
        outage: outage?,
        hold_limit: hold_limit?,
    })
}
