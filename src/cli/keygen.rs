//! `revoker keygen`: writes keys of the key ring that seals stored credentials.
//!
//! Files are written whole, under another name, and then renamed: whoever reads one meanwhile gets the
//! old ring or the new one, and a full disk costs no key. Nothing is ever overwritten or dropped.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use secrecy::zeroize::Zeroizing;

use super::print;
use crate::settle::seal::{KeyRing, new_key_line};

/// Where the key goes; to standard output without a flag.
#[derive(Debug, clap::Args)]
#[group(id = "where", multiple = false)]
#[command(after_help = ROTATION)]
pub struct Args {
    /// Create this key ring with one key; refuses if the file is there.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put the new key in front: it seals from now on, the old ones still open.
    #[arg(long, value_name = "FILE")]
    rotate: Option<PathBuf>,
    /// Put the new key at the end, creating the file if needed: it opens, but does not seal.
    #[arg(long, value_name = "FILE")]
    append: Option<PathBuf>,
}

const ROTATION: &str = "\
With one worker, rotate and restart it. With several that must not miss each other's keys, append, give the
file to all and restart them; then move the new line to the front and do so again. The last line also names
credentials in outcomes (hmac:...), so these names change when a key is appended, and not when one is put in
front. A key may go when no message sealed with it is left in the retry and dead-letter queues.";

/// Only the owner may read or write: what `revoker run` insists on.
const MODE: u32 = 0o600;

/// Writes a new key.
///
/// # Errors
/// When a file cannot be read or written, or is no key ring.
pub fn run(args: &Args) -> Result<()> {
    let line = new_key_line();
    let (path, what) = match (&args.output, &args.rotate, &args.append) {
        (Some(path), _, _) => (path, create(path, &line)),
        (_, Some(path), _) => (path, rewrite(path, |old| joined(&line, old))),
        (_, _, Some(path)) if !path.exists() => (path, create(path, &line)),
        (_, _, Some(path)) => (path, rewrite(path, |old| joined(old.trim_end(), &line))),
        (None, None, None) => return print(&joined(&line, "")),
    };
    what.with_context(|| format!("cannot write the key ring {}", path.display()))?;
    print(&format!("wrote a new key to {}\n", path.display()))
}

/// Both texts, each ended by a line feed.
fn joined(first: &str, second: &str) -> Zeroizing<String> {
    let second = second.trim_end();
    let end = if second.is_empty() { "" } else { "\n" };
    Zeroizing::new(format!("{first}\n{second}{end}"))
}

fn create(path: &Path, line: &str) -> Result<()> {
    write_new(path, &joined(line, ""))
}

/// Replaces a key ring by a changed one, at once; keeps its owner.
fn rewrite(path: &Path, change: impl FnOnce(&str) -> Zeroizing<String>) -> Result<()> {
    // Through a symbolic link, to the file itself: renaming over the link would leave the old file.
    let path = path.canonicalize()?;
    let old = Zeroizing::new(fs::read_to_string(&path)?);
    KeyRing::parse(&old)?;
    let new = change(&old);
    KeyRing::parse(&new)?;
    let owner = fs::metadata(&path)?;
    let Some(name) = path.file_name() else {
        bail!("it is not a file");
    };
    let draft = path.with_file_name(format!(".{}.new", name.to_string_lossy()));
    let replaced = write_new(&draft, &new)
        .with_context(|| format!("{} is in the way or cannot be made", draft.display()))
        .and_then(|()| {
            let kept = chown(&draft, Some(owner.uid()), Some(owner.gid()));
            let replaced = kept.and_then(|()| fs::rename(&draft, &path));
            // On failure the draft holds a key that nobody uses.
            replaced.inspect_err(|_| drop(fs::remove_file(&draft)))?;
            Ok(())
        });
    replaced?;
    sync_folder(&path)
}

/// A new file on disk, for its owner only; refuses if there is one.
fn write_new(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// A rename is on disk when its folder is.
fn sync_folder(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
