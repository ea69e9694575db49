//! The catalogue: every metric of the worker, its name, kind, labels, buckets and help, once.
//!
//! Registration, the README's table and the checks of the dashboards all read this table, so a
//! metric that is not here does not exist and one that is here is registered. Not here: `process_*`,
//! which the `prometheus` crate collects itself, and who records what (`metrics`).
//!
//! Objectives are bucket edges: 60 s and 300 s in `revoker_exposure_seconds`.

use std::fmt::Write as _;

use prometheus::Registry;

use super::family::{Family, kind};
use super::labels::{Label, OTHER_CAMPAIGNS};
use super::metrics::CAMPAIGNS_MAX;

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Full name.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Its labels, at most two.
    pub labels: &'static [Label],
    /// Upper edges of a histogram's buckets in the metric's unit, without `+Inf`; else empty.
    pub buckets: &'static [f64],
    /// What it tells.
    pub help: &'static str,
}

/// The kinds of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Counts events; only rises.
    Count,
    /// Adds up seconds; only rises.
    Seconds,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

impl Kind {
    /// Prometheus's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count | Self::Seconds => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Spec {
    /// How many children the metric has at start: one for each combination of label values.
    pub fn children(&self) -> usize {
        self.labels.iter().map(|l| l.values().len()).product()
    }

    /// How many time series the metric exports at start.
    pub fn series(&self) -> usize {
        let each = match self.kind {
            Kind::Histogram => self.buckets.len() + 3, // +Inf, _sum, _count
            Kind::Count | Kind::Seconds | Kind::Gauge => 1,
        };
        self.children() * each
    }
}

/// Declares [`CATALOGUE`] and, from the same rows, the struct that registers and holds every metric.
macro_rules! catalogue {
    ($($field:ident: $kind:ident $name:literal [$($label:ident),*] $([$($bucket:literal)+])? $help:literal;)+) => {
        /// Every metric of the worker, in the order of the README's table.
        pub const CATALOGUE: &[Spec] = &[$(Spec {
            name: $name,
            kind: Kind::$kind,
            labels: &[$(Label::$label),*],
            buckets: &[$($($bucket as f64),+)?],
            help: $help,
        }),+];

        /// Every metric, registered and resolved: one field a row.
        #[derive(Debug)]
        pub(super) struct Families { $(pub(super) $field: Family<kind::$kind>,)+ }

        impl Families {
            /// Registers every row of the catalogue.
            pub(super) fn register(registry: &Registry) -> Self {
                let mut rows = CATALOGUE.iter();
                let mut next = || rows.next().expect("the struct has one field for each row");
                Self { $($field: Family::register(next(), registry),)+ }
            }
        }
    };
}

