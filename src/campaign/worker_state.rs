//! What a worker tells of itself while it handles a campaign, `revoker.worker.state.v1`, among the
//! outcomes: so that whoever follows the campaign knows why it is slow, without a way to the worker.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The `type` of such a message.
pub const TYPE: &str = "revoker.worker.state.v1";
/// Told again at least so often while campaign events are handled.
pub const EVERY_SECONDS: u64 = 30;

/// One worker at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerState {
    /// Always [`TYPE`].
    pub r#type: String,
    /// Which worker: an id that it takes at its start.
    pub worker: String,
    /// When it said so.
    pub at: Timestamp,
    /// Its state, a word of `telemetry::State`.
    pub state: String,
    /// Why, as a sentence.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
    /// When it tries again, where there is such a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_probe: Option<Timestamp>,
    /// Revoke calls a second that may go.
    pub rate: f64,
}

impl WorkerState {
    /// Reads it; `None` for anything else.
    pub fn read(body: &[u8]) -> Option<Self> {
        let state: Self = serde_json::from_slice(body).ok()?;
        (state.r#type == TYPE).then_some(state)
    }

    /// As it is published.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and times are always JSON")
    }

    /// The routing key under which it is published.
    pub fn routing_key(&self) -> String {
        format!("worker.{}", self.state)
    }
}
