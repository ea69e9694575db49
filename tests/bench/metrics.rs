//! What metrics cost a message: the calls that one makes on its way from its queue to its end, timed by
//! themselves, on one thread and on as many as there are cores, and a scrape of all series.
//!
//! By itself, because what a whole worker costs varies more from run to run than metrics do.

use std::{
    hint::black_box,
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use revoker::{
    event::Lane,
    revoke::{CallKind, outcome::CallResult},
    settle::outcome::Outcome,
    telemetry::{
        Metrics,
        metrics::{CAMPAIGNS_MAX, Campaign},
        sets::{DeliveryKind, PublishResult, Stage, To},
    },
};

/// Messages of each thread.
const MESSAGES: u32 = 1_000_000;
/// Scrapes.
const SCRAPES: u32 = 200;

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    let metrics = Metrics::new();
    let campaigns: Vec<_> = (0..CAMPAIGNS_MAX)
        .map(|n| Campaign {
            id: format!("campaign-{n}"),
            publisher: "campaign".to_owned(),
            expected: 1,
        })
        .collect();
    metrics.show_campaigns(&campaigns, 0);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, cores] {
        let (with, without) = (
            nanoseconds(threads, || message(&metrics)),
            nanoseconds(threads, || {
                black_box(&metrics);
            }),
        );
        let cost = with - without;
        writeln!(out, "{threads} threads: {cost:.0} ns of CPU a message")?;
    }
    let began = Instant::now();
    for _ in 0..SCRAPES {
        black_box(metrics.render());
    }
    let (each, text) = (began.elapsed() / SCRAPES, metrics.render());
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    let bytes = text.len();
    writeln!(out, "a scrape: {series} series, {bytes} bytes, {each:?}")
}

/// CPU that a message costs, while so many threads do the same.
fn nanoseconds(threads: usize, deed: impl Fn() + Sync) -> f64 {
    let spent: Duration = thread::scope(|scope| {
        let timed = || {
            let began = on_cpu();
            for _ in 0..MESSAGES {
                deed();
            }
            on_cpu() - began
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_default())
            .sum()
    });
    spent.as_nanos() as f64 / f64::from(MESSAGES) / threads as f64
}

/// How long this thread has run, whatever else the machine did; Linux only.
fn on_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat");
    let nanoseconds = stat
        .ok()
        .and_then(|stat| stat.split(' ').next()?.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// All that is recorded of a campaign's event that is revoked at once.
fn message(metrics: &Metrics) {
    let (lane, now) = (black_box(Lane::Bulk), Timestamp::UNIX_EPOCH);
    let took = black_box(Duration::from_millis(20));
    metrics.received(lane, DeliveryKind::First);
    metrics.inflight(lane, 1);
    metrics.last_received(lane, now);
    metrics.by_reason("security_incident");
    metrics.stage(Stage::Queue, took);
    metrics.stytch_request(CallKind::Revoke, CallResult::Revoked, took);
    metrics.publish(To::Outcome, PublishResult::Ack);
    metrics.inflight(lane, -1);
    metrics.stage(Stage::Settle, took);
    metrics.stage(Stage::Gate, took);
    metrics.completed(lane, Outcome::Revoked);
    metrics.campaign_event("campaign-5", "campaign", Outcome::Revoked);
    metrics.attempts(1);
    metrics.stage(Stage::Api, took);
    metrics.last_revocation(lane, now);
    metrics.exposure(lane, took);
}
