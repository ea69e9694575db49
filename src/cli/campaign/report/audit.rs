//! The audit stream becomes evidence, entry by entry; what is held is the proof, and no line.

use std::{fs::File, io::BufWriter};

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::folder::{EVIDENCE, Folder};
use crate::{
    broker::{
        self,
        stream::{Entry, Stream},
    },
    campaign::{
        Outcome, Proof, WorkerState,
        evidence::{Footer, Gap, Header, Line, Writer},
        proof::Taken,
    },
    cli::{Failure, campaign::read},
};

/// What the stream came to.
pub(super) struct Written {
    /// Every event.
    pub(super) proof: Proof,
    /// The sums.
    pub(super) footer: Footer,
    /// Lines of evidence.
    pub(super) lines: u64,
    /// The end of their chain.
    pub(super) chain_end: String,
}

struct Gathering {
    proof: Proof,
    writer: Writer<BufWriter<File>>,
    wanted: u64,
    /// The first entry that came.
    first: Option<u64>,
    /// The time of the first entry that has one.
    since: Option<Timestamp>,
}

/// Reads the stream and writes the draft of the evidence.
pub(super) async fn write(
    settings: &broker::Settings,
    header: &Header,
    folder: &mut Folder,
) -> Result<Written, Failure> {
    let failed = folder.failed(EVIDENCE);
    let draft = folder.draft(EVIDENCE)?;
    let mut gathering = Gathering {
        proof: Proof::new(&header.campaign_id, &header.campaign()),
        writer: Writer::new(draft, header).context(failed.clone())?,
        wanted: header.audit_offset(),
        first: None,
        since: None,
    };
    let take = |entry: Entry| Ok(gathering.take(&entry).context(failed.clone())?);
    let end = read::to_end(settings, Stream::Audit, header.audit_offset(), take).await?;
    let gap = gathering.gap(end);
    let Gathering { proof, writer, .. } = gathering;
    let footer = Footer::new(&proof, header, writer.seq() - 1, end, gap);
    let (draft, lines, chain_end) = writer.finish(&footer).context(failed)?;
    folder.written(EVIDENCE, draft)?;
    Ok(Written {
        proof,
        footer,
        lines,
        chain_end,
    })
}

impl Gathering {
    fn take(&mut self, entry: &Entry) -> anyhow::Result<()> {
        self.first.get_or_insert(entry.offset);
        let Some(outcome) = Outcome::read(&entry.body) else {
            if self.since.is_none() {
                self.since = WorkerState::read(&entry.body).map(|state| state.at);
            }
            return Ok(());
        };
        self.since.get_or_insert(outcome.completed_at);
        if let Taken::Counted { part, .. } = self.proof.take(&outcome) {
            let line = Line::new(self.writer.seq(), entry.offset, part, &outcome);
            let line = line.ok_or_else(|| anyhow!("an outcome that counts names its event"))?;
            self.writer.outcome(&line)?;
        }
        Ok(())
    }

    /// What is missing before the first entry, or up to where the stream must have come.
    fn gap(&self, end: Option<u64>) -> Option<Gap> {
        let next = end.map_or(0, |end| end + 1);
        let is_gone = self.first.is_some_and(|first| first > self.wanted);
        (is_gone || next < self.wanted).then_some(Gap {
            wanted: self.wanted,
            first: self.first,
            since: self.since,
        })
    }
}
