//! The first pass over a list: every id checked, duplicates found, what it comes to.

use crate::{
    campaign::{EventHash, Kind, id},
    event::{self, Expectations},
};

use super::input::List;

/// Invalid lines that are shown; the rest is counted.
pub const INVALID_SHOWN_MAX: usize = 20;

/// What a list comes to.
#[derive(Debug)]
pub struct Scan {
    /// Users or sessions.
    pub kind: Kind,
    /// The hashes of all targets, sorted, without duplicates and without those that are excluded.
    pub sorted: Vec<EventHash>,
    /// Entries that name a target once more.
    pub duplicates: u64,
    /// Targets that are excluded.
    pub excluded: u64,
    /// Ids in a format that Stytch does not document.
    pub unknown_format: u64,
    /// The first lines that are invalid, and why.
    pub invalid_shown: Vec<(u64, String)>,
    /// How many there are.
    pub invalid: u64,
}

impl Scan {
    /// Reads a list. `each` is told of every 10,000 entries.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn of(
        list: &mut List,
        campaign_id: &str,
        expect: &Expectations,
        exclude: &[EventHash],
    ) -> anyhow::Result<Self> {
        let kind = list.kind();
        let mut scan = Self {
            kind,
            sorted: Vec::new(),
            duplicates: 0,
            excluded: 0,
            unknown_format: 0,
            invalid_shown: Vec::new(),
            invalid: 0,
        };
        list.read(|(line, cell)| {
            let checked = cell.and_then(|id| check(kind, id, expect));
            match checked {
                Ok((id, is_known)) => {
                    scan.unknown_format += u64::from(!is_known);
                    scan.sorted.push(EventHash::new(campaign_id, kind, id));
                }
                Err(why) => {
                    scan.invalid += 1;
                    if scan.invalid_shown.len() < INVALID_SHOWN_MAX {
                        scan.invalid_shown.push((line, why));
                    }
                }
            }
            Ok(())
        })?;
        scan.sorted.sort_unstable();
        let all = scan.sorted.len();
        scan.sorted.dedup();
        let unique = scan.sorted.len();
        scan.duplicates = (all - unique) as u64;
        if !exclude.is_empty() {
            scan.sorted
                .retain(|hash| exclude.binary_search(hash).is_err());
        }
        scan.excluded = (unique - scan.sorted.len()) as u64;
        scan.sorted.shrink_to_fit();
        Ok(scan)
    }

    /// The XOR of all hashes.
    pub fn xor(&self) -> EventHash {
        self.sorted
            .iter()
            .fold(EventHash::default(), |mut sum, hash| {
                sum.xor(*hash);
                sum
            })
    }

    /// The digest of the set.
    pub fn digest(&self) -> String {
        id::digest(self.kind, &self.sorted)
    }
}

/// An id by the rules of an event, and whether its format is known. A test id among live ones is wrong.
pub fn check<'a>(
    kind: Kind,
    id: &'a str,
    expect: &Expectations,
) -> Result<(&'a str, bool), String> {
    event::check_id(kind == Kind::User, id, expect)
        .map(|is_known| (id, is_known))
        .map_err(|problem| problem.text)
}
