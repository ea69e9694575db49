//! A campaign as its records and outcomes show it, caught up with and then followed.
//!
//! Everything is read from the streams, so that it can be taken up at any time on any machine.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::{
    broker::{
        self,
        stream::{Entry, Stream, Tail},
    },
    campaign::{Orders, Outcome, Proof, Record, WorkerState, estimate::Pace, orders::Campaign},
    cli::Failure,
};

use super::read;

/// First wait before a stream is opened again; doubles up to [`AGAIN_MAX`].
const AGAIN_FIRST: Duration = Duration::from_secs(1);
/// Longest wait before a stream is opened again.
const AGAIN_MAX: Duration = Duration::from_secs(15);
/// How long the broker may be away for one who has begun.
const PATIENCE: Duration = Duration::from_secs(120);
/// Workers that are remembered at most.
const WORKERS_MAX: usize = 1_000;

/// A campaign being followed.
pub struct Follower {
    settings: broker::Settings,
    id: String,
    orders: Orders,
    control: Tail,
    audit: Tail,
    control_read: Option<u64>,
    told: Told,
    /// How fast it goes.
    pub pace: Pace,
    /// Since when the outcomes are there, if some of the campaign's may be gone.
    pub trimmed: Option<Trimmed>,
    began: Instant,
}

/// Why the evidence may lack outcomes of the campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trimmed {
    /// The stream keeps less: the first outcome that is left ended at this time, if it tells.
    Since(Option<Timestamp>),
    /// The stream was deleted and made anew since the campaign began.
    MadeAnew,
}

/// What the outcomes tell.
struct Told {
    proof: Proof,
    workers: BTreeMap<String, WorkerState>,
    /// The entry with the lowest offset, and when its event ended.
    first: Option<(u64, Option<Timestamp>)>,
    /// The highest offset.
    last: Option<u64>,
}

impl Told {
    fn take(&mut self, entry: &Entry) {
        self.last = self.last.max(Some(entry.offset));
        let outcome = Outcome::read(&entry.body);
        if self.first.is_none_or(|(first, _)| entry.offset < first) {
            let at = outcome.as_ref().map(|outcome| outcome.completed_at);
            self.first = Some((entry.offset, at));
        }
        match outcome {
            Some(outcome) => drop(self.proof.take(&outcome)),
            None => {
                let state = WorkerState::read(&entry.body);
                let has_room = self.workers.len() < WORKERS_MAX;
                let state =
                    state.filter(|state| has_room || self.workers.contains_key(&state.worker));
                if let Some(state) = state {
                    let known = self.workers.get(&state.worker);
                    if known.is_none_or(|known| known.at <= state.at) {
                        self.workers.insert(state.worker.clone(), state);
                    }
                }
            }
        }
    }
}

/// Whether outcomes of the campaign may be gone. Offsets have holes, where the broker notes how far its
/// readers are: only what lies before the oldest entry that is left is lost.
async fn trimmed(
    settings: &broker::Settings,
    from: u64,
    end: Option<u64>,
    first: Option<(u64, Option<Timestamp>)>,
) -> Result<Option<Trimmed>, Failure> {
    if made_anew(from, end) {
        return Ok(Some(Trimmed::MadeAnew));
    }
    let Some((_, at)) = first.filter(|(offset, _)| *offset > from) else {
        return Ok(None);
    };
    let oldest = read::oldest(settings, Stream::Audit).await?;
    Ok((oldest > Some(from)).then_some(Trimmed::Since(at)))
}

impl Follower {
    /// Opens the streams and takes in all that is there.
    ///
    /// # Errors
    /// When there is no such campaign or the broker cannot be used.
    pub async fn open(settings: &broker::Settings, id: &str) -> Result<Self, Failure> {
        let (orders, control_read) = read::orders(settings, |_, _| {}).await?;
        let campaign = orders.campaign(id).ok_or_else(|| unknown(id))?;
        let from = first_offset(campaign);
        let mut told = Told {
            proof: Proof::new(id, campaign),
            workers: BTreeMap::new(),
            first: None,
            last: None,
        };
        let take = |entry: Entry| told.take(&entry);
        let end = read::to_end_in_no_order(settings, Stream::Audit, from, take).await?;
        let trimmed = trimmed(settings, from, end, told.first).await?;
        let audit_from = told.last.map_or(from, |last| last + 1);
        let control_from = control_read.map_or(0, |last| last + 1);
        let mut follower = Self {
            audit: read::follow(settings, Stream::Audit, audit_from).await?,
            control: read::follow(settings, Stream::Control, control_from).await?,
            settings: settings.clone(),
            id: id.to_owned(),
            orders,
            control_read,
            told,
            pace: Pace::default(),
            trimmed,
            began: Instant::now(),
        };
        follower.look();
        Ok(follower)
    }

