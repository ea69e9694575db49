//! The proof: which of the events that a campaign's manifests ask for have an outcome that shows that
//! the target is logged out.
//!
//! An outcome counts only if its publisher is the manifest's, its event id follows from campaign, part
//! and target, and, for a user, its cutoff is not before the manifest's. A part is whole when as many
//! events are proven as it has targets and their hashes XOR to the manifest's: neither a missing one nor
//! a stranger in its place goes unseen.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    id::{EventHash, Kind},
    orders::Campaign,
    outcome::{Done, Outcome},
};

/// For so many targets the room is taken at once; more than that may be an error of the manifest.
const RESERVED_MAX: u64 = 4_000_000;

/// What one outcome came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is of another campaign, or of none.
    Other,
    /// It claims to be of this one and is not what was asked for.
    Refused(Refused),
    /// It was counted.
    Counted {
        /// The part.
        part: u32,
        /// The target.
        hash: EventHash,
        /// How the event stands now.
        done: Done,
    },
}

/// Why an outcome that names the campaign does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Its event came from another publisher.
    Publisher,
    /// Its event id does not follow from campaign, part and target.
    EventId,
    /// Its cutoff is before the manifest's: sessions in between may live.
    Cutoff,
}

/// The sums of one campaign.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// Events by how they stand, in the order of [`Done::ALL`]; the first is 0, see [`Proof::waiting`].
    pub by_done: [u64; Done::ALL.len()],
    /// Sessions of users that were revoked.
    pub sessions_revoked: u64,
    /// Sessions of users that stay alive because they are newer than the cutoff.
    pub sessions_newer: u64,
    /// Attempts that failed by an event's own fault.
    pub attempts: u64,
    /// Outcomes that name the campaign and do not count.
    pub refused: u64,
    /// The longest time from the reason to the end of an event, seconds.
    pub exposure_seconds_max: f64,
    /// When the first event ended.
    pub first_at: Option<Timestamp>,
    /// When the last event ended.
    pub last_at: Option<Timestamp>,
    /// When the last JWT that was already issued has run out.
    pub safe_at: Option<Timestamp>,
}

/// A campaign's outcomes, taken in one by one.
#[derive(Debug)]
pub struct Proof {
    id: String,
    publisher: String,
    parts: Vec<PartProof>,
    /// Sums over all parts.
    pub sums: Sums,
}

#[derive(Debug)]
struct PartProof {
    kind: Option<Kind>,
    cutoff: Timestamp,
    expected: u64,
    xor_wanted: Option<EventHash>,
    /// Two bytes beside a hash: 18 bytes each, since a million are held.
    done: HashMap<EventHash, Stand>,
    proven: u64,
    xor: EventHash,
}

#[derive(Debug, Clone, Copy)]
struct Stand {
    done: Done,
    /// Whether a list was seen to name it.
    listed: bool,
}

impl Proof {
    /// The proof of a campaign, still empty.
    pub fn new(id: &str, campaign: &Campaign) -> Self {
        // A map that grows holds itself twice for a moment.
        let reserves = campaign.expected() <= RESERVED_MAX;
        let reserved =
            |expected: u64| usize::try_from(expected).unwrap_or(0) * usize::from(reserves);
        let parts = campaign.parts.iter().map(|part| &part.manifest);
        Self {
            id: id.to_owned(),
            publisher: campaign
                .parts
                .first()
                .map_or_else(String::new, |part| part.manifest.publisher.clone()),
            parts: parts
                .map(|manifest| PartProof {
                    kind: Kind::named(&manifest.target_kind),
                    cutoff: manifest.cutoff,
                    expected: manifest.expected,
                    xor_wanted: manifest.xor(),
                    done: HashMap::with_capacity(reserved(manifest.expected)),
                    proven: 0,
                    xor: EventHash::default(),
                })
                .collect(),
            sums: Sums::default(),
        }
    }

