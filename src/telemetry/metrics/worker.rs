//! The recorder's methods for the worker itself.

use super::{Metrics, one_if, seconds};
use crate::telemetry::{
    sets::Level,
    state::{Snapshot, State},
    why::Why,
};

/// The worker itself.
impl Metrics {
    /// Which state is shown, why, since when and until when, and whether it is ready.
    pub fn state(&self, shown: &Snapshot) {
        for (state, gauge) in State::ALL.iter().zip(self.all.state.iter()) {
            gauge.set(one_if(*state == shown.state));
        }
        for (why, gauge) in Why::all().zip(self.all.state_why.iter()) {
            gauge.set(one_if(why == shown.why));
        }
        self.all.state_since.only().set(seconds(shown.since));
        (self.all.state_next_probe.only()).set(shown.next_probe.map_or(0.0, seconds));
        self.all.ready.only().set(one_if(shown.ready()));
    }

    /// A task panicked.
    pub fn task_panic(&self) {
        self.all.panics.only().inc();
    }

    /// A line was logged.
    pub fn log_event(&self, level: Level) {
        self.all.log_events.at(level as usize).inc();
    }
}
