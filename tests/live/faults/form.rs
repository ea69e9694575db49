//! How much a row does: what a change is tested with, what takes a quarter of an hour, or all of it.

use std::env;

/// What is promised, shortened or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `tests/run faults`: all rows within five minutes.
    Short,
    /// `tests/soak --quick`: within fifteen.
    Quick,
    /// `tests/soak`: what is promised, in full.
    Full,
}

/// The value for the form that was asked for in `LIVE_FORM`: `short` (default), `quick` or `full`.
///
/// # Panics
/// When another word was given: a typo must not pass for the full form.
pub(crate) fn form<T>(short: T, quick: T, full: T) -> T {
    match asked() {
        Form::Short => short,
        Form::Quick => quick,
        Form::Full => full,
    }
}

fn asked() -> Form {
    match env::var("LIVE_FORM").as_deref() {
        Err(_) | Ok("" | "short") => Form::Short,
        Ok("quick") => Form::Quick,
        Ok("full") => Form::Full,
        Ok(other) => panic!("LIVE_FORM is short, quick or full, not {other}"),
    }
}
