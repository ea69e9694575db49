//! Logs: one line an event on standard error, as text on a terminal and as JSON otherwise.
//!
//! Standard output belongs to the commands. Each line is formatted in a thread's own buffer and
//! written with one system call, unbuffered: a line that was logged is never lost at exit, and lines
//! of two threads never mix. A reader that stops reading therefore stops the worker, which is meant:
//! outcomes that cannot be published stand only in the log.
//!
//! Fields of our events are never named `timestamp`, `level`, `target` or `message`: JSON lines are
//! flat, and those four are ours. Spans are not shown; a fact stands on its own line.

use std::{
    fmt,
    io::{self, IsTerminal as _},
    sync::Arc,
};

use jiff::Timestamp;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::{MakeWriter, format::Writer, time::FormatTime},
    layer::{Context, SubscriberExt as _},
};

use super::metrics::Metrics;
use super::sets::Level;
use super::{LogFormat, Settings};

/// Libraries that tell more than an operator can use. Of `lapin` nothing: what goes wrong at the broker
/// we say ourselves, once, and its own lines speak of a recovery that is never tried. A setting that
/// names one of them prevails.
const QUIET: [(&str, LevelFilter); 5] = [
    ("h2", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("hyper_util", LevelFilter::WARN),
    ("lapin", LevelFilter::OFF),
    ("reqwest", LevelFilter::WARN),
];
/// How much of a wrong part is repeated, characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be understood.
    #[error(
        "\"{0}\" is neither a level (error, warn, info, debug, trace, off) nor target=level; write \
         REVOKER_LOG like info or info,revoker::gate=debug"
    )]
    Filter(String),
    /// Something in this process logs already.
    #[error("logging was already started in this process")]
    AlreadyStarted,
}

/// Starts logging for the whole process, to standard error.
pub fn init(settings: &Settings, metrics: Arc<Metrics>) -> Result<(), LogError> {
    let terminal = io::stderr().is_terminal();
    let format = settings.log_format.unwrap_or(if terminal {
        LogFormat::Text
    } else {
        LogFormat::Json
    });
    let log = dispatch(&settings.log, format, terminal, metrics, io::stderr)?;
    tracing::dispatcher::set_global_default(log).map_err(|_| LogError::AlreadyStarted)
}

/// What [`init`] installs, for any writer; `colour` is for [`LogFormat::Text`].
pub fn dispatch<W>(
    log: &str,
    format: LogFormat,
    colour: bool,
    metrics: Arc<Metrics>,
    writer: W,
) -> Result<Dispatch, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let counted = tracing_subscriber::registry()
        .with(filter(log)?)
        .with(Count(metrics));
    let lines = tracing_subscriber::fmt::layer()
        .with_timer(Utc)
        .with_writer(writer);
    Ok(match format {
        LogFormat::Text => Dispatch::new(counted.with(lines.with_ansi(colour))),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            Dispatch::new(counted.with(lines.with_current_span(false).with_span_list(false)))
        }
    })
}

/// Levels as they are written, and what they mean.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

/// The words for a level, as `off, error, …`.
pub fn levels() -> String {
    LEVELS.map(|(word, _)| word).join(", ")
}

/// The filter that a `REVOKER_LOG` stands for: the one rule for what it may be.
///
/// # Errors
/// A part that is neither a level nor `target=level`. A lone word that is no level would switch on
/// that target and everything else off: a typing error must not silence the worker.
pub fn filter(log: &str) -> Result<Targets, LogError> {
    // No parser of the library's: nothing that is accepted here can be refused later.
    let mut targets = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(QUIET);
    for part in log.split(',') {
        let wrong = || LogError::Filter(part.chars().take(SHOWN_CHARS_MAX).collect());
        targets = match part.split_once('=') {
            None => targets.with_default(level(part).ok_or_else(wrong)?),
            Some((target, word)) if is_target(target) => {
                targets.with_target(target, level(word).ok_or_else(wrong)?)
            }
            Some(_) => return Err(wrong()),
        };
    }
    Ok(targets)
}

fn level(word: &str) -> Option<LevelFilter> {
    let found = LEVELS.iter().find(|(known, _)| *known == word);
    found.map(|(_, level)| *level)
}

/// The path of a Rust module.
fn is_target(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    !text.is_empty() && text.chars().all(fits)
}

/// Times of log lines: RFC 3339 in UTC, to the millisecond.
#[derive(Debug)]
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{:.3}", Timestamp::now())
    }
}

/// Counts lines by level.
#[derive(Debug)]
struct Count(Arc<Metrics>);

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        self.0.log_event(match level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::TRACE => Level::Trace,
        });
    }
}
