//! What an event, or a credential of it, is read from: a file, or standard input for `-`.

use std::{
    fs::File,
    io::{Read, stdin},
    path::Path,
};

use anyhow::{Context, bail};

use crate::event::BODY_BYTES_MAX;

/// What is read from a file or standard input at most, bytes; the decoder's own limit is lower.
const INPUT_BYTES_MAX: u64 = 64 * BODY_BYTES_MAX as u64;

/// A credential out of a file, or from standard input for `-`; white space around it is not part of it.
pub(in crate::cli) fn read_credential(path: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(read_input(path)?);
    // Not the error itself: it holds the bytes.
    let text = text
        .ok()
        .with_context(|| format!("{} is not text", path.display()))?;
    Ok(text.trim().to_owned())
}

/// A file, or standard input for `-`.
pub(super) fn read_input(path: &Path) -> anyhow::Result<Vec<u8>> {
    let input: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(stdin().lock()),
        false => {
            Box::new(File::open(path).with_context(|| format!("cannot open {}", path.display()))?)
        }
    };
    let mut bytes = Vec::new();
    let read = input.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        bail!(
            "{} is longer than {INPUT_BYTES_MAX} bytes; an event is at most {BODY_BYTES_MAX}",
            path.display()
        );
    }
    Ok(bytes)
}
