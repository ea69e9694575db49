//! `dead-letters show`: all that is known of an event; what is sealed only by who has the key and asks for it.

use std::fmt::Write;

use anyhow::anyhow;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{filter::Filter, list::object, scan::scan};
use crate::{
    broker::browse::LETTERS_MAX,
    cli::{Failure, print, status::text::plain},
    config::DeadLettersArgs,
    event::{HeaderValue, Properties},
    settle::{
        letter::{Found, Letter, Seal},
        seal::{KeyRing, OpenError},
    },
};

/// Letters of one event that are shown at most.
const SHOWN_MAX: usize = 20;

/// Which event, and how much of it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The event's id.
    #[arg(value_name = "ID")]
    id: String,
    /// Show the body even if it is sealed, or may hold a credential: it then stands on this screen in clear.
    #[arg(long)]
    reveal: bool,
    /// Print JSON, one object a letter.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: DeadLettersArgs,
}

/// What may be shown of a body.
enum Body {
    Shown(Properties, Bytes),
    /// Why it is not, and what to do.
    Withheld(String),
}

/// Shows every letter of the event.
///
/// # Errors
/// When there is none, somebody else looks at the dead letters, or the broker cannot be used.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let filter = Filter {
        event_ids: vec![args.id.clone()],
        ..Filter::default()
    };
    let (mut text, mut count) = (String::new(), 0_usize);
    let ring = settings.key_ring.as_ref();
    let each = |letter: &Letter, found: &Found, bytes: &[u8]| {
        count += 1;
        if count <= SHOWN_MAX {
            let body = body(letter, found, bytes, ring, args.reveal);
            let shown = match args.json {
                true => format!("{}\n", with_body(letter, &body)),
                false => page(letter, found, &body),
            };
            text += &shown;
        }
    };
    scan(&settings.broker, ring, &filter, LETTERS_MAX, each).await?;
    if count == 0 {
        let id = plain(&args.id);
        let said = format!(
            "no dead letter is of the event {id}: it may have been replayed, or never was one"
        );
        return Err(Failure::Failed(anyhow!(said)));
    }
    if count > SHOWN_MAX && !args.json {
        let _ = writeln!(text, "and {} more of this event", count - SHOWN_MAX);
    }
    Ok(print(&text)?)
}

fn body(
    letter: &Letter,
    found: &Found,
    bytes: &[u8],
    ring: Option<&KeyRing>,
    reveal: bool,
) -> Body {
    let in_clear = || Body::Shown(found.properties.clone(), Bytes::copy_from_slice(bytes));
    if letter.seal == Seal::Clear {
        return match reveal || letter.may_show(bytes) {
            true => in_clear(),
            false => Body::Withheld(
                "in clear, and not shown: no worker of this version wrote it, or it may hold a credential; --reveal shows it"
                    .to_owned(),
            ),
        };
    }
    match (reveal, ring) {
        (_, None) => Body::Withheld(
            "sealed; give the workers' key ring (REVOKER_SEAL_KEY_FILE) and --reveal to open it"
                .to_owned(),
        ),
        (false, Some(_)) => Body::Withheld(match letter.seal {
            Seal::KeyUnknown => OpenError::UnknownKey.to_string(),
            Seal::Newer => OpenError::UnknownVersion { newer: true }.to_string(),
            _ => "sealed; --reveal opens it".to_owned(),
        }),
        (true, Some(ring)) => match letter.open(bytes, ring) {
            Ok((properties, body)) => Body::Shown(properties, body),
            Err(error) => Body::Withheld(error.to_string()),
        },
    }
}

/// A letter for people: headers as they are, then the body.
fn page(letter: &Letter, found: &Found, body: &Body) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        // Whole, unlike in lists: what is wrong may take several sentences.
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(text, "{name:<28} {value}");
    };
    row("code", letter.cause.as_str());
    row("what to do", letter.cause.explanation());
    let mut ours: Vec<_> = found.ours.iter().collect();
    ours.sort_by(|one, other| one.0.cmp(&other.0));
    for (name, value) in ours {
        row(name, &shown(value));
    }
    row("routing key", &found.routing_key);
    row("given out before", &found.delivery_count.to_string());
    row(
        "body",
        &format!("{} bytes, {}", letter.body_bytes, letter.seal.as_str()),
    );
    match body {
        Body::Withheld(why) => row("", why),
        Body::Shown(properties, bytes) => {
            for (name, value) in named(properties) {
                row(&name, &value);
            }
            let _ = writeln!(text, "{}", readable(bytes));
        }
    }
    text.push('\n');
    text
}

fn with_body(letter: &Letter, body: &Body) -> Value {
    let mut object = object(letter);
    match body {
        Body::Withheld(why) => object["withheld"] = json!(why),
        Body::Shown(properties, bytes) => {
            object["properties"] = named(properties).collect();
            object["content"] = json!(String::from_utf8_lossy(bytes));
        }
    }
    object
}

/// The publisher's properties.
fn named(of: &Properties) -> impl Iterator<Item = (String, String)> + '_ {
    let basic = [
        ("content type", &of.content_type),
        ("content encoding", &of.content_encoding),
        ("message id", &of.message_id),
        ("correlation id", &of.correlation_id),
        ("type", &of.kind),
        ("app id", &of.app_id),
    ];
    let basic = basic
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let timestamp = of
        .timestamp
        .map(|at| ("timestamp".to_owned(), at.to_string()));
    let headers = of.headers.iter();
    let headers = headers.map(|(name, value)| (format!("header {name}"), shown(value)));
    basic.chain(timestamp).chain(headers)
}

fn shown(value: &HeaderValue) -> String {
    match value {
        HeaderValue::Text(text) => text.clone(),
        HeaderValue::Int(n) => n.to_string(),
        HeaderValue::Float(n) => n.to_string(),
        HeaderValue::Bool(b) => b.to_string(),
        HeaderValue::Timestamp(seconds) => seconds.to_string(),
        HeaderValue::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// Nothing in it steers a terminal.
fn readable(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars()
        .map(|c| match c.is_control() && c != '\n' {
            true => char::REPLACEMENT_CHARACTER,
            false => c,
        })
        .collect()
}
