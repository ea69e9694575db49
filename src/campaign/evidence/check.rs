//! Checks evidence line by line: the chain, and that every number follows from what stands there.
//!
//! What it cannot see is that all of it was written anew: that takes a signature or the operator's stream.

use super::{Chain, END_TYPE, Footer, Header, Line, TYPE, chain::Broken};
use crate::campaign::{Proof, is_id, proof::Taken};

/// How an outcome's line begins; header and footer begin otherwise.
const LINE_BEGINS: &[u8] = br#"{"seq":"#;
/// More targets than this in one campaign are no campaign of ours.
const EXPECTED_MAX: u64 = 1_000_000_000;

/// Evidence being checked. Memory grows with the number of targets, by 18 bytes each.
#[derive(Debug, Default)]
pub struct Checker {
    chain: Chain,
    lines: u64,
    offset: Option<u64>,
    begun: Option<(Header, Proof)>,
    footer: Option<Footer>,
}

/// Evidence that is right in itself.
#[derive(Debug)]
pub struct Checked {
    /// Its first line.
    pub header: Header,
    /// Its last line.
    pub footer: Footer,
    /// How many lines it has.
    pub lines: u64,
    /// The end of its chain.
    pub chain_end: String,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It has no chain.
    #[error("it does not end in a chain, so it is no line of evidence")]
    NoChain,
    /// The chain breaks.
    #[error("the chain breaks: this line or one before it was changed, dropped or moved")]
    Chain,
    /// The line is not what should stand here.
    #[error("it is not {0}")]
    Form(&'static str),
    /// The header contradicts itself.
    #[error("the header's parts are not those of one campaign")]
    Parts,
    /// The number is not the next.
    #[error("its seq is {0}, the next is {1}")]
    Seq(u64, u64),
    /// The place in the stream is not behind the one before, or before the campaign.
    #[error("its offset {0} is out of order")]
    Offset(u64),
    /// The outcome does not count.
    #[error("its outcome is none that the manifests ask for ({0})")]
    Uncounted(&'static str),
    /// The footer's sums are wrong.
    #[error("its sums do not follow from the lines: {0}")]
    Sums(String),
    /// Something follows the footer.
    #[error("it stands behind the footer")]
    Behind,
    /// The end is missing.
    #[error("the evidence ends without its footer: it was cut off")]
    CutOff,
}

impl Checker {
    /// Lines that were looked at.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Takes the next line, without its line feed.
    ///
    /// # Errors
    /// When it is wrong; its number is [`Checker::lines`].
    pub fn take(&mut self, mut line: Vec<u8>) -> Result<(), Wrong> {
        self.lines += 1;
        if self.footer.is_some() {
            return Err(Wrong::Behind);
        }
        self.chain.check(&mut line).map_err(|broken| match broken {
            Broken::None => Wrong::NoChain,
            Broken::Other => Wrong::Chain,
        })?;
        match self.begun.take() {
            None => self.begun = Some(header(&line)?),
            Some((header, mut proof)) => {
                match line.starts_with(LINE_BEGINS) {
                    true => self.outcome(&line, &header, &mut proof)?,
                    false => self.footer = Some(self.end(&line, &header, &proof)?),
                }
                self.begun = Some((header, proof));
            }
        }
        Ok(())
    }

    fn outcome(&mut self, body: &[u8], header: &Header, proof: &mut Proof) -> Result<(), Wrong> {
        let line: Line<'_> =
            serde_json::from_slice(body).map_err(|_| Wrong::Form("the line of an outcome"))?;
        let seq = self.lines - 1;
        if line.seq != seq {
            return Err(Wrong::Seq(line.seq, seq));
        }
        let is_behind = self.offset.is_none_or(|before| before < line.offset);
        if !is_behind || line.offset < header.audit_offset() {
            return Err(Wrong::Offset(line.offset));
        }
        self.offset = Some(line.offset);
        match proof.take(&line.outcome(header)) {
            Taken::Counted { part, .. } if part == line.part => Ok(()),
            Taken::Counted { .. } => Err(Wrong::Uncounted("its part is another one")),
            Taken::Refused(why) => Err(Wrong::Uncounted(why.sentence())),
            Taken::Other => Err(Wrong::Uncounted("it is of another campaign")),
        }
    }

    fn end(&self, body: &[u8], header: &Header, proof: &Proof) -> Result<Footer, Wrong> {
        let found: Footer = serde_json::from_slice(body)
            .ok()
            .filter(|footer: &Footer| footer.r#type == END_TYPE)
            .ok_or(Wrong::Form("the line of an outcome or the footer"))?;
        let follows = Footer::new(
            proof,
            header,
            self.lines - 2,
            found.read_to,
            found.gap.clone(),
        );
        let wrong = found.differs(&follows);
        let read_to = found.read_to.is_none_or(|to| Some(to) >= self.offset);
        match (wrong.is_empty(), read_to) {
            (true, true) => Ok(found),
            (true, false) => Err(Wrong::Sums("read_to".to_owned())),
            (false, _) => Err(Wrong::Sums(wrong.join(", "))),
        }
    }

    /// The end of the file.
    ///
    /// # Errors
    /// When there was no footer.
    pub fn finish(self) -> Result<Checked, Wrong> {
        let (header, _) = self.begun.ok_or(Wrong::CutOff)?;
        Ok(Checked {
            header,
            footer: self.footer.ok_or(Wrong::CutOff)?,
            lines: self.lines,
            chain_end: self.chain.end(),
        })
    }
}

/// The header and the proof it asks for, if it is one that we write.
fn header(body: &[u8]) -> Result<(Header, Proof), Wrong> {
    let header: Header = serde_json::from_slice(body)
        .ok()
        .filter(|header: &Header| header.r#type == TYPE)
        .ok_or(Wrong::Form("a header of revoker.evidence.v1"))?;
    let of_one_campaign = header.parts.iter().zip(1..).all(|(part, number)| {
        let manifest = &part.manifest;
        manifest.campaign_id == header.campaign_id
            && manifest.part == number
            && manifest.publisher == header.publisher()
            && manifest.xor().is_some()
    });
    let sum = |value: fn(&super::Begun) -> u64| {
        let add = |sum: u64, part| sum.checked_add(value(part));
        header.parts.iter().try_fold(0, add)
    };
    let numbers = [
        sum(|part| part.manifest.expected),
        sum(|part| part.published),
    ];
    let are_sane = |sum: Option<u64>| sum.is_some_and(|sum| sum <= EXPECTED_MAX);
    let first = header.parts.first();
    let names_first = first.is_some_and(|part| part.manifest.project_id == header.project_id);
    let drill = header.parts.iter().any(|part| part.manifest.drill) == header.drill;
    let right = is_id(&header.campaign_id) && of_one_campaign && names_first && drill;
    if !right || !numbers.into_iter().all(are_sane) {
        return Err(Wrong::Parts);
    }
    let proof = Proof::new(&header.campaign_id, &header.campaign());
    Ok((header, proof))
}
