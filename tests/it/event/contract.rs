//! The table of refusals that publishers were promised, row by row and character by character.

use super::{promised, rejected::check};

#[test]
fn bodies() {
    check(promised::bodies());
}

#[test]
fn names_and_targets() {
    check(promised::names_and_targets());
}

#[test]
fn values() {
    check(promised::values());
}
