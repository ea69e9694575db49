//! Each recording method changes exactly its own series.

use std::{collections::BTreeMap, time::Duration};

use revoker::{
    event::{Code as Refusal, Lane, REASONS},
    revoke::{
        CallKind,
        outcome::{ApiCode, CallResult},
    },
    settle::{code::Code, outcome::Outcome},
    telemetry::{
        Metrics,
        sets::{
            Breaker, Dedupe, DeliveryKind, Level, PublishResult, Queue, RetryCause, Role, Stage,
            To, Unmeasured,
        },
    },
};

use super::{at, metrics::series};

/// Does the deed on fresh metrics; exactly the series named must then differ from a fresh start.
fn check(deed: impl Fn(&Metrics), expected: &[(&str, f64)]) {
    let metrics = Metrics::new();
    let before = series(&metrics);
    deed(&metrics);
    let mut changed = series(&metrics);
    changed.retain(|name, value| before[name] != *value && !name.contains("_bucket"));
    let expected: BTreeMap<String, f64> = expected
        .iter()
        .map(|(name, value)| (format!("revoker_{name}"), *value))
        .collect();
    assert_eq!(changed, expected);
}

#[test]
fn each_fact_of_an_event_has_its_series() {
    use Lane::{Bulk, Urgent};
    check(
        |m| m.received(Bulk, DeliveryKind::Redelivered),
        &[(
            r#"events_received_total{delivery="redelivered",lane="bulk"}"#,
            1.0,
        )],
    );
    check(
        |m| m.rejected(Urgent, Refusal::WrongProject),
        &[(
            r#"events_rejected_total{code="wrong_project",lane="urgent"}"#,
            1.0,
        )],
    );
    check(
        |m| m.completed(Bulk, Outcome::AlreadyGone),
        &[(
            r#"events_completed_total{lane="bulk",outcome="already_gone"}"#,
            1.0,
        )],
    );
    check(
        |m| m.deferred(Urgent),
        &[(r#"events_deferred_total{lane="urgent"}"#, 1.0)],
    );
    check(
        |m| m.returned(Bulk),
        &[(r#"events_returned_total{lane="bulk"}"#, 1.0)],
    );
    check(
        |m| m.outcome_unrecorded(Urgent),
        &[(r#"outcomes_unrecorded_total{lane="urgent"}"#, 1.0)],
    );
    for reason in REASONS {
        let series = format!("events_by_reason_total{{reason=\"{reason}\"}}");
        check(|m| m.by_reason(reason), &[(&series, 1.0)]);
    }
    check(
        |m| m.by_reason("Zoe"),
        &[(r#"events_by_reason_total{reason="other"}"#, 1.0)],
    );
}

#[test]
fn each_measure_of_an_event_has_its_series() {
    use Lane::{Bulk, Urgent};
    check(
        |m| m.exposure(Urgent, Duration::from_millis(1500)),
        &[
            (r#"exposure_seconds_sum{lane="urgent"}"#, 1.5),
            (r#"exposure_seconds_count{lane="urgent"}"#, 1.0),
        ],
    );
    check(
        |m| m.exposure_unmeasured(Bulk, Unmeasured::Replay),
        &[(
            r#"exposure_unmeasured_total{cause="replay",lane="bulk"}"#,
            1.0,
        )],
    );
    check(
        |m| m.stage(Stage::Settle, Duration::from_secs(2)),
        &[
            (r#"stage_duration_seconds_sum{stage="settle"}"#, 2.0),
            (r#"stage_duration_seconds_count{stage="settle"}"#, 1.0),
        ],
    );
    check(
        |m| m.retry(Bulk, RetryCause::NewerFormat),
        &[(r#"retries_total{cause="newer_format",lane="bulk"}"#, 1.0)],
    );
    check(
        |m| m.attempts(3),
        &[("event_attempts_sum", 3.0), ("event_attempts_count", 1.0)],
    );
    check(
        |m| m.dedupe_hit(Dedupe::Recent),
        &[(r#"dedupe_hits_total{kind="recent"}"#, 1.0)],
    );
}

#[test]
fn each_dead_letter_has_its_series() {
    let cases = [
        (Code::Rejected(Refusal::EmptyBody), "empty_body"),
        (Code::Rejected(Refusal::WrongProject), "wrong_project"),
        (Code::Api(ApiCode::ApiOther), "api_other"),
        (Code::UserSessionsRemain, "user_sessions_remain"),
        // Never on a dead letter; if it comes to that, it is counted as our own bug.
        (
            Code::Api(ApiCode::UnauthorizedCredentials),
            "internal_error",
        ),
    ];
    for (code, word) in cases {
        let name = format!(r#"dead_letters_total{{code="{word}",lane="bulk"}}"#);
        check(|m| m.dead_letter(Lane::Bulk, code, false), &[(&name, 1.0)]);
        let sealed = r#"dead_letters_sealed_total{lane="bulk"}"#;
        check(
            |m| m.dead_letter(Lane::Bulk, code, true),
            &[(&name, 1.0), (sealed, 1.0)],
        );
    }
}

#[test]
fn each_fact_of_stytch_and_rabbitmq_has_its_series() {
    check(
        |m| {
            m.stytch_request(
                CallKind::List,
                CallResult::RateLimited,
                Duration::from_secs(1),
            )
        },
        &[
            (
                r#"stytch_requests_total{call="list",result="rate_limited"}"#,
                1.0,
            ),
            (r#"stytch_request_duration_seconds_sum{call="list"}"#, 1.0),
            (r#"stytch_request_duration_seconds_count{call="list"}"#, 1.0),
        ],
    );
    check(|m| m.rate(12.5), &[("rate_permits_per_second", 12.5)]);
    check(
        |m| m.rate_ceiling(Some(100.0)),
        &[("rate_ceiling_permits_per_second", 100.0)],
    );
    check(
        |m| m.rate_blocked(Duration::from_millis(250)),
        &[("rate_blocked_seconds_total", 0.25)],
    );
    check(
        Metrics::unknown_error_type,
        &[("stytch_unknown_error_types_total", 1.0)],
    );
    check(
        |m| m.breaker_to(Breaker::Probing),
        &[(r#"breaker_transitions_total{to="probing"}"#, 1.0)],
    );
    check(
        |m| m.amqp_connected(Role::Publisher, true),
        &[(r#"amqp_connected{role="publisher"}"#, 1.0)],
    );
    check(Metrics::amqp_reconnect, &[("amqp_reconnects_total", 1.0)]);
    check(
        |m| m.consumer_cancel(Lane::Bulk),
        &[(r#"amqp_consumer_cancels_total{lane="bulk"}"#, 1.0)],
    );
    check(
        |m| m.publish(To::Control, PublishResult::Returned),
        &[(
            r#"amqp_publishes_total{result="returned",to="control"}"#,
            1.0,
        )],
    );
    check(Metrics::task_panic, &[("task_panics_total", 1.0)]);
    check(
        |m| m.log_event(Level::Warn),
        &[(r#"log_events_total{level="warn"}"#, 1.0)],
    );
}

#[test]
fn gauges_show_the_last_value() {
    let (urgent, bulk) = (Lane::Urgent, Lane::Bulk);
    check(
        |m| m.queue_depth(Queue::Dead, 27, at(5)),
        &[
            (r#"queue_messages{queue="dead"}"#, 27.0),
            ("queue_polled_timestamp_seconds", 1_790_000_005.0),
        ],
    );
    check(
        |m| {
            m.oldest_unfinished(urgent, Some(at(1)));
            m.oldest_unfinished(bulk, Some(at(2)));
            m.oldest_unfinished(bulk, None);
            m.last_received(bulk, at(3));
            m.last_revocation(urgent, at(4));
        },
        &[
            (
                r#"oldest_unfinished_event_timestamp_seconds{lane="urgent"}"#,
                1_790_000_001.0,
            ),
            (
                r#"last_received_event_timestamp_seconds{lane="bulk"}"#,
                1_790_000_003.0,
            ),
            (
                r#"last_revocation_timestamp_seconds{lane="urgent"}"#,
                1_790_000_004.0,
            ),
        ],
    );
    check(
        |m| {
            m.inflight(urgent, 3);
            m.inflight(urgent, -1);
            m.inflight_limit(urgent, 200);
        },
        &[
            (r#"inflight_events{lane="urgent"}"#, 2.0),
            (r#"inflight_limit{lane="urgent"}"#, 200.0),
        ],
    );
}
