//! The report's folder: files appear whole, under their names, at the end.
//!
//! Until then each is a draft under another name. An old report's digest goes before the new evidence
//! comes, so that at no moment does a half report look whole.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Written at once, bytes.
const BUFFER_BYTES: usize = 256 * 1024;
/// All that a report may have; the first that goes is what makes a report of it.
const NAMES: [&str; 5] = [
    "digest",
    "digest.sig",
    "summary.md",
    "missing.csv",
    EVIDENCE,
];
/// The evidence.
pub(super) const EVIDENCE: &str = "evidence.ndjson";

/// The folder, and the drafts that are not yet at their place.
pub(super) struct Folder {
    path: PathBuf,
    drafts: Vec<String>,
}

impl Folder {
    /// The folder, made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            drafts: Vec::new(),
        })
    }

    /// Where a file is when all is done.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn draft_of(&self, name: &str) -> PathBuf {
        self.path.join(format!(".{name}.new"))
    }

    /// A draft to write to.
    pub(super) fn draft(&mut self, name: &str) -> Result<BufWriter<File>> {
        let path = self.draft_of(name);
        self.drafts.push(name.to_owned());
        let file = File::create(&path).with_context(|| failed(&path))?;
        Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
    }

    /// What writing to a draft failed with, in context.
    pub(super) fn failed(&self, name: &str) -> String {
        failed(&self.file(name))
    }

    /// A draft is written: makes sure that it is on disk.
    pub(super) fn written(&self, name: &str, draft: BufWriter<File>) -> Result<()> {
        let file = draft
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        let synced = file.and_then(|file| file.sync_all());
        synced.with_context(|| self.failed(name))
    }

    /// A draft of this text.
    pub(super) fn write(&mut self, name: &str, text: &str) -> Result<()> {
        let mut draft = self.draft(name)?;
        draft
            .write_all(text.as_bytes())
            .with_context(|| self.failed(name))?;
        self.written(name, draft)
    }

    /// Puts all drafts at their places. What an old report had is gone by then.
    pub(super) fn replace(&mut self) -> Result<()> {
        for name in NAMES {
            let path = self.file(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("cannot remove the old {}", path.display()));
                }
                _ => {}
            }
        }
        self.add()
    }

    /// Puts all drafts at their places, beside what is there: the evidence first, since it was begun first.
    pub(super) fn add(&mut self) -> Result<()> {
        for name in std::mem::take(&mut self.drafts) {
            let path = self.file(&name);
            fs::rename(self.draft_of(&name), &path).with_context(|| failed(&path))?;
        }
        // Renames are on disk when their folder is.
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.with_context(|| failed(&self.path))
    }
}

impl Drop for Folder {
    /// What did not come to its end leaves nothing behind.
    fn drop(&mut self) {
        for name in &self.drafts {
            let _ = fs::remove_file(self.draft_of(name));
        }
    }
}

fn failed(path: &Path) -> String {
    format!(
        "cannot write {}, so the report is not whole; make room or give another --out",
        path.display()
    )
}
