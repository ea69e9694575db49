//! What it costs to read one event, by dialect: the messages of the contract's corpus, again and again.
//!
//! No frame around it: the fastest of many rounds is what the code costs, and what was slower is the
//! machine. `cargo run --release --example bench-decode`, from the repository's root.

use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use revoker::event::{Environment, Expectations, HeaderValue, Properties, decode_message};
use serde_json::Value;

/// Rounds of each message, of which the fastest counts.
const ROUNDS: u32 = 200;
/// How often a message is read in one round: long against the clock's own cost.
const READS: u32 = 200;
/// Longest body that counts as an event as they are sent, bytes: beyond it are the corpus's extremes.
const USUAL_BYTES_MAX: usize = 1024;

/// One message of the corpus.
struct Message {
    name: String,
    body: Vec<u8>,
    properties: Properties,
}

fn main() {
    let mut by_dialect: BTreeMap<&str, Vec<(Duration, String)>> = BTreeMap::new();
    for message in corpus() {
        let dialect = match message.name.split_once(": ") {
            Some(("structured", _)) => "structured",
            Some(("binary", _)) => "binary",
            _ => "plain",
        };
        let took = fastest(&message);
        by_dialect
            .entry(dialect)
            .or_default()
            .push((took, message.name));
    }
    for (dialect, mut times) in by_dialect {
        times.sort();
        let (median, (worst, name)) = (times[times.len() / 2].0, &times[times.len() - 1]);
        say(&format!(
            "{dialect:<10} {:>3} messages: median {:>5} ns, slowest {:>5} ns ({name})",
            times.len(),
            median.as_nanos(),
            worst.as_nanos()
        ));
    }
}

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

/// Accepted messages of usual length.
fn corpus() -> Vec<Message> {
    let text = fs::read_to_string("deploy/contract/corpus/accepted.ndjson")
        .expect("run from the repository's root");
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        let body = match line["body"].as_str() {
            Some(body) => body.to_owned(),
            None => line["json"].to_string(),
        };
        let headers = line["headers"].as_object().into_iter().flatten();
        let headers = headers.filter_map(|(name, value)| {
            Some((name.clone(), HeaderValue::Text(value.as_str()?.to_owned())))
        });
        Message {
            name: line["name"].as_str().unwrap_or_default().to_owned(),
            body: body.into_bytes(),
            properties: Properties {
                content_type: line["content_type"].as_str().map(str::to_owned),
                headers: headers.collect(),
                ..Properties::default()
            },
        }
    });
    lines
        .filter(|message| message.body.len() <= USUAL_BYTES_MAX)
        .collect()
}

fn fastest(message: &Message) -> Duration {
    let expect = Expectations {
        project_id: "project-live-3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f".into(),
        environment: Environment::Live,
        strict_ids: false,
    };
    let now = Timestamp::from_second(1_795_329_000).expect("2026-11-22T06:30:00Z");
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..READS {
            let event = decode_message(
                black_box(&message.body),
                black_box(&message.properties),
                &expect,
                now,
            );
            let _ = black_box(event);
        }
        begun.elapsed() / READS
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}
