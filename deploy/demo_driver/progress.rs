//! What a person sees while the demo runs: a bar on a terminal, a line every few seconds elsewhere.
//!
//! On standard error, so that standard output holds nothing but the result.

use std::{
    io::{IsTerminal, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Progress towards a number of events.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    began: Instant,
    last_line: Mutex<Instant>,
}

impl Progress {
    /// Nothing done yet.
    pub(crate) fn new(total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{elapsed_precise} {bar:40} {pos}/{len} events  {msg}",
            );
            let bar = ProgressBar::new(total);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            total,
            began: now,
            last_line: Mutex::new(now),
        }
    }

    /// So many events are accounted for.
    pub(crate) fn set(&self, done: u64, message: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
            bar.set_position(done);
            return;
        }
        let Ok(mut last_line) = self.last_line.lock() else {
            return;
        };
        if last_line.elapsed() >= LINE_EVERY {
            *last_line = Instant::now();
            let seconds = self.began.elapsed().as_secs();
            say(&format!(
                "{seconds:>3} s: {done} of {} events, {message}",
                self.total
            ));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line for a person. A closed standard error must not end the demo.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
