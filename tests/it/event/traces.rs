//! `traceparent`: what of it is a trace, and that anything else is no reason to refuse an event.

use revoker::event::{HeaderValue, Properties, trace};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn only_what_the_recommendation_writes_is_a_trace() {
    let parent = "00f067aa0ba902b7";
    let rows = [
        (format!("00-{TRACE}-{parent}-01"), true),
        (format!("00-{TRACE}-{parent}-00"), true),
        // A version to come may add to it, behind a dash.
        (format!("cc-{TRACE}-{parent}-01-what-comes"), true),
        (format!("cc-{TRACE}-{parent}-01what"), false),
        (format!("00-{TRACE}-{parent}-01-what-comes"), false),
        (format!("ff-{TRACE}-{parent}-01"), false),
        (format!("00-{}-{parent}-01", "0".repeat(32)), false),
        (format!("00-{TRACE}-{}-01", "0".repeat(16)), false),
        (format!("00-{}-{parent}-01", TRACE.to_uppercase()), false),
        (format!("00-{TRACE}-{parent}-0"), false),
        (format!("00-{TRACE}-{parent}_01"), false),
        (format!("00-{TRACE}-{}-1", &parent[1..]), false),
        (format!("{}é-01", "0".repeat(51)), false),
        (String::new(), false),
        ("secret".repeat(2000), false),
    ];
    for (text, is_trace) in rows {
        let found = trace::trace_id(&text);
        assert_eq!(found, is_trace.then_some(TRACE), "{text}");
    }
}

#[test]
fn the_header_has_one_name_in_each_dialect() {
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let rows = [
        ("traceparent", true),
        ("ce-traceparent", true),
        ("cloudEvents_traceparent", true),
        ("cloudEvents:traceparent", true),
        ("tracestate", false),
    ];
    for (name, is_read) in rows {
        let of = |value| Properties {
            headers: vec![
                ("traceparent".into(), HeaderValue::Int(7)),
                (name.into(), value),
            ],
            ..Properties::default()
        };
        let text = of(HeaderValue::Text(traceparent.clone()));
        let found = trace::traceparent(&text);
        assert_eq!(found, is_read.then(|| traceparent.clone()), "{name}");
        let bytes = of(HeaderValue::Bytes(traceparent.clone().into()));
        assert_eq!(trace::traceparent(&bytes), None, "{name}");
    }
}
