//! Where a start begins: a new campaign, a further part, or where an earlier start was cut off.
//!
//! Pure: decides from the records and from what the list comes to.

use jiff::Timestamp;

use crate::campaign::orders::{Campaign, Part};

/// What a start does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning {
    /// Publishes this part from its first line.
    New(u32),
    /// Goes on with this part.
    Resume {
        /// The part.
        part: u32,
        /// Everything up to this line is published.
        line: u64,
        /// So many events.
        published: u64,
    },
    /// This part is published to its end already.
    Finished(u32),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The campaign's id.
    pub campaign_id: &'a str,
    /// The Stytch project.
    pub project_id: &'a str,
    /// The routing key.
    pub publisher: &'a str,
    /// The digest of the list's targets.
    pub digest: &'a str,
    /// The cutoff, if one is given.
    pub cutoff: Option<Timestamp>,
    /// Whether another list may be added.
    pub extend: bool,
}

/// Decides.
///
/// # Errors
/// Why it cannot be started like this, and what to do.
pub fn decide(existing: Option<&Campaign>, asked: &Asked<'_>) -> Result<Beginning, String> {
    let id = asked.campaign_id;
    let Some(campaign) = existing else {
        return Ok(Beginning::New(1));
    };
    if let Some(at) = campaign.cancelled {
        return Err(format!(
            "the campaign {id} was cancelled at {at:.0}, and a cancelled one stays so; give another --campaign"
        ));
    }
    let first = campaign.parts.first().map(|part| &part.manifest);
    if let Some(first) = first.filter(|first| first.publisher != asked.publisher) {
        return Err(format!(
            "the campaign {id} is published as {}; give --publisher {} or another --campaign",
            first.publisher, first.publisher
        ));
    }
    if let Some(first) = first.filter(|first| first.project_id != asked.project_id) {
        return Err(format!(
            "the campaign {id} is for the project {}, this start for {}; give another --campaign",
            first.project_id, asked.project_id
        ));
    }
    let same = |part: &&Part| part.manifest.digest == asked.digest;
    match campaign.parts.iter().rev().find(same) {
        Some(part) => again(part, asked),
        None if asked.extend => Ok(Beginning::New(campaign.parts.len() as u32 + 1)),
        None => Err(format!(
            "the campaign {id} exists with another list ({} targets); give --extend to add this list to it, \
             or another --campaign",
            campaign.expected()
        )),
    }
}

fn again(part: &Part, asked: &Asked<'_>) -> Result<Beginning, String> {
    let manifest = &part.manifest;
    if let Some(cutoff) = asked.cutoff.filter(|cutoff| *cutoff != manifest.cutoff) {
        return Err(format!(
            "this list was begun with the cutoff {}, not {cutoff}; leave --cutoff out to go on with it, \
             or give another --campaign",
            manifest.cutoff
        ));
    }
    let number = manifest.part;
    Ok(match &part.published {
        Some(point) if point.done => Beginning::Finished(number),
        Some(point) => Beginning::Resume {
            part: number,
            line: point.line,
            published: point.published,
        },
        None => Beginning::Resume {
            part: number,
            line: 0,
            published: 0,
        },
    })
}
