//! The dashboard of every day: does each worker do its work, and what does it cost?

mod process;

use super::{
    Dashboard,
    panel::{CALLS_PER_SECOND, Kind, PER_SECOND, Panel, Row, SECONDS, SHARE, WHEN},
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        file: "health.json",
        uid: "revoker-health",
        title: "Revoker / Worker health",
        description: "For every day: are the workers well, what do they do at Stytch and RabbitMQ, and what do they need?",
        range: "now-3h",
        refresh: "30s",
        by_instance: true,
        rows: vec![
            glance(),
            state(),
            stytch(),
            flow(),
            intake(),
            process::rabbitmq(),
            process::process(),
        ],
    }
}

fn glance() -> Row {
    Row::new(
        "At a glance",
        vec![
            Panel::new(Kind::Stat, "Up, and ready?")
                .good("as many as you run, and all of them ready")
                .otherwise("up and not ready: without RabbitMQ, or ending; see the state")
                .ask("sum(up{$where}) or vector(0)", "up")
                .ask("sum(revoker_ready{$where}) or vector(0)", "ready")
                .steps("red", &[(1.0, "green")])
                .runbook("RevokerNotConsuming"),
            Panel::new(Kind::Stat, "Connected?")
                .good("100 % in both roles")
                .otherwise("see revoker check, and RabbitMQ's own dashboard")
                .unit(SHARE)
                .up_to(1.0)
                .ask("avg by (role) (revoker_amqp_connected{$where})", "{{role}}")
                .none("unknown")
                .steps("red", &[(1.0, "green")])
                .runbook("RevokerAmqpFlapping"),
            Panel::new(Kind::Stat, "Error budget left?")
                .good("over 25 % of what the time range allows: 99 of 100 urgent events within 60 s")
                .otherwise("at 0 the objective is missed: see exposure and its stages in the other dashboard")
                .unit(SHARE)
                .up_to(1.0)
                .ask(
                    "1 - clamp_min(1 - sum(increase(revoker_exposure_seconds_bucket{$where,lane=\"urgent\",le=~\"60(\\\\.0)?\"}[$__range])) \
                     / (sum(increase(revoker_events_received_total{$where,lane=\"urgent\",delivery=\"first\"}[$__range])) \
                     - sum(increase(revoker_events_rejected_total{$where,lane=\"urgent\"}[$__range])) \
                     - sum(increase(revoker_events_completed_total{$where,lane=\"urgent\",outcome=~\"duplicate|obsolete|cancelled|verified\"}[$__range])) \
                     - sum(increase(revoker_exposure_unmeasured_total{$where,lane=\"urgent\",cause!=\"replay\"}[$__range])) > 0), 0) / 0.01",
                    "left",
                )
                .none("nothing urgent came")
                .steps("red", &[(0.0, "orange"), (0.25, "green")])
                .runbook("RevokerExposureBudgetBurn"),
            Panel::new(Kind::Stat, "Starts again?")
                .good("0, or once for each deployment")
                .otherwise("see how the last one ended: its log's last lines, its exit code, its memory")
                .ask("sum(changes(process_start_time_seconds{$where}[$__range]))", "restarts")
                .none("unknown")
                .turns(&[(3.0, "orange")])
                .runbook("RevokerCrashLooping"),
            Panel::new(Kind::Stat, "Same state since?")
                .good("running since the last deployment")
                .otherwise("the time is that of the last change of any worker: see what it was, to the right")
                .unit(WHEN)
                .ask("max(revoker_state_since_timestamp_seconds{$where}) * 1000", "last change")
                .ask("max(revoker_state_next_probe_timestamp_seconds{$where} > 0) * 1000", "next probe")
                .none("unknown")
                .turns(&[]),
            Panel::new(Kind::Table, "Which versions?")
                .good("one, except while it is rolled out")
                .otherwise("two for longer than a deployment takes: it is stuck")
                .ask("count by (version, revision) (revoker_build_info{$where})", "")
                .none("unknown")
                .runbook("RevokerVersionMismatch")
                .wide(4),
        ],
    )
}

