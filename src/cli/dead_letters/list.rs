//! `dead-letters list`: by cause, or one line a letter.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
};

use anyhow::Context;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    filter::Filter,
    group::{Groups, lane},
    scan::scan,
};
use crate::{
    broker::browse::LETTERS_MAX,
    cli::{
        Failure, print,
        status::text::{number, plain},
    },
    config::DeadLettersArgs,
    settle::letter::Letter,
};

/// Which letters, and how they are shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    /// One line a letter.
    #[arg(long)]
    each: bool,
    /// Look at so many letters at most, the oldest first. While they are looked at nobody else sees them: the
    /// worker's metric of the queue's depth falls, and a replay must wait.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=LETTERS_MAX))]
    limit: Option<u64>,
    /// Print JSON; with --each, one object a letter.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: DeadLettersArgs,
}

/// Shows the letters.
///
/// # Errors
/// When somebody else looks at them, or the broker cannot be used.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let limit = args.limit.unwrap_or(LETTERS_MAX);
    let mut groups = Groups::default();
    // Printed when all are back in their queue, since whoever reads may take his time; until then on the
    // disk, since they may be many.
    let mut lines = BufWriter::new(tempfile::tempfile().context("cannot make a temporary file")?);
    let mut written = Ok(());
    let each = |letter: &Letter, _: &_, _: &_| {
        groups.add(letter);
        if args.each && written.is_ok() {
            written = match args.json {
                true => writeln!(lines, "{}", object(letter)),
                false => writeln!(lines, "{}", line(letter)),
            };
        }
    };
    let ring = settings.key_ring.as_ref();
    let looked_at = scan(&settings.broker, ring, &args.filter, limit, each).await?;
    if args.each {
        written.context("cannot write to a temporary file")?;
        return Ok(print_all(lines)?);
    }
    let total = || {
        let (letters, looked_at) = (number(groups.letters), number(looked_at));
        format!("{letters} of {looked_at} letters\n")
    };
    Ok(print(&match args.json {
        true => format!("{}\n", groups.json()),
        false => groups.text(Timestamp::now()) + &total(),
    })?)
}

fn print_all(lines: BufWriter<File>) -> anyhow::Result<()> {
    let mut lines = lines
        .into_inner()
        .context("cannot write to a temporary file")?;
    lines.rewind().context("cannot read a temporary file")?;
    std::io::copy(&mut lines, &mut std::io::stdout().lock())
        .context("cannot write to standard output")?;
    Ok(())
}

/// A letter on one line; an event without an id is `-`.
pub fn line(letter: &Letter) -> String {
    let at = letter.dead_lettered_at;
    let at = at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
    let or_dash = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), plain);
    format!(
        "{at}  {}  {}  {}  {}  {}  {} {}  {}",
        letter.cause.as_str(),
        or_dash(&letter.event_id),
        lane(letter.lane),
        plain(&letter.publisher),
        or_dash(&letter.campaign_id),
        or_dash(&letter.target_kind),
        or_dash(&letter.target),
        letter.seal.as_str()
    )
}

/// A letter as JSON, without its body.
pub fn object(letter: &Letter) -> Value {
    json!({
        "code": letter.cause.as_str(),
        "event_id": letter.event_id,
        "lane": letter.lane.map(|lane| lane.as_str()),
        "publisher": letter.publisher,
        "campaign_id": letter.campaign_id,
        "target_kind": letter.target_kind,
        "target": letter.target,
        "dead_lettered_at": letter.dead_lettered_at,
        "first_received_at": letter.history.first_received_at,
        "attempts": letter.history.attempts,
        "retries": letter.history.retries,
        "replays": letter.history.replays,
        "on_trial": letter.history.on_trial,
        "text": letter.text,
        "request_id": letter.request_id,
        "error_type": letter.error_type,
        "body": letter.seal.as_str(),
        "body_bytes": letter.body_bytes,
    })
}