catalogue! {
    build_info: Gauge "revoker_build_info" [Version, Revision] "Always 1; says which build runs.";
    ready: Gauge "revoker_ready" [] "1 if /readyz answers 200.";
    state: Gauge "revoker_state" [State] "1 for the one state that says why the worker is not at full speed.";
    state_why: Gauge "revoker_state_why" [Why] "1 for the reason of that state.";
    state_since: Gauge "revoker_state_since_timestamp_seconds" [] "When that state began.";
    state_next_probe: Gauge "revoker_state_next_probe_timestamp_seconds" [] "When the next canary or the next try to connect is due, or the drain ends; 0 if there is none.";
    received: Count "revoker_events_received_total" [Lane, Delivery] "Messages taken from a lane's queue.";
    rejected: Count "revoker_events_rejected_total" [Lane, RejectCode] "Events refused before any call, by the contract's code.";
    completed: Count "revoker_events_completed_total" [Lane, Outcome] "Events that came to an end.";
    deferred: Count "revoker_events_deferred_total" [Lane] "Events published to a delay queue.";
    returned: Count "revoker_events_returned_total" [Lane] "Events given back to their queue.";
    unrecorded: Count "revoker_outcomes_unrecorded_total" [Lane] "Outcomes that could not be published and stand only in the log.";
    by_reason: Count "revoker_events_by_reason_total" [Reason] "Events by the reason their publisher gave.";
    exposure: Histogram "revoker_exposure_seconds" [Lane] [0.25 0.5 1 2.5 5 10 30 60 120 300 900 3600 14400]
        "From the event's occurred_at to the confirmed revocation.";
    unmeasured: Count "revoker_exposure_unmeasured_total" [Lane, Unmeasured] "Revocations whose exposure is kept out of the histogram.";
    stage: Histogram "revoker_stage_duration_seconds" [Stage] [0.001 0.01 0.1 1 10 60 600] "Where an event's time went.";
    oldest: Gauge "revoker_oldest_unfinished_event_timestamp_seconds" [Lane] "occurred_at of the oldest event in hand, of those whose exposure is measured; 0 if none.";
    last_received: Gauge "revoker_last_received_event_timestamp_seconds" [Lane] "When the last event was taken; 0 if none.";
    last_revocation: Gauge "revoker_last_revocation_timestamp_seconds" [Lane] "When the last revocation was confirmed; 0 if none.";
    stytch_requests: Count "revoker_stytch_requests_total" [Call, Result] "HTTP requests to Stytch, every attempt.";
    stytch_duration: Histogram "revoker_stytch_request_duration_seconds" [Call] [0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10]
        "Duration of one HTTP request to Stytch.";
    unknown_types: Count "revoker_stytch_unknown_error_types_total" [] "Answers whose error type this version does not know; the log names each type once.";
    retries: Count "revoker_retries_total" [Lane, RetryCause] "Events that must wait for another try, in memory or in a delay queue.";
    attempts: Histogram "revoker_event_attempts" [] [1 2 3 5 8 13] "Attempts an event had when it came to an end.";
    rate: Gauge "revoker_rate_permits_per_second" [] "Calls a second the controller allows now.";
    rate_ceiling: Gauge "revoker_rate_ceiling_permits_per_second" [] "Ceiling of that rate by setting, this worker's part of one for all; 0 if none.";
    rate_blocked: Seconds "revoker_rate_blocked_seconds_total" [] "Time in which Stytch refused every call for its rate.";
    breaker: Count "revoker_breaker_transitions_total" [Breaker] "Changes of the breaker, by the state it changed to.";
    queue_messages: Gauge "revoker_queue_messages" [Queue] "Ready messages, the maximum of the last three readings.";
    queue_polled: Gauge "revoker_queue_polled_timestamp_seconds" [] "When the depths were last read; 0 if never.";
    bulk_held: Gauge "revoker_bulk_held" [] "1 while an operator holds the whole bulk lane.";
    inflight: Gauge "revoker_inflight_events" [Lane] "Events in hand.";
    inflight_limit: Gauge "revoker_inflight_limit" [Lane] "How many events may be in hand.";
    dead_letters: Count "revoker_dead_letters_total" [Lane, DeadLetterCode] "Events put into the dead-letter queue, by code.";
    dead_letters_sealed: Count "revoker_dead_letters_sealed_total" [Lane] "Dead letters that hold a credential of a session not revoked.";
    dedupe: Count "revoker_dedupe_hits_total" [Dedupe] "Calls saved because the target was on the wire or just revoked.";
    amqp_connected: Gauge "revoker_amqp_connected" [Role] "1 while the connection to RabbitMQ stands.";
    amqp_reconnects: Count "revoker_amqp_reconnects_total" [] "Connections to RabbitMQ made again.";
    amqp_cancels: Count "revoker_amqp_consumer_cancels_total" [Lane] "Consumers that RabbitMQ cancelled.";
    publishes: Count "revoker_amqp_publishes_total" [To, PublishResult] "Messages published, by how the publish ended.";
    campaign_expected: Gauge "revoker_campaign_expected_events" [Campaign] "Targets of a campaign, as the operator's stream says.";
    campaign_events: Count "revoker_campaign_events_total" [Campaign, Outcome] "Events of a campaign that came to an end here; the audit stream is the proof.";
    panics: Count "revoker_task_panics_total" [] "Tasks that panicked.";
    log_events: Count "revoker_log_events_total" [Level] "Log lines written, by level.";
}

/// Values of a label are listed in the table up to this many.
const VALUES_SHOWN_MAX: usize = 10;

/// The catalogue as the README's table.
pub fn markdown_table() -> String {
    let mut table = String::from("| name | type | labels | meaning |\n|---|---|---|---|\n");
    for spec in CATALOGUE {
        let labels: Vec<String> = spec.labels.iter().map(|l| describe(*l)).collect();
        let labels = if labels.is_empty() {
            "–".to_owned()
        } else {
            labels.join("; ")
        };
        let (name, kind, help) = (spec.name, spec.kind.as_str(), spec.help);
        writeln!(table, "| `{name}` | {kind} | {labels} | {help} |")
            .expect("writing to a string cannot fail");
    }
    table
}

/// `lane`: urgent, bulk.
fn describe(label: Label) -> String {
    let values = label.values();
    match label {
        Label::Version | Label::Revision => format!("`{}`", label.name()),
        Label::Campaign => format!(
            "`{}`: the {CAMPAIGNS_MAX} newest, {OTHER_CAMPAIGNS}",
            label.name()
        ),
        _ if values.len() > VALUES_SHOWN_MAX => {
            format!("`{}`: one of {}", label.name(), values.len())
        }
        _ => format!("`{}`: {}", label.name(), values.join(", ")),
    }
}
