//! The recorder's methods for Stytch and the gate before it.

use std::time::Duration;

use super::Metrics;
use crate::{
    revoke::{CallKind, outcome::CallResult},
    telemetry::sets::Breaker,
};

/// Stytch and the gate before it.
impl Metrics {
    /// One HTTP request was answered, or was not.
    pub fn stytch_request(&self, call: CallKind, result: CallResult, elapsed: Duration) {
        self.all
            .stytch_requests
            .at2(call as usize, result as usize)
            .inc();
        self.all
            .stytch_duration
            .at(call as usize)
            .observe(elapsed.as_secs_f64());
    }

    /// An answer had an error type that nobody knows.
    pub fn unknown_error_type(&self) {
        self.all.unknown_types.only().inc();
    }

    /// Calls a second the controller allows now.
    pub fn rate(&self, permits_per_second: f64) {
        self.all.rate.only().set(permits_per_second);
    }

    /// The ceiling of that rate, by setting.
    pub fn rate_ceiling(&self, permits_per_second: Option<f64>) {
        self.all
            .rate_ceiling
            .only()
            .set(permits_per_second.unwrap_or(0.0));
    }

    /// Stytch refused every call for its rate, for this long.
    pub fn rate_blocked(&self, blocked: Duration) {
        self.all.rate_blocked.only().inc_by(blocked.as_secs_f64());
    }

    /// The breaker changed to this state.
    pub fn breaker_to(&self, state: Breaker) {
        self.all.breaker.at(state as usize).inc();
    }
}
