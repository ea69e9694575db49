//! What happened at the fakes, in order: one line a deed, with its virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

/// Shared by all fakes of a world.
#[derive(Clone)]
pub(super) struct Journal {
    began: Instant,
    lines: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            lines: Arc::default(),
        }
    }

    /// Since the world began.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn note(&self, line: String) {
        let now = self.now();
        self.lines.lock().unwrap().push((now, line));
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|(_, line)| line.clone()).collect()
    }

    /// The lines with their times.
    pub(super) fn timed(&self) -> Vec<(Duration, String)> {
        self.lines.lock().unwrap().clone()
    }

    /// When lines that begin so were written.
    pub(super) fn times(&self, beginning: &str) -> Vec<Duration> {
        let lines = self.lines.lock().unwrap();
        let found = lines.iter().filter(|(_, line)| line.starts_with(beginning));
        found.map(|(at, _)| *at).collect()
    }

    /// How many lines begin so.
    pub(super) fn count(&self, beginning: &str) -> usize {
        self.times(beginning).len()
    }
}
