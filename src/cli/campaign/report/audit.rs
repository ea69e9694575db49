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
    /// The offset that must come next.
    next: u64,
    /// The last offset that did not come, and the entry that came in its place, if one did.
    hole: Option<(u64, Option<u64>)>,
    /// The time of the first entry behind it that has one.
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
        next: header.audit_offset(),
        hole: None,
        since: None,
    };
    let take = |entry: Entry| Ok(gathering.take(&entry).context(failed.clone())?);
    let end = read::to_end(settings, Stream::Audit, header.audit_offset(), take).await?;
    let gap = match gathering.gap(header.audit_offset(), end) {
        Some(gap) if gap.first.is_some() && !forgot(settings, &gap).await? => None,
        gap => gap,
    };
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
        if entry.offset > self.next {
            self.hole = Some((self.next, Some(entry.offset)));
            self.since = None;
        }
        self.next = entry.offset + 1;
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

    /// Where entries may be missing, the last such place; or all of them, if the stream ends before the
    /// campaign began.
    fn gap(&self, wanted: u64, end: Option<u64>) -> Option<Gap> {
        let is_shorter = end.map_or(0, |end| end + 1) < wanted;
        let anew = is_shorter.then_some((wanted, None));
        let is_short = end.is_some_and(|end| end >= self.next);
        let at_end = is_short.then_some((self.next, None));
        anew.or(at_end).or(self.hole).map(|(wanted, first)| Gap {
            wanted,
            first,
            since: self.since,
        })
    }
}

/// Whether the stream has forgotten what was wanted. If it still has older entries, then the place is one
/// where RabbitMQ keeps its own notes, such as how far another reader is, which it gives to nobody.
async fn forgot(settings: &broker::Settings, gap: &Gap) -> Result<bool, Failure> {
    let oldest = read::oldest(settings, Stream::Audit).await?;
    Ok(oldest.is_none_or(|oldest| oldest > gap.wanted))
}
