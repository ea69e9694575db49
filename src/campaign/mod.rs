//! Campaigns: a list of users or sessions that must all be logged out, and the proof that they were.
//!
//! Pure: formats, identities, sums. The command line publishes and reads, the worker obeys; both find
//! here what a record means. No clock, no broker.
//!
//! A campaign is made of parts. Each has a [`Manifest`] in the operator's stream, which says how many
//! targets it has and what their event ids come to; each target has one event, whose id follows from
//! campaign, part and target. So the stream of outcomes alone, read by anybody on any machine, shows how
//! far it is, and an outcome that was not asked for by the manifest counts for nothing.

pub mod control;
pub mod estimate;
pub mod evidence;
pub mod id;
pub mod orders;
pub mod outcome;
pub mod proof;
pub mod summary;
pub mod worker_state;

pub use control::{Manifest, Order, Record};
pub use id::{EventHash, Kind};
pub use orders::{Orders, Standing};
pub use outcome::Outcome;
pub use proof::Proof;
pub use worker_state::WorkerState;

/// Longest campaign id, as in the event's `campaign_id`.
pub const ID_LEN_MAX: usize = 64;

/// Whether this may be a campaign's id: `[A-Za-z0-9._-]{1,64}`.
pub fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=ID_LEN_MAX).contains(&text.len()) && text.bytes().all(allowed)
}
