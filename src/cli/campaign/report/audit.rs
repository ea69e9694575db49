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
    place: Place,
}

/// How far the stream was read, and what did not come.
#[derive(Debug, Default)]
struct Place {
    /// The offset that must come next.
    next: u64,
    /// The first offset that did not come, and the entry that came in its place.
    hole: Option<(u64, u64)>,
    /// The time of the first entry behind it, or of all, that has one.
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
        place: Place {
            next: header.audit_offset(),
            ..Place::default()
        },
    };
    let take = |entry: Entry| Ok(gathering.take(&entry).context(failed.clone())?);
    let end = read::to_end(settings, Stream::Audit, header.audit_offset(), take).await?;
    let gap = match gathering.place.gap(header.audit_offset(), end) {
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
        let read = Outcome::read(&entry.body);
        let at = match &read {
            Some(outcome) => Some(outcome.completed_at),
            None => WorkerState::read(&entry.body).map(|state| state.at),
        };
        self.place.saw(entry.offset, at);
        let Some(outcome) = read else { return Ok(()) };
        if let Taken::Counted { part, .. } = self.proof.take(&outcome) {
            let line = Line::new(self.writer.seq(), entry.offset, part, &outcome);
            let line = line.ok_or_else(|| anyhow!("an outcome that counts names its event"))?;
            self.writer.outcome(&line)?;
        }
        Ok(())
    }
}

impl Place {
    fn saw(&mut self, offset: u64, at: Option<Timestamp>) {
        if offset > self.next && self.hole.is_none() {
            self.hole = Some((self.next, offset));
            self.since = None;
        }
        self.next = offset + 1;
        self.since = self.since.or(at);
    }

    /// Where entries may be missing, the first such place; or all of them, if the stream ends before the
    /// campaign began.
    fn gap(&self, wanted: u64, end: Option<u64>) -> Option<Gap> {
        let is_shorter = end.map_or(0, |end| end + 1) < wanted;
        let anew = is_shorter.then_some((wanted, None));
        let hole = self.hole.map(|(wanted, first)| (wanted, Some(first)));
        let is_cut = end.is_some_and(|end| end >= self.next);
        let cut = is_cut.then_some((self.next, None));
        anew.or(cut).or(hole).map(|(wanted, first)| Gap {
            wanted,
            first,
            since: self.since.filter(|_| first.is_some()),
        })
    }
}

/// Whether the stream has forgotten what was wanted. If it still has older entries, then the place is one
/// where RabbitMQ keeps its own notes, such as how far another reader is, which it gives to nobody.
async fn forgot(settings: &broker::Settings, gap: &Gap) -> Result<bool, Failure> {
    let oldest = read::oldest(settings, Stream::Audit).await?;
    Ok(oldest.is_none_or(|oldest| oldest > gap.wanted))
}

#[test]
fn the_first_hole_is_the_one_that_counts() {
    let check = |offsets: &[u64], end: Option<u64>, expected: Option<(u64, Option<u64>)>| {
        let mut place = Place {
            next: 10,
            ..Place::default()
        };
        let at = |offset: u64| Timestamp::from_second(i64::try_from(offset).ok()?).ok();
        offsets
            .iter()
            .for_each(|offset| place.saw(*offset, at(*offset)));
        let gap = place.gap(10, end);
        let found = gap.as_ref().map(|gap| (gap.wanted, gap.first));
        assert_eq!(found, expected, "{offsets:?}");
        let since = expected.and_then(|(_, first)| at(first?));
        assert_eq!(gap.and_then(|gap| gap.since), since, "{offsets:?}");
    };
    check(&[10, 11, 12], Some(12), None);
    check(&[], Some(9), None);
    check(&[20, 21], Some(21), Some((10, Some(20))));
    // A note of the broker's, further on, does not hide what was forgotten.
    check(&[20, 21, 23], Some(23), Some((10, Some(20))));
    check(&[10, 12, 13], Some(13), Some((11, Some(12))));
    check(&[], Some(8), Some((10, None)));
    check(&[], None, Some((10, None)));
    // The end that was seen went before it was read.
    check(&[10, 11], Some(12), Some((12, None)));
}