    /// Takes in an outcome.
    pub fn take(&mut self, outcome: &Outcome<'_>) -> Taken {
        if outcome.campaign_id.as_deref() != Some(&self.id) {
            return Taken::Other;
        }
        let found = match self.judge(outcome) {
            Ok(found) => found,
            Err(why) => {
                self.sums.refused += 1;
                return Taken::Refused(why);
            }
        };
        let (part, hash, done) = found;
        let Some(of) = self.parts.get_mut(part as usize - 1) else {
            return Taken::Other; // `judge` has looked
        };
        let before = of.done.get(&hash).map(|stand| stand.done);
        self.sums.tell(outcome, before, done);
        if before.is_none_or(|before| before < done) {
            let listed = false;
            of.done.insert(hash, Stand { done, listed });
            if done.is_proof() && !before.is_some_and(Done::is_proof) {
                of.proven += 1;
                of.xor.xor(hash);
            }
        }
        let done = before.map_or(done, |before| before.max(done));
        Taken::Counted { part, hash, done }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(u32, EventHash, Done), Refused> {
        if outcome.publisher != self.publisher {
            return Err(Refused::Publisher);
        }
        let event = outcome.event_of(&self.id);
        let (part, kind, hash) = event.ok_or(Refused::EventId)?;
        let of = (part as usize)
            .checked_sub(1)
            .and_then(|index| self.parts.get(index));
        let of = of
            .filter(|of| of.kind == Some(kind))
            .ok_or(Refused::EventId)?;
        let done = outcome.done().ok_or(Refused::EventId)?;
        let covers = kind == Kind::Session || outcome.cutoff.is_some_and(|at| at >= of.cutoff);
        match done.is_proof() && !covers {
            true => Err(Refused::Cutoff),
            false => Ok((part, hash, done)),
        }
    }

    /// Events that are expected.
    pub fn expected(&self) -> u64 {
        self.parts.iter().map(|part| part.expected).sum()
    }

    /// Events whose targets are proven to be logged out.
    pub fn proven(&self) -> u64 {
        self.parts.iter().map(|part| part.proven).sum()
    }

    /// Events without any outcome.
    pub fn waiting(&self) -> u64 {
        let of = |part: &PartProof| part.expected.saturating_sub(part.done.len() as u64);
        self.parts.iter().map(of).sum()
    }

    /// Events that stand like this.
    pub fn count(&self, done: Done) -> u64 {
        match done {
            Done::Waiting => self.waiting(),
            _ => self.sums.by_done[done as usize],
        }
    }

    /// How an event stands.
    pub fn done(&self, part: u32, hash: EventHash) -> Done {
        let of = (part as usize)
            .checked_sub(1)
            .and_then(|index| self.parts.get(index));
        let stand = of.and_then(|of| of.done.get(&hash));
        stand.map_or(Done::Waiting, |stand| stand.done)
    }

    /// Takes note that a list names this target. Says whether an event of it counts and it was not noted
    /// before; `None` if none counts.
    pub fn list(&mut self, target: &str) -> Option<bool> {
        let mut is_new = None;
        for part in &mut self.parts {
            let hash = part.kind.map(|kind| EventHash::new(&self.id, kind, target));
            if let Some(stand) = hash.and_then(|hash| part.done.get_mut(&hash)) {
                is_new = Some(!stand.listed);
                stand.listed = true;
            }
        }
        is_new
    }

    /// Whether no session of the target up to this time is left, by any part; of a session, none at all.
    pub fn is_proven(&self, target: &str, up_to: Timestamp) -> bool {
        self.parts.iter().any(|part| {
            let covers = |kind: &Kind| *kind == Kind::Session || part.cutoff >= up_to;
            let hash = part.kind.filter(covers);
            let hash = hash.map(|kind| EventHash::new(&self.id, kind, target));
            let stand = hash.and_then(|hash| part.done.get(&hash));
            stand.is_some_and(|stand| stand.done.is_proof())
        })
    }

    /// Events that count and whose targets were never [noted](Self::list).
    pub fn unlisted(&self) -> u64 {
        let stands = self.parts.iter().flat_map(|part| part.done.values());
        stands.filter(|stand| !stand.listed).count() as u64
    }

    /// Whether every expected event is proven, and none in the place of another.
    pub fn is_complete(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(PartProof::is_complete)
    }

    /// Whether events are counted that no manifest has: their number or their XOR is wrong although
    /// there are enough. Only the list itself can tell which they are.
    pub fn has_strangers(&self) -> bool {
        self.parts.iter().any(PartProof::has_strangers)
    }
}

impl Refused {
    /// Why, in words.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Publisher => "its event came from another publisher",
            Self::EventId => "its event id does not follow from campaign, part and target",
            Self::Cutoff => "its cutoff is before the manifest's",
        }
    }
}

impl PartProof {
    fn is_complete(&self) -> bool {
        self.proven == self.expected && Some(self.xor) == self.xor_wanted
    }

    fn has_strangers(&self) -> bool {
        self.done.len() as u64 > self.expected
            || (self.proven == self.expected && !self.is_complete())
    }
}

impl Sums {
    fn tell(&mut self, outcome: &Outcome<'_>, before: Option<Done>, done: Done) {
        if let Some(before) = before.filter(|before| *before < done) {
            self.by_done[before as usize] -= 1;
        }
        if before.is_none_or(|before| before < done) {
            self.by_done[done as usize] += 1;
            self.sessions_newer += u64::from(outcome.sessions_newer.unwrap_or(0));
        }
        // A second pass over a user counts what the first had not done.
        self.sessions_revoked += u64::from(outcome.sessions.unwrap_or(0));
        self.attempts += u64::from(outcome.attempts);
        let exposure = outcome.exposure_seconds.unwrap_or(0.0);
        self.exposure_seconds_max = self.exposure_seconds_max.max(exposure);
        let at = outcome.completed_at;
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
        self.safe_at = self.safe_at.max(outcome.safe_at);
    }
}
