//! Tests of gate.

mod brake;
mod dedupe;
mod intake;
