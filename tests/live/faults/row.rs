//! What a row's test has found, told in one line when it ends, also when it fails.
//!
//! The line goes to stderr, and as JSON into the file that `LIVE_ROWS_FILE` names. Numbers are noted
//! before anything is asserted of them, so that a row that fails shows by how much.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{tally::Tally, worker::Worker};

/// What a worker that waits may use of one core.
pub(crate) const PAUSED_CPU_PERCENT_MAX: f64 = 1.0;
/// `USER_HZ`: in what `/proc` counts CPU time, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The report of one test of one row.
#[derive(Debug)]
pub(crate) struct Row {
    number: u8,
    name: &'static str,
    /// Events that the broker confirmed.
    pub(crate) events: u64,
    /// How often the fault was brought about.
    pub(crate) faults: u64,
    /// Events that are neither revoked nor dead-lettered nor queued.
    pub(crate) lost: u64,
    /// Revoke calls and dead letters beyond the first of an event.
    pub(crate) duplicated: u64,
    /// Dead letters of events that had done nothing to deserve it.
    pub(crate) wrongly_dead_lettered: u64,
    /// The longest time in which nothing was revoked while there was work.
    pub(crate) longest_gap: Duration,
    rss_kib_start: Option<u64>,
    rss_kib_end: Option<u64>,
    paused_cpu_percent: Option<f64>,
}

impl Row {
    /// The report of a test `row_NN_name`.
    pub(crate) fn new(number: u8, name: &'static str) -> Self {
        Self {
            number,
            name,
            events: 0,
            faults: 0,
            lost: 0,
            duplicated: 0,
            wrongly_dead_lettered: 0,
            longest_gap: Duration::ZERO,
            rss_kib_start: None,
            rss_kib_end: None,
            paused_cpu_percent: None,
        }
    }

    /// Notes the worker's memory before the fault.
    pub(crate) fn begins(&mut self, worker: &Worker) {
        self.rss_kib_start = Some(rss_kib(worker.process.pid()));
    }

    /// Notes the worker's memory after it.
    pub(crate) fn ends(&mut self, worker: &Worker) {
        self.rss_kib_end = Some(rss_kib(worker.process.pid()));
    }

    /// Watches a worker that can do nothing but wait.
    ///
    /// # Panics
    /// When it keeps busy meanwhile.
    pub(crate) async fn waits(&mut self, worker: &Worker, watched: Duration) {
        let pid = worker.process.pid();
        let (before, since) = (cpu_seconds(pid), Instant::now());
        sleep(watched).await;
        let used = (cpu_seconds(pid) - before) / since.elapsed().as_secs_f64() * 100.0;
        self.paused_cpu_percent = Some(self.paused_cpu_percent.unwrap_or(0.0).max(used));
        assert!(
            used <= PAUSED_CPU_PERCENT_MAX,
            "a worker that waits uses {used:.1} % of a core"
        );
    }

    /// Notes what a ledger found, on top of what other ledgers did, and asks that nothing was lost.
    /// Returns what was done twice.
    ///
    /// # Panics
    /// When the ledger is not right.
    pub(crate) fn judge(&mut self, tally: &Tally) -> u64 {
        self.events += tally.events;
        self.lost += tally.lost.len() as u64;
        self.duplicated += tally.duplicated();
        self.wrongly_dead_lettered += tally.wrongly_dead_lettered.len() as u64;
        self.longest_gap = self.longest_gap.max(tally.longest_gap);
        tally.check();
        tally.duplicated()
    }

    fn line(&self, ok: bool) -> Value {
        json!({
            "row": self.number,
            "name": self.name,
            "ok": ok,
            "events": self.events,
            "faults": self.faults,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "wrongly_dead_lettered": self.wrongly_dead_lettered,
            "longest_gap_ms": self.longest_gap.as_millis() as u64,
            "rss_kib_start": self.rss_kib_start,
            "rss_kib_end": self.rss_kib_end,
            "paused_cpu_percent": self.paused_cpu_percent,
        })
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let line = self.line(!std::thread::panicking());
        eprintln!("row {}: {line}", self.number);
        if let Some(path) = std::env::var_os("LIVE_ROWS_FILE").filter(|path| !path.is_empty()) {
            let file = OpenOptions::new().append(true).create(true).open(path);
            // In one write: rows run side by side.
            let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
            if let Err(error) = written {
                eprintln!("the row could not be written to LIVE_ROWS_FILE: {error}");
            }
        }
    }
}

/// Memory of a process that is in RAM, KiB.
pub(crate) fn rss_kib(pid: u32) -> u64 {
    proc_kib(pid, "VmRSS:")
}

/// A figure of `/proc/PID/status`, KiB.
pub(crate) fn proc_kib(pid: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.expect("a running process has memory").parse().unwrap()
}

/// CPU time a process has used.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, in brackets, may hold anything; user and system time are fields 14 and 15.
    let (_, after_name) = stat.rsplit_once(") ").expect("a process has a name");
    let ticks = after_name.split(' ').skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / TICKS_PER_SECOND
}
