//! The checker of expressions is itself checked: it finds what is wrong, and only that.

use revoker::telemetry::Metrics;

use crate::expressions::{Known, judge, legend_labels, resolve};

/// One complaint must say so; none if there is nothing to say.
fn check(text: &str, says: Option<&str>) {
    let judged = judge(text, &Known::metrics());
    let found = judged.complaints.join("; ");
    match says {
        None => assert_eq!(found, "", "{text}"),
        Some(says) => assert!(found.contains(says), "{text}: {found}"),
    }
}

#[test]
fn right_expressions_pass() {
    for text in [
        "sum(max by (queue) (revoker_queue_messages{queue!=\"dead\"})) + sum(revoker_inflight_events)",
        "time() - min(revoker_oldest_unfinished_event_timestamp_seconds > 0)",
        "histogram_quantile(0.99, sum by (le, lane) (rate(revoker_exposure_seconds_bucket[5m])))",
        "sum(rate(revoker_exposure_seconds_bucket{le=~\"60(\\\\.0)?\"}[1h]))",
        "sum by (code) (increase(revoker_dead_letters_total{job=~\"(revoker|x)\"}[1h])) > 0",
        "max by (state) (revoker_state{state=~\"outage|broker\"}) == 1",
        "sum by (lane) (revoker_inflight_events) / sum by (lane) (revoker_inflight_limit > 0)",
        "revoker_ready and on (instance, job) (up == 1)",
        "increase(revoker_dead_letters_total[10m]) unless on (lane, code) revoker_events_rejected_total",
        "absent(up{job=\"revoker\"} == 1)",
        "sum without (lane) (rate(revoker_retries_total[5m])) or vector(0)",
        "label_replace(sum(rate(process_cpu_seconds_total[5m])), \"what\", \"cpu\", \"\", \"\")",
        "max_over_time(revoker_ready[10m:1m]) offset 5m",
        "topk(3, sum by (why) (revoker_state_why))",
        "-1 * count(revoker_build_info)",
        "increase(revoker_campaign_events_total{campaign=\"breach-1\"}[1h])",
    ] {
        check(text, None);
    }
}

/// Expressions with one fault each, and what must be said of it.
const FAULTS: &[(&str, &str)] = &[
    // A metric that was renamed, also where another part hides that nothing comes.
    (
        "sum(rate(revoker_events_done_total[5m]))",
        "revoker_events_done_total is no metric",
    ),
    (
        "sum(revoker_queue_depth) or vector(0)",
        "revoker_queue_depth is no metric",
    ),
    ("rate(revoker_exposure_seconds[5m])", "is no metric"),
    (
        "sum(revoker_inflight_events{lanes=\"bulk\"}) or vector(0)",
        "has no label lanes",
    ),
    (
        "sum(revoker_inflight_events{lane=\"urgnt\"}) or vector(0)",
        "lane of revoker_inflight_events is never urgnt",
    ),
    ("revoker_state{state=~\"outage|brocker\"}", "never brocker"),
    ("revoker_state{state!=\"runing\"}", "never runing"),
    (
        "sum by (lanes) (revoker_inflight_events)",
        "groups by lanes",
    ),
    (
        "sum(revoker_inflight_events) by (resutl)",
        "groups by resutl",
    ),
    (
        "sum without (queues) (revoker_inflight_events)",
        "groups by queues",
    ),
    ("revoker_ready and on (instanc) up", "groups by instanc"),
    ("sum((revoker_ready)", "must stand"),
    ("sum(revoker_ready))", "does not end"),
    ("sum(rate(revoker_retries_total[5m))", "] must stand"),
    ("revoker_ready{lane=\"bulk\"", "must stand"),
    ("revoker_ready{job=~}", "no string"),
    ("rate(revoker_retries_total[five])", "a duration must stand"),
    (
        "sum by (lane) (revoker_inflight_events) / sum(revoker_inflight_limit)",
        "never match",
    ),
    ("revoker_events_returned_total > 5", "only rises"),
    ("rate(revoker_ready[5m])", "goes up and down"),
    ("rate(revoker_retries_total)", "needs a range"),
    ("sum(revoker_ready[5m])", "must not have a range"),
    (
        "histogram_quantile(0.5, sum by (lane) (rate(revoker_exposure_seconds_bucket[5m])))",
        "gets no le",
    ),
    (
        "rate(revoker_exposure_seconds_bucket{le=\"61\"}[5m])",
        "never 61",
    ),
    (
        "rate(revoker_exposure_seconds_bucket{le=\"60\"}[5m])",
        "from Prometheus 3 on",
    ),
    (
        "ratee(revoker_retries_total[5m])",
        "ratee() is not known here",
    ),
    ("", "ends where an expression must stand"),
    ("up == $threshold", "has $"),
    ("\"up", "not closed"),
];

