//! `revoker lint`: whether the worker would take an event, and what it would say, without a worker.
//!
//! Offline: no broker, no settings. The texts are the decoder's own (`judge`). Nothing of an event is
//! repeated but its id.

pub mod judge;

use std::{
    fmt::Write,
    fs::File,
    io::{Read, stdin},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Failure, print};
use crate::{
    config,
    event::{HeaderValue, Properties},
};
use judge::{Report, Rules, judge};

/// What is read at most, bytes: some hundred thousand events.
const INPUT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The event, and what came with it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A file with one event, or with one on each line; `-` is standard input.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// One event a line. Without this flag it is taken so when every line begins an object.
    #[arg(long)]
    ndjson: bool,
    /// The property content_type of the message.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The property content_encoding of the message.
    #[arg(long, value_name = "ENCODING")]
    content_encoding: Option<String>,
    /// A header of the message, such as ce-id=reset-1; may be given again.
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// The worker's Stytch project: refuses what is meant for another one.
    #[arg(long, value_name = "ID")]
    project_id: Option<String>,
    /// Refuse ids of unknown format, as a worker with REVOKER_STRICT_IDS does.
    #[arg(long)]
    strict_ids: bool,
    /// Print JSON, one object an event.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  revoker lint event.json
  revoker lint --project-id project-live-... events.ndjson
  revoker lint --header ce-specversion=1.0 --header ce-id=1 --header ce-type=session.revoke.v1 \\
    --header ce-source=/login --header ce-time=2026-11-22T06:30:00Z data.json
Exit codes: 0 the worker takes it (there may be warnings), 1 it refuses something, 64 wrong usage,
66 the file cannot be opened, 74 it cannot be read.";

/// Judges the events.
///
/// # Errors
/// When the worker would refuse one, the file cannot be read, or the command line is wrong.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (rules, properties) = (args.rules()?, args.properties()?);
    let input = read(&args.file)?;
    let now = Timestamp::now();
    let lines = lines(&input, args.ndjson);
    let (mut text, mut refused) = (String::new(), 0);
    for (line, body) in &lines {
        let report = judge(body, &properties, &rules, now);
        refused += usize::from(!report.problems.is_empty());
        match args.json {
            true => _ = writeln!(text, "{}", object(&report, *line)),
            false => text += &shown(&report, *line),
        }
    }
    print(&text)?;
    match (refused, lines.len()) {
        (0, _) => Ok(()),
        (_, 1) => Err(anyhow!("the worker would refuse this event").into()),
        (_, all) => Err(anyhow!("the worker would refuse {refused} of {all} events").into()),
    }
}

impl Args {
    fn rules(&self) -> Result<Rules, Failure> {
        let project = self.project_id.as_deref().map(config::project).transpose();
        Ok(Rules {
            project: project.map_err(|wrong| Failure::Usage(format!("--project-id {wrong}")))?,
            strict_ids: self.strict_ids,
        })
    }

    fn properties(&self) -> Result<Properties, Failure> {
        let header = |header: &String| {
            let (name, value) = header
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())?;
            Some((name.to_owned(), HeaderValue::Text(value.to_owned())))
        };
        let headers: Option<Vec<_>> = self.headers.iter().map(header).collect();
        Ok(Properties {
            content_type: self.content_type.clone(),
            content_encoding: self.content_encoding.clone(),
            headers: headers
                .ok_or_else(|| Failure::Usage("--header takes NAME=VALUE".to_owned()))?,
            ..Properties::default()
        })
    }
}

/// The whole input.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let input: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(stdin().lock()),
        false => {
            let file = File::open(path).with_context(|| format!("cannot open {shown}"));
            Box::new(file.map_err(Failure::NoInput)?)
        }
    };
    let mut bytes = Vec::new();
    let read = input.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes);
    let read = read.with_context(|| format!("cannot read {shown}"));
    match read.map_err(Failure::Unreadable)? as u64 > INPUT_BYTES_MAX {
        true => Err(Failure::Usage(format!(
            "{shown} is longer than {INPUT_BYTES_MAX} bytes; split it"
        ))),
        false => Ok(bytes),
    }
}

/// The events with their lines, from 1; a single one has none. The end of the last line is not the event's.
fn lines(input: &[u8], ndjson: bool) -> Vec<(Option<usize>, &[u8])> {
    let begun = || {
        let lines = input.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.filter(|line| !line.is_empty())
    };
    if !ndjson && (begun().count() < 2 || !begun().all(|line| line.starts_with(b"{"))) {
        return vec![(None, input.strip_suffix(b"\n").unwrap_or(input))];
    }
    let lines = (1..).zip(input.split(|byte| *byte == b'\n'));
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| (Some(number), line.strip_suffix(b"\r").unwrap_or(line)))
        .collect()
}

fn shown(report: &Report, line: Option<usize>) -> String {
    let mut text = String::new();
    let place = line.map_or_else(String::new, |line| format!("line {line}: "));
    for problem in &report.problems {
        let _ = writeln!(text, "{place}{}: {}", problem.code.as_str(), problem.text);
    }
    for (warning, said) in &report.warnings {
        let _ = writeln!(text, "{place}warning: {}: {said}", warning.as_str());
    }
    if report.problems.is_empty() && line.is_none() {
        let id = report.event_id.as_deref().unwrap_or_default();
        let _ = writeln!(text, "ok: the worker takes the event {id}");
    }
    text
}

fn object(report: &Report, line: Option<usize>) -> Value {
    let said = |code: &str, text: &str| json!({"code": code, "text": text});
    let problems = report
        .problems
        .iter()
        .map(|p| said(p.code.as_str(), &p.text));
    let warnings = report
        .warnings
        .iter()
        .map(|(w, text)| said(w.as_str(), text));
    let mut object = Map::new();
    if let Some(line) = line {
        object.insert("line".into(), line.into());
    }
    object.insert("taken".into(), report.problems.is_empty().into());
    object.insert("event_id".into(), report.event_id.clone().into());
    object.insert("problems".into(), problems.collect());
    object.insert("warnings".into(), warnings.collect());
    Value::Object(object)
}