fn state() -> Row {
    Row::new(
        "State",
        vec![
            Panel::new(Kind::Stack, "In which state are they?")
                .good("all running, also throttled while a backlog is worked off")
                .otherwise(
                    "readyz of the worker says why and what to do, and so does revoker status",
                )
                .ask("sum by (state) (revoker_state{$where})", "{{state}}")
                .runbook("RevokerCredentialsRejected")
                .wide(12),
            Panel::new(Kind::Lines, "Is any of it held up by an operator?")
                .good("0")
                .otherwise(
                    "1: all of bulk is held by order; revoker campaign list says by whom, and why",
                )
                .up_to(1.0)
                .ask("max(revoker_bulk_held{$where})", "bulk held")
                .runbook("RevokerBulkHeld")
                .wide(12),
        ],
    )
}

fn stytch() -> Row {
    Row::new(
        "Stytch",
        vec![
            Panel::new(Kind::Stack, "How do calls end?")
                .good("green: revoked; some blue: ended already")
                .otherwise("orange: it limits our rate; red: it fails; dark red: it refuses our credentials")
                .unit(CALLS_PER_SECOND)
                .ask("sum by (result) (rate(revoker_stytch_requests_total{$where}[$__rate_interval]))", "{{result}}")
                .wide(6),
            Panel::new(Kind::Lines, "Which share fails?")
                .good("0")
                .otherwise("see Stytch's status page, and the network between; over 20 % refused for the rate: ask for more")
                .unit(SHARE)
                .up_to(1.0)
                .ask(
                    "sum(rate(revoker_stytch_requests_total{$where,result=~\"server_error|timeout|network|invalid_response|credentials\"}[$__rate_interval])) \
                     / (sum(rate(revoker_stytch_requests_total{$where}[$__rate_interval])) > 0)",
                    "fails",
                )
                .ask(
                    "sum(rate(revoker_stytch_requests_total{$where,result=\"rate_limited\"}[$__rate_interval])) \
                     / (sum(rate(revoker_stytch_requests_total{$where}[$__rate_interval])) > 0)",
                    "refused for the rate",
                )
                .turns(&[(0.2, "red")])
                .runbook("RevokerOutage")
                .wide(6),
            Panel::new(Kind::Lines, "How long does a call take?")
                .good("under half a second in 99 of 100")
                .otherwise("slots are held for as long: a slow API lowers the rate; see its status page")
                .unit(SECONDS)
                .ask("histogram_quantile(0.5, sum by (le, call) (rate(revoker_stytch_request_duration_seconds_bucket{$where}[$__rate_interval])))", "{{call}} p50")
                .ask("histogram_quantile(0.99, sum by (le, call) (rate(revoker_stytch_request_duration_seconds_bucket{$where}[$__rate_interval])))", "{{call}} p99")
                .wide(6),
            Panel::new(Kind::Lines, "Does the breaker open?")
                .good("0")
                .otherwise("paused: Stytch did not answer, and nothing was sent until a probe was answered; unknown: an error type of Stytch's that this version does not know")
                .ask("sum by (to) (increase(revoker_breaker_transitions_total{$where}[$__rate_interval]))", "{{to}}")
                .ask("sum(increase(revoker_stytch_unknown_error_types_total{$where}[$__rate_interval]))", "unknown error types")
                .runbook("RevokerUnknownErrorType")
                .wide(6),
        ],
    )
}

fn flow() -> Row {
    Row::new(
        "Flow",
        vec![
            Panel::new(Kind::Lines, "What may we send?")
                .good("allowed at the ceiling, blocked at 0")
                .otherwise("blocked is the share of the time in which Stytch refused every call for its rate")
                .unit(CALLS_PER_SECOND)
                .ask("sum(revoker_rate_permits_per_second{$where})", "allowed")
                .ask("sum(revoker_rate_ceiling_permits_per_second{$where} > 0)", "ceiling")
                .ask("avg(rate(revoker_rate_blocked_seconds_total{$where}[$__rate_interval]))", "blocked")
                .runbook("RevokerRateLimited")
                .wide(6),
            Panel::new(Kind::Stack, "Why do events wait?")
                .good("nothing, or rate_limited alone")
                .otherwise("revoker explain says what each word means")
                .unit(PER_SECOND)
                .ask("sum by (cause) (rate(revoker_retries_total{$where}[$__rate_interval]))", "{{cause}}")
                .wide(6),
            Panel::new(Kind::Lines, "How many attempts?")
                .good("at most 1")
                .otherwise("near REVOKER_ATTEMPTS, events go to the delay queues and then to the dead letters")
                .ask("histogram_quantile(0.5, sum by (le) (rate(revoker_event_attempts_bucket{$where}[$__rate_interval])))", "p50")
                .ask("histogram_quantile(0.99, sum by (le) (rate(revoker_event_attempts_bucket{$where}[$__rate_interval])))", "p99")
                .wide(6),
            Panel::new(Kind::Lines, "How full are the hands?")
                .good("bulk near 100 % while there is a backlog, urgent far below")
                .otherwise("urgent at 100 %: urgent events wait in the queue; start another worker")
                .unit(SHARE)
                .up_to(1.0)
                .ask("sum by (lane) (revoker_inflight_events{$where}) / (sum by (lane) (revoker_inflight_limit{$where}) > 0)", "{{lane}}")
                .wide(6),
        ],
    )
}

