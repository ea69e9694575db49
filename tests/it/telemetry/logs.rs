//! Log lines: their shape, their filter, their count.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use revoker::telemetry::{LogFormat, Metrics, logs};
use serde_json::Value;

/// A writer that keeps what was written, one string a write.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap()
            .push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The writes of a deed under a filter and a format, and the metrics that counted it.
fn logged(filter: &str, format: LogFormat, deed: impl FnOnce()) -> (Vec<String>, String) {
    let (kept, metrics) = (Kept::default(), Arc::new(Metrics::new()));
    let writer = kept.clone();
    let make = move || writer.clone();
    let log = logs::dispatch(filter, format, false, Arc::clone(&metrics), make).unwrap();
    tracing::dispatcher::with_default(&log, deed);
    let lines = kept.0.lock().unwrap().clone();
    (lines, metrics.render())
}

#[test]
fn a_json_line_is_flat_and_written_at_once() {
    let deed = || {
        let span = tracing::info_span!("noise", token = "x");
        let _in = span.enter();
        tracing::info!(event.id = "e-1", delay_ms = 250, "waiting");
    };
    let (lines, _) = logged("info", LogFormat::Json, deed);
    assert_eq!(lines.len(), 1, "one write a line: {lines:?}");
    assert!(lines[0].ends_with("}\n"));
    let mut line: Value = serde_json::from_str(&lines[0]).unwrap();
    let time = line["timestamp"].take();
    let time = time.as_str().unwrap();
    assert!(
        time.len() == "2026-11-22T06:30:00.123Z".len() && time.ends_with('Z'),
        "{time}"
    );
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    let target = module_path!();
    let expected = serde_json::json!({
        "timestamp": null, "level": "INFO", "target": target,
        "event.id": "e-1", "delay_ms": 250, "message": "waiting",
    });
    assert_eq!(line, expected);
}

#[test]
fn a_text_line_has_no_colour_codes_off_a_terminal() {
    let deed = || tracing::warn!(delay_ms = 250, "waiting");
    let (lines, _) = logged("info", LogFormat::Text, deed);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].contains("WARN") && lines[0].contains("waiting delay_ms=250"),
        "{lines:?}"
    );
    assert!(!lines[0].contains('\u{1b}'), "{lines:?}");
}

#[test]
fn lines_are_counted_by_level_if_they_pass_the_filter() {
    let deed = || {
        tracing::error!("a");
        tracing::error!("b");
        tracing::debug!("not logged");
    };
    let (_, metrics) = logged("info", LogFormat::Json, deed);
    let count = |level: &str, n: u8| {
        let line = format!("revoker_log_events_total{{level=\"{level}\"}} {n}");
        assert!(metrics.lines().any(|l| l == line), "no {line}");
    };
    count("error", 2);
    count("debug", 0);
}

/// Which of four events a filter lets through: ours at info and debug, lapin's at info and warn.
fn check(filter: &str, expected: [bool; 4]) {
    let deed = || {
        tracing::info!(target: "revoker::gate", "0");
        tracing::debug!(target: "revoker::gate", "1");
        tracing::info!(target: "lapin::channel", "2");
        tracing::warn!(target: "lapin::channel", "3");
    };
    let (lines, _) = logged(filter, LogFormat::Json, deed);
    let message = |line: &String| serde_json::from_str::<Value>(line).unwrap()["message"].take();
    let passed: Vec<Value> = lines.iter().map(message).collect();
    let found = ["0", "1", "2", "3"].map(|n| passed.contains(&Value::from(n)));
    assert_eq!(found, expected, "{filter}");
}

#[test]
fn the_filter_keeps_libraries_quiet_unless_told() {
    check("info", [true, false, false, false]);
    check("debug", [true, true, false, false]);
    check("revoker::gate=debug", [true, true, false, false]);
    check("revoker::broker=debug", [true, false, false, false]);
    check("info,lapin=debug", [true, false, true, true]);
    check("info,lapin=warn", [true, false, false, true]);
    check("warn", [false, false, false, false]);
    check("off,lapin=off", [false; 4]);
}

#[test]
fn a_typing_error_in_the_filter_is_refused() {
    for wrong in [
        "",
        "ifno",
        "info,",
        "revoker=loud",
        "revoker=",
        "=info",
        "revoker",
    ] {
        let error = logs::filter(wrong).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("REVOKER_LOG"), "{wrong}: {error}");
    }
}
