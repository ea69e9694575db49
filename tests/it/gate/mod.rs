//! Tests of gate.

mod intake;