#[test]
fn each_fault_is_found() {
    for (text, says) in FAULTS {
        check(text, Some(says));
    }
}

#[test]
fn labels_of_the_result_are_known() {
    let known = Known::metrics();
    let check = |text: &str, expected: &[&str]| {
        let judged = judge(text, &known);
        let labels: Vec<&str> = judged.labels.iter().map(String::as_str).collect();
        assert_eq!(labels, expected, "{text}: {:?}", judged.complaints);
    };
    check("sum(revoker_ready)", &[]);
    check("revoker_inflight_events > 0", &["instance", "job", "lane"]);
    check("sum by (lane) (revoker_inflight_events) * 2", &["lane"]);
    check(
        "sum without (lane) (revoker_inflight_events)",
        &["instance", "job"],
    );
    check(
        "label_replace(sum by (lane) (revoker_inflight_events), \"q\", \"p50\", \"\", \"\")",
        &["lane", "q"],
    );
    check("time()", &[]);
    assert_eq!(legend_labels("{{lane}} of {{ queue }}"), ["lane", "queue"]);
}

#[test]
fn a_recording_rule_is_a_metric_with_the_labels_of_its_expression() {
    let mut known = Known::metrics();
    let rule = judge("sum by (lane) (rate(revoker_retries_total[5m]))", &known);
    known.record("lane:revoker_retries:rate5m", &rule.labels);
    let complaints = |text: &str| judge(text, &known).complaints;
    assert!(complaints("lane:revoker_retries:rate5m{lane=\"bulk\"} > 1").is_empty());
    assert!(!complaints("sum by (cause) (lane:revoker_retries:rate5m)").is_empty());
}

#[test]
fn variables_are_put_in_or_missed() {
    let variables = [("job", "(a|b)"), ("job2", "x"), ("__range", "1h")];
    let resolve = |text| resolve(text, &variables);
    assert_eq!(
        resolve("up{job=~\"$job\"}[$__range]"),
        Ok("up{job=~\"(a|b)\"}[1h]".into())
    );
    assert_eq!(resolve("${job}$job2"), Ok("(a|b)x".into()));
    assert_eq!(resolve("$jobs"), Err("no variable is called $jobs".into()));
    assert!(resolve("${job").is_err());
}

/// A query of a selector alone asks for the same series.
#[test]
fn a_selector_can_stand_alone() {
    let text =
        "sum(rate(revoker_exposure_seconds_bucket{lane=\"bulk\",le=~\"60(\\\\.0)?\"}[5m])) or up";
    let judged = judge(text, &Known::metrics());
    let alone: Vec<_> = judged.selectors.iter().map(|s| s.alone()).collect();
    let bucket = "revoker_exposure_seconds_bucket{lane=\"bulk\",le=~\"60(\\\\.0)?\"}";
    assert_eq!(alone, [bucket, "up{}"]);
}

#[test]
fn the_process_metrics_are_those_that_are_exported() {
    let text = Metrics::new().render();
    let exported: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE process_"))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| (format!("process_{name}"), kind == "counter"))
        .collect();
    let known: Vec<_> = crate::expressions::PROCESS
        .iter()
        .map(|(name, counts)| ((*name).to_owned(), *counts))
        .collect();
    assert_eq!(exported, known);
}
