//! Tests of gate.

mod dedupe;
mod intake;
