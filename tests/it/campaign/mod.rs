//! Tests of campaigns: what counts as proof, and the evidence of it.

mod evidence;
mod given;
mod outcome;
mod proof;
mod summary;