    /// As [`Follower::open`], for one who has to go on: a broker that is away is waited for. `told` hears why.
    ///
    /// # Errors
    /// As [`Follower::open`], when it has been away for too long.
    pub async fn open_patiently(
        settings: &broker::Settings,
        id: &str,
        mut told: impl FnMut(&str),
    ) -> Result<Self, Failure> {
        let (until, mut again) = (Instant::now() + PATIENCE, AGAIN_FIRST);
        loop {
            match Self::open(settings, id).await {
                Err(Failure::Unavailable(error) | Failure::Failed(error))
                    if Instant::now() < until =>
                {
                    told(&format!("{error:#}; trying again in {} s", again.as_secs()));
                }
                opened => return opened,
            }
            sleep(again.mul_f64(1.0 + fastrand::f64() / 2.0)).await;
            again = (again * 2).min(AGAIN_MAX);
        }
    }

    /// What is proven.
    pub fn proof(&self) -> &Proof {
        &self.told.proof
    }

    /// What each worker said of itself last.
    pub fn workers(&self) -> &BTreeMap<String, WorkerState> {
        &self.told.workers
    }

    /// The campaign's records.
    pub fn campaign(&self) -> &Campaign {
        // Records never leave the orders but with ten thousand newer campaigns.
        static GONE: std::sync::LazyLock<Campaign> = std::sync::LazyLock::new(Campaign::default);
        self.orders.campaign(&self.id).unwrap_or(&GONE)
    }

    /// Since when all of bulk is held.
    pub fn bulk_held(&self) -> Option<Timestamp> {
        self.orders.bulk_held
    }

    /// Takes in what comes for so long. Lost connections are made again, and what was read is not read
    /// twice; `told` hears why.
    ///
    /// # Errors
    /// When the campaign has got a further part: open it anew.
    pub async fn listen(&mut self, span: Duration, mut told: impl FnMut(&str)) -> Turn {
        let over = sleep(span);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => {
                    self.look();
                    return Turn::Same;
                }
                entry = self.audit.next() => match entry {
                    Ok(entry) => self.told.take(&entry),
                    Err(error) => self.open_again(&error, &mut told).await,
                },
                entry = self.control.next() => match entry {
                    Ok(entry) => if self.obey(&entry) == Turn::Extended {
                        return Turn::Extended;
                    },
                    Err(error) => self.open_again(&error, &mut told).await,
                },
            }
        }
    }

    fn look(&mut self) {
        self.pace
            .seen(self.began.elapsed(), self.told.proof.proven());
    }

    fn obey(&mut self, entry: &Entry) -> Turn {
        if Some(entry.offset) <= self.control_read {
            return Turn::Same;
        }
        self.control_read = Some(entry.offset);
        let parts = self.campaign().parts.len();
        if let Some(record) = Record::read(&entry.body) {
            self.orders.take(record);
        }
        match self.campaign().parts.len() > parts {
            true => Turn::Extended,
            false => Turn::Same,
        }
    }

    /// Opens both streams again, where they were, for as long as it takes.
    async fn open_again(&mut self, error: &broker::Error, told: &mut impl FnMut(&str)) {
        let (mut again, mut why) = (AGAIN_FIRST, error.to_string());
        loop {
            told(&format!("{why}; trying again in {} s", again.as_secs()));
            sleep(again.mul_f64(1.0 + fastrand::f64() / 2.0)).await;
            again = (again * 2).min(AGAIN_MAX);
            let audit_from = self
                .told
                .last
                .map_or_else(|| first_offset(self.campaign()), |at| at + 1);
            let control_from = self.control_read.map_or(0, |at| at + 1);
            let audit = Tail::follow(&self.settings, Stream::Audit, audit_from).await;
            let control = Tail::follow(&self.settings, Stream::Control, control_from).await;
            match (audit, control) {
                (Ok(audit), Ok(control)) => {
                    (self.audit, self.control) = (audit, control);
                    return;
                }
                (Err(error), _) | (_, Err(error)) => why = error.to_string(),
            }
        }
    }
}

/// What became of the campaign meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It has the parts that it had.
    Same,
    /// It has got one more.
    Extended,
}

fn first_offset(campaign: &Campaign) -> u64 {
    campaign
        .parts
        .first()
        .map_or(0, |part| part.manifest.audit_offset)
}

/// Whether the stream ends before the place where the campaign's first outcome may stand at the earliest.
fn made_anew(from: u64, end: Option<u64>) -> bool {
    end.map_or(0, |end| end + 1) < from
}

fn unknown(id: &str) -> Failure {
    Failure::Failed(anyhow::anyhow!(
        "there is no campaign {id} under this prefix; campaign list shows those there are"
    ))
}