fn intake() -> Row {
    Row::new(
        "Intake",
        vec![
            Panel::new(Kind::Stack, "How much comes in?")
                .good("first deliveries; retries while Stytch fails")
                .otherwise("redelivered: workers or connections end with events in hand")
                .unit(PER_SECOND)
                .ask("sum by (delivery) (rate(revoker_events_received_total{$where}[$__rate_interval]))", "{{delivery}}")
                .wide(6),
            Panel::new(Kind::Lines, "What leaves without an end?")
                .good("0")
                .otherwise("deferred: into a delay queue; returned: given back, as at the end of a worker; unrecorded: the outcome stands in the log alone")
                .unit(PER_SECOND)
                .ask("sum by (lane) (rate(revoker_events_deferred_total{$where}[$__rate_interval]))", "{{lane}} deferred")
                .ask("sum by (lane) (rate(revoker_events_returned_total{$where}[$__rate_interval]))", "{{lane}} returned")
                .ask("sum by (lane) (rate(revoker_outcomes_unrecorded_total{$where}[$__rate_interval]))", "{{lane}} unrecorded")
                .runbook("RevokerOutcomesUnrecorded")
                .wide(6),
            Panel::new(Kind::Bars, "Why were events refused?")
                .good("nothing")
                .otherwise("a publisher breaks the contract: revoker dead-letters list says which, and with what")
                .ask("floor(sum by (code) (increase(revoker_events_rejected_total{$where}[$__range])) + 0.01) > 0", "{{code}}")
                .none("none was refused")
                .turns(&[(1.0, "orange")])
                .runbook("RevokerEventsRejected")
                .wide(6),
            Panel::new(Kind::Bars, "Who asks, and why?")
                .good("the reasons your services give")
                .otherwise("other: a word that the contract does not name; unexpected reasons: ask their publisher")
                .ask("floor(sum by (reason) (increase(revoker_events_by_reason_total{$where}[$__range])) + 0.01) > 0", "{{reason}}")
                .none("nothing came")
                .turns(&[])
                .wide(6),
            Panel::new(Kind::Lines, "How many calls were saved?")
                .good("as many as publishers ask twice")
                .otherwise("most of all events: a publisher repeats itself")
                .unit(PER_SECOND)
                .ask("sum by (kind) (rate(revoker_dedupe_hits_total{$where}[$__rate_interval]))", "{{kind}}")
                .wide(6),
            Panel::new(Kind::Bars, "Which exposures are not measured?")
                .good("nothing")
                .otherwise("future: a publisher's clock is ahead; backdated: it tells too late; replay: sent again by an operator")
                .ask("floor(sum by (cause) (increase(revoker_exposure_unmeasured_total{$where}[$__range])) + 0.01) > 0", "{{cause}}")
                .none("all are measured")
                .turns(&[(1.0, "orange")])
                .runbook("RevokerExposureUnmeasured")
                .wide(6),
            Panel::new(Kind::Stat, "When did the last one come?")
                .good("as often as your services publish")
                .otherwise("long ago, while they publish: their exchange, their binding or their name is wrong")
                .unit(WHEN)
                .ask("max by (lane) (revoker_last_received_event_timestamp_seconds{$where} > 0) * 1000", "{{lane}}")
                .none("none came")
                .turns(&[])
                .wide(6),
            Panel::new(Kind::Stat, "When was one last revoked?")
                .good("just after the last one came")
                .otherwise("long before: see the state, and what Stytch answers")
                .unit(WHEN)
                .ask("max by (lane) (revoker_last_revocation_timestamp_seconds{$where} > 0) * 1000", "{{lane}}")
                .none("none was revoked")
                .turns(&[])
                .wide(6),
        ],
    )
}
