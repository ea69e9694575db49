//! The list that a campaign was started from, beside its proof: who is missing, and who is too many.
//!
//! The list is read twice. First it is compared with the manifests, since it is the part that it belongs
//! to which says up to when a user's sessions must be gone.

use std::{collections::HashSet, io::Write, path::Path};

use anyhow::{Context, Result};

use super::{
    super::{input, scan},
    folder::Folder,
};
use crate::{
    campaign::{EventHash, Kind, Proof, evidence::Header, summary::List},
    event::{Environment, Expectations},
};

/// What is missing, as a list for another campaign.
pub(super) const MISSING: &str = "missing.csv";

/// A list as the campaign's start read it.
pub(super) struct Lists {
    list: input::List,
    excluded: HashSet<EventHash>,
    expect: Expectations,
    kind: Kind,
    campaign_id: String,
}

impl Lists {
    /// Opens the list, and the one of those who were left out.
    pub(super) fn open(path: &Path, exclude: Option<&Path>, header: &Header) -> Result<Self> {
        let first = header.parts.first().map(|part| &part.manifest);
        let kind = first.and_then(|manifest| Kind::named(&manifest.target_kind));
        let kind =
            kind.context("the campaign's targets are of a kind that this version does not know")?;
        let is_live = header.project_id.starts_with("project-live-");
        let mut lists = Self {
            list: input::List::open(path, None, Some(kind))?,
            excluded: HashSet::new(),
            expect: Expectations {
                project_id: header.project_id.clone(),
                environment: if is_live {
                    Environment::Live
                } else {
                    Environment::Test
                },
                strict_ids: false,
            },
            kind,
            campaign_id: header.campaign_id.clone(),
        };
        if let Some(path) = exclude {
            let mut excluded = HashSet::new();
            input::List::open(path, None, Some(kind))?.read(|(_, cell)| {
                excluded.extend(cell.ok().map(|id| lists.hash(id)));
                Ok(())
            })?;
            lists.excluded = excluded;
        }
        Ok(lists)
    }

    fn hash(&self, target: &str) -> EventHash {
        EventHash::new(&self.campaign_id, self.kind, target)
    }

    /// Every target that a start would have sent, with its hash.
    fn each(&mut self, mut each: impl FnMut(&str, EventHash) -> Result<()>) -> Result<()> {
        let Self {
            list,
            excluded,
            expect,
            kind,
            campaign_id,
        } = self;
        list.read(|(_, cell)| match cell {
            Ok(id) if scan::check(*kind, id, expect).is_ok() => {
                let hash = EventHash::new(campaign_id, *kind, id);
                match excluded.contains(&hash) {
                    true => Ok(()),
                    false => each(id, hash),
                }
            }
            _ => Ok(()),
        })
    }

    /// Compares, and writes those without proof.
    pub(super) fn compare(
        mut self,
        header: &Header,
        proof: &mut Proof,
        folder: &mut Folder,
    ) -> Result<List> {
        let (mut list, mut xor, mut unknown) =
            (List::default(), EventHash::default(), HashSet::new());
        self.each(|target, hash| {
            if proof.list(target).unwrap_or_else(|| unknown.insert(hash)) {
                list.targets += 1;
                xor.xor(hash);
            }
            Ok(())
        })?;
        drop(unknown);
        list.strangers = proof.unlisted();
        let manifests = || header.parts.iter().map(|part| &part.manifest);
        let is_its = |expected: u64, other| (expected, other) == (list.targets, Some(xor));
        let own = manifests().find(|manifest| is_its(manifest.expected, manifest.xor()));
        list.part = own.map(|manifest| manifest.part);
        // Of a list that no part had, only what every part asked for is enough.
        let cutoff = own.map(|manifest| manifest.cutoff);
        let up_to = cutoff.or_else(|| manifests().map(|manifest| manifest.cutoff).max());
        let up_to = up_to.context("the campaign has no part")?;

        let (mut draft, mut written) = (folder.draft(MISSING)?, HashSet::new());
        let failed = folder.failed(MISSING);
        writeln!(draft, "{}", self.kind.field()).context(failed.clone())?;
        self.each(|target, hash| {
            if !proof.is_proven(target, up_to) && written.insert(hash) {
                writeln!(draft, "{}", quoted(target)).context(failed.clone())?;
            }
            Ok(())
        })?;
        list.missing = written.len() as u64;
        folder.written(MISSING, draft)?;
        Ok(list)
    }
}

/// As a CSV field.
fn quoted(target: &str) -> String {
    match target.contains([',', '"']) {
        true => format!("\"{}\"", target.replace('"', "\"\"")),
        false => target.to_owned(),
    }
}
