//! What a list looks like, told from its beginning: CSV or NDJSON, which column, users or sessions.
//!
//! Pure. What cannot be seen must be said: a guess here could log out the wrong people.

use anyhow::{Context, bail};
use csv::ByteRecord;
use serde_json::Value;

use super::input::csv;
use crate::campaign::Kind;

/// The byte order mark that some spreadsheets write first.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// What the list looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Users or sessions.
    pub kind: Kind,
    pub(super) form: Form,
}

/// How it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Ndjson,
    Csv {
        delimiter: u8,
        column: usize,
        has_header: bool,
    },
}

/// Finds out what a list looks like from its beginning.
///
/// # Errors
/// When that cannot be told; says what to do.
pub fn look(head: &[u8], column: Option<&str>, kind: Option<Kind>) -> anyhow::Result<Shape> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        bail!("it is UTF-16; save it as UTF-8");
    }
    let head = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    match head.first() {
        None => bail!("it is empty"),
        Some(b'[') => {
            bail!("it is a JSON array; give one JSON object a line (jq -c '.[]' does that)")
        }
        Some(b'{') => look_at_ndjson(head, kind),
        Some(_) => look_at_csv(head, column, kind),
    }
}

fn look_at_ndjson(head: &[u8], kind: Option<Kind>) -> anyhow::Result<Shape> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let value: Option<Value> = serde_json::from_slice(line).ok();
    let has = |kind: &Kind| {
        value
            .as_ref()
            .is_some_and(|value| !value[kind.field()].is_null())
    };
    let kind = kind.or_else(|| Kind::ALL.iter().copied().find(has));
    let kind = kind.context("its first line is no JSON object with user_id or session_id")?;
    Ok(Shape {
        kind,
        form: Form::Ndjson,
    })
}

fn look_at_csv(head: &[u8], column: Option<&str>, kind: Option<Kind>) -> anyhow::Result<Shape> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let has = |byte: u8| line.contains(&byte);
    let delimiter = match (has(b','), has(b';'), has(b'\t')) {
        (false, true, _) => b';',
        (false, _, true) => b'\t',
        _ => b',',
    };
    let mut reader = csv(delimiter).from_reader(head);
    let mut first = ByteRecord::new();
    reader
        .read_byte_record(&mut first)
        .context("its first line is no CSV")?;
    let names: Vec<String> = first
        .iter()
        .map(|field| String::from_utf8_lossy(field).trim().to_ascii_lowercase())
        .collect();
    let named = |wanted: &str| {
        names
            .iter()
            .position(|name| name == &wanted.to_ascii_lowercase())
    };
    let form = |column, has_header| Form::Csv {
        delimiter,
        column,
        has_header,
    };
    if let Some(wanted) = column {
        let at = named(wanted).context("its first line has no column of that name")?;
        let kind = kind.or_else(|| kind_of_column(&names[at]));
        let kind = kind.context("say what the column holds: --target user or --target session")?;
        return Ok(Shape {
            kind,
            form: form(at, true),
        });
    }
    let by_name = Kind::ALL
        .iter()
        .filter(|of| kind.is_none_or(|kind| kind == **of));
    let found: Vec<(Kind, usize)> = by_name
        .filter_map(|kind| Some((*kind, named(kind.field())?)))
        .collect();
    match (found.as_slice(), names.as_slice()) {
        ([(kind, at)], _) => Ok(Shape {
            kind: *kind,
            form: form(*at, true),
        }),
        ([_, _, ..], _) => bail!(
            "it has both user_id and session_id; say which: --target user or --target session"
        ),
        ([], [only]) => {
            let kind = kind
                .or_else(|| kind_of_id(only))
                .or_else(|| kind_of_next(&mut reader));
            let kind = kind.context(
                "its ids do not tell; say what they are: --target user or --target session",
            )?;
            Ok(Shape {
                kind,
                form: form(0, is_a_name(only)),
            })
        }
        ([], _) => bail!(
            "it has {} columns and no header user_id or session_id; name one with --column",
            names.len()
        ),
    }
}

fn kind_of_column(name: &str) -> Option<Kind> {
    Kind::ALL
        .iter()
        .copied()
        .find(|kind| name.contains(kind.as_str()))
}

fn kind_of_id(id: &str) -> Option<Kind> {
    let begins = |kind: &Kind| id.starts_with(&format!("{}-", kind.as_str()));
    Kind::ALL.iter().copied().find(begins)
}

fn kind_of_next(reader: &mut csv::Reader<&[u8]>) -> Option<Kind> {
    let mut next = ByteRecord::new();
    reader.read_byte_record(&mut next).ok()?;
    kind_of_id(std::str::from_utf8(next.get(0)?).ok()?.trim())
}

/// Whether a lone first cell is a heading: ids have digits or dashes.
fn is_a_name(cell: &str) -> bool {
    !cell.is_empty()
        && cell
            .bytes()
            .all(|b| b.is_ascii_alphabetic() || b == b'_' || b == b' ')
}
