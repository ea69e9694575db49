//! What must hold for any bytes whatever, one property a format.
//!
//! Each takes bytes as an outsider may send them and panics where the promise is broken. Two programs
//! run them: the fuzzers beside this folder, which look for such bytes, and the tests in `tests/it`,
//! which show them all that was ever found worth keeping (`corpus/`).

mod api;
mod dialects;
mod event;
mod frames;
mod headers;
mod jwt;
mod sealed;
mod withheld;

/// A property by its name, which is that of its corpus too.
pub(crate) type Property = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const PROPERTIES: &[Property] = &[
    ("api", api::check),
    ("dialects", dialects::check),
    ("event", event::check),
    ("frames", frames::check),
    ("headers", headers::check),
    ("jwt", jwt::check),
    ("sealed", sealed::check),
];

/// A fixed present.
fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_795_329_000).expect("2026-11-22T06:30:00Z")
}
