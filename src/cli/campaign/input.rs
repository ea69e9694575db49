//! A list of users or sessions: CSV with or without a header, or NDJSON, from a file or standard input.
//!
//! Read twice, and each time as a stream: first to check all of it, then to publish. So standard input
//! is kept in a file that only we can read and that has no name any more. Values are never shown: what
//! stands in a wrong column may be a credential.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use anyhow::{Context, bail};
use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;

use super::shape::{BOM, Form, Shape, look};
use crate::campaign::Kind;

/// Longest line of NDJSON, bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// How much of a file is looked at to know its form, bytes.
const LOOK_BYTES: u64 = 64 * 1024;

/// A list that can be read again and again.
pub struct List {
    file: File,
    shape: Shape,
}

/// One entry: its line, from 1, and the id or what is wrong.
pub type Row<'a> = (u64, Result<&'a str, String>);

impl List {
    /// Opens a file, or keeps what comes on standard input for `-`, and finds out what it looks like.
    /// `column` and `kind` say what cannot be seen.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or does not tell what it holds.
    pub fn open(path: &Path, column: Option<&str>, kind: Option<Kind>) -> anyhow::Result<Self> {
        let mut file = match path == Path::new("-") {
            true => spool().context("cannot keep standard input in a temporary file")?,
            false => File::open(path).with_context(|| format!("cannot open {}", path.display()))?,
        };
        let mut head = Vec::new();
        let looked = (&mut file).take(LOOK_BYTES).read_to_end(&mut head);
        looked.with_context(|| format!("cannot read {}", path.display()))?;
        let shape = look(&head, column, kind)
            .with_context(|| format!("cannot use {} as a list", path.display()))?;
        Ok(Self { file, shape })
    }

    /// A list of nothing but ids, a line each.
    pub fn of_ids(file: File, kind: Kind) -> Self {
        let shape = Shape {
            kind,
            form: Form::Csv {
                delimiter: b',',
                column: 0,
                has_header: false,
            },
        };
        Self { file, shape }
    }

    /// Users or sessions.
    pub fn kind(&self) -> Kind {
        self.shape.kind
    }

    /// Gives out every entry, in order.
    ///
    /// # Errors
    /// When it cannot be read, and what `each` fails with.
    pub fn read(&mut self, each: impl FnMut(Row<'_>) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::new(&self.file);
        if reader.fill_buf()?.starts_with(BOM) {
            reader.consume(BOM.len());
        }
        match self.shape.form {
            Form::Ndjson => read_ndjson(reader, self.shape.kind, each),
            Form::Csv {
                delimiter,
                column,
                has_header,
            } => read_csv(reader, (delimiter, column, has_header), each),
        }
    }
}

/// Standard input in a file without a name, readable by nobody else.
fn spool() -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// How CSV is read.
pub(super) fn csv(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder
        .delimiter(delimiter)
        .has_headers(false) // looked for by ourselves
        .flexible(true) // a short row is told with its line, and the next is read
        .trim(csv::Trim::All);
    builder
}

/// Line by line, and not by the library's own reader, whose numbers are wrong after blank lines and CRLF.
fn read_csv(
    mut reader: impl BufRead,
    (delimiter, column, has_header): (u8, usize, bool),
    mut each: impl FnMut(Row<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut record, mut cells, mut number) = (Vec::new(), ByteRecord::new(), 0);
    let mut is_header = has_header;
    loop {
        record.clear();
        let lines = read_record(&mut reader, &mut record, number)?;
        if lines == 0 {
            return Ok(());
        }
        let line = number + 1;
        number += lines;
        if record.trim_ascii().is_empty() || std::mem::take(&mut is_header) {
            continue;
        }
        let cell = match record.contains(&b'"') {
            false => record.split(|byte| *byte == delimiter).nth(column),
            true => {
                csv(delimiter)
                    .from_reader(record.as_slice())
                    .read_byte_record(&mut cells)?;
                cells.get(column)
            }
        };
        let cell = match cell.map(|cell| std::str::from_utf8(cell.trim_ascii())) {
            Some(Ok("")) => Err("the id is empty".to_owned()),
            Some(Ok(cell)) => Ok(cell),
            Some(Err(_)) => Err("the id is not UTF-8".to_owned()),
            None => Err(format!("there is no column {}", column + 1)),
        };
        each((line, cell))?;
    }
}

/// One record: a line, or more of them while a quote is open. Says how many.
fn read_record(
    reader: &mut impl BufRead,
    record: &mut Vec<u8>,
    before: u64,
) -> anyhow::Result<u64> {
    let mut lines = 0;
    loop {
        let length = record.len();
        reader.take(LINE_BYTES_MAX).read_until(b'\n', record)?;
        if record.len() == length {
            return Ok(lines);
        }
        lines += 1;
        if record.len() as u64 >= LINE_BYTES_MAX {
            let line = before + 1;
            bail!("line {line} is longer than {LINE_BYTES_MAX} bytes, or a quote in it has no end");
        }
        let quotes = record.iter().filter(|byte| **byte == b'"').count();
        if quotes % 2 == 0 {
            return Ok(lines);
        }
    }
}

fn read_ndjson(
    mut reader: impl BufRead,
    kind: Kind,
    mut each: impl FnMut(Row<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        (&mut reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        number += 1;
        if line.is_empty() {
            return Ok(());
        }
        if line.len() as u64 == LINE_BYTES_MAX {
            bail!("line {number} is longer than {LINE_BYTES_MAX} bytes");
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value: Option<Value> = serde_json::from_slice(&line).ok();
        let cell = match value.as_ref().map(|value| &value[kind.field()]) {
            Some(Value::String(id)) => Ok(id.as_str()),
            Some(Value::Null) => Err(format!("there is no {}", kind.field())),
            Some(_) => Err(format!("{} is no string", kind.field())),
            None => Err("the line is not JSON".to_owned()),
        };
        each((number, cell))?;
    }
}
