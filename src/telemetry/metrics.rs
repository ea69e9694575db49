//! The recorder: one typed method for each fact the worker can report.
//!
//! It decides nothing and names no label by string; names, labels and buckets stand in `catalogue`.
//! Every method is an indexed atomic operation, cheap enough for the path of each event.

use std::time::Duration;

use jiff::Timestamp;
use prometheus::{Registry, TextEncoder};

use super::catalogue::Families;
use super::labels::dead_letter_codes;
use super::sets::{
    Breaker, Dedupe, DeliveryKind, Level, PublishResult, Queue, Reason, RetryCause, Role, Stage,
    To, Unmeasured,
};
use super::state::{Snapshot, State};
use super::why::Why;
use crate::{
    event::{self, Lane},
    revoke::{CallKind, outcome::CallResult},
    settle::{code::Code, outcome::Outcome},
};

/// All metrics of one worker, with a registry of their own.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    all: Families,
    dead_letter_codes: Vec<Code>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers the whole catalogue, every label combination at 0.
    pub fn new() -> Self {
        let registry = Registry::new();
        let all = Families::register(&registry);
        all.build_info.only().set(1.0);
        #[cfg(target_os = "linux")]
        registry
            .register(Box::new(
                prometheus::process_collector::ProcessCollector::for_self(),
            ))
            .expect("no metric of ours begins with process_");
        Self {
            registry,
            all,
            dead_letter_codes: dead_letter_codes().collect(),
        }
    }

    /// The text exposition.
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("every family of the catalogue has children")
    }
}

/// An event's way.
impl Metrics {
    /// A message was taken from its queue.
    pub fn received(&self, lane: Lane, kind: DeliveryKind) {
        self.all.received.at2(lane as usize, kind as usize).inc();
    }

    /// An event was refused before any call.
    pub fn rejected(&self, lane: Lane, code: event::Code) {
        self.all.rejected.at2(lane as usize, code as usize).inc();
    }

    /// An event came to an end.
    pub fn completed(&self, lane: Lane, outcome: Outcome) {
        self.all
            .completed
            .at2(lane as usize, outcome as usize)
            .inc();
    }

    /// An event was published to a delay queue.
    pub fn deferred(&self, lane: Lane) {
        self.all.deferred.at(lane as usize).inc();
    }

    /// An event was given back to its queue.
    pub fn returned(&self, lane: Lane) {
        self.all.returned.at(lane as usize).inc();
    }

    /// An outcome stands only in the log.
    pub fn outcome_unrecorded(&self, lane: Lane) {
        self.all.unrecorded.at(lane as usize).inc();
    }

    /// An event's reason, in its publisher's word; unknown ones count as `other`.
    pub fn by_reason(&self, word: &str) {
        self.all.by_reason.at(Reason::of(word) as usize).inc();
    }

    /// A revocation was confirmed this long after `occurred_at`.
    pub fn exposure(&self, lane: Lane, exposure: Duration) {
        self.all
            .exposure
            .at(lane as usize)
            .observe(exposure.as_secs_f64());
    }

    /// A revocation whose exposure says nothing about us.
    pub fn exposure_unmeasured(&self, lane: Lane, cause: Unmeasured) {
        self.all.unmeasured.at2(lane as usize, cause as usize).inc();
    }

    /// An event spent this long in one stage.
    pub fn stage(&self, stage: Stage, spent: Duration) {
        self.all
            .stage
            .at(stage as usize)
            .observe(spent.as_secs_f64());
    }

    /// `occurred_at` of the oldest event in hand, if there is one.
    pub fn oldest_unfinished(&self, lane: Lane, occurred_at: Option<Timestamp>) {
        let oldest = self.all.oldest.at(lane as usize);
        oldest.set(occurred_at.map_or(0.0, seconds));
    }

    /// When the last event was taken.
    pub fn last_received(&self, lane: Lane, at: Timestamp) {
        self.all.last_received.at(lane as usize).set(seconds(at));
    }

    /// When the last revocation was confirmed.
    pub fn last_revocation(&self, lane: Lane, at: Timestamp) {
        self.all.last_revocation.at(lane as usize).set(seconds(at));
    }

    /// Whether an operator holds the whole bulk lane.
    pub fn bulk_held(&self, held: bool) {
        self.all.bulk_held.only().set(one_if(held));
    }

    /// Adds `change` to the number of events in hand.
    pub fn inflight(&self, lane: Lane, change: i64) {
        self.all.inflight.at(lane as usize).add(change as f64);
    }

    /// How many events may be in hand.
    pub fn inflight_limit(&self, lane: Lane, limit: usize) {
        self.all.inflight_limit.at(lane as usize).set(limit as f64);
    }

    /// A call was saved.
    pub fn dedupe_hit(&self, kind: Dedupe) {
        self.all.dedupe.at(kind as usize).inc();
    }

    /// An event must wait for another try.
    pub fn retry(&self, lane: Lane, cause: RetryCause) {
        self.all.retries.at2(lane as usize, cause as usize).inc();
    }

    /// How many attempts an event had when it came to an end.
    pub fn attempts(&self, attempts: u32) {
        self.all.attempts.only().observe(f64::from(attempts));
    }

    /// An event was put into the dead-letter queue. `sealed`: it holds a credential of a session
    /// that was not revoked.
    pub fn dead_letter(&self, lane: Lane, code: Code, sealed: bool) {
        let known = |code| self.dead_letter_codes.iter().position(|one| *one == code);
        // A code that blames our credentials pauses the worker; on a dead letter it is our own bug.
        let index = known(code)
            .or_else(|| known(Code::InternalError))
            .expect("internal_error is one");
        self.all.dead_letters.at2(lane as usize, index).inc();
        if sealed {
            self.all.dead_letters_sealed.at(lane as usize).inc();
        }
    }
}

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

/// RabbitMQ.
impl Metrics {
    /// A connection was made or lost.
    pub fn amqp_connected(&self, role: Role, connected: bool) {
        self.all
            .amqp_connected
            .at(role as usize)
            .set(one_if(connected));
    }

    /// A connection was made again.
    pub fn amqp_reconnect(&self) {
        self.all.amqp_reconnects.only().inc();
    }

    /// RabbitMQ cancelled a lane's consumer.
    pub fn consumer_cancel(&self, lane: Lane) {
        self.all.amqp_cancels.at(lane as usize).inc();
    }

    /// A publish ended.
    pub fn publish(&self, to: To, result: PublishResult) {
        self.all.publishes.at2(to as usize, result as usize).inc();
    }

    /// Ready messages of a queue (the maximum of the last three readings), read at `at`.
    pub fn queue_depth(&self, queue: Queue, messages: u64, at: Timestamp) {
        self.all
            .queue_messages
            .at(queue as usize)
            .set(messages as f64);
        self.all.queue_polled.only().set(seconds(at));
    }
}

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

/// Seconds since the epoch, to the microsecond.
fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}

/// 1 for true.
const fn one_if(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
