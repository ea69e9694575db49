//! What the operator has ordered, as far as it is read: to its end before bulk goes, and followed from then on.
//!
//! Not what a record means, which `campaign` decides, nor how it is read and obeyed: see `follow` and `obey`.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::{
    broker::stream::Entry,
    campaign::{self, Order, Orders, Record, Standing},
    event::Lane,
    telemetry::metrics,
};

/// First wait before the stream is tried again; doubles up to [`AGAIN_MAX`]. Longer by up to a half, so
/// that workers do not come in step.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
/// Longest wait before the stream is tried again.
const AGAIN_MAX: Duration = Duration::from_secs(30);

/// The operator's orders, as far as they are read. Shared by all messages of a worker.
#[derive(Debug)]
pub struct Obeyed(watch::Sender<Known>);

/// The stream is not the one that was read before: it is read from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Another;

/// What is known of the orders.
#[derive(Debug, Default)]
pub(super) struct Known {
    orders: Orders,
    /// Whether they were read to their end, and are followed since.
    whole: bool,
    /// The end as it was when this reading began.
    end: Option<u64>,
    /// The last entry that was taken in, and the digest of its body.
    last: Option<(u64, [u8; 32])>,
    /// Whether reading begins again at that entry, which shows that it is the same stream.
    resumes: bool,
    /// Readings in a row that did not come to the end.
    vain: u32,
    /// Records that were not understood.
    skipped: u64,
    /// That the stream cannot be read, and when it is tried again.
    trouble: Option<Option<Timestamp>>,
}

impl Default for Obeyed {
    /// Nothing is read yet: bulk waits.
    fn default() -> Self {
        Self(watch::Sender::new(Known::default()))
    }
}

impl Obeyed {
    /// Reading is tried: until it comes to the end, this counts as in vain.
    pub(super) fn try_to_read(&self) {
        self.0.send_modify(|known| known.vain += 1);
    }

    /// A reading of the stream begins, whose last entry has this offset. Says from which offset to read,
    /// and whether there is nothing to wait for.
    pub fn begin(&self, end: Option<u64>) -> (u64, bool) {
        let mut begun = (0, false);
        self.0.send_modify(|known| begun = known.begin(end));
        begun
    }

    /// Takes in the next entry; true once all is read that was there when the reading began.
    ///
    /// # Errors
    /// [`Another`], at the first entry of a reading.
    pub fn take(&self, entry: &Entry) -> Result<bool, Another> {
        let mut taken = Ok(false);
        self.0.send_if_modified(|known| {
            let was_whole = known.whole;
            taken = known.take(entry);
            // Until all is read, nobody is woken for a part of it.
            was_whole || known.whole
        });
        taken
    }

    /// The stream cannot be read, and is tried again at that time.
    pub fn lost(&self, next_try: Option<Timestamp>) {
        self.0.send_modify(|known| {
            known.whole = false;
            known.trouble = Some(next_try);
        });
    }

    /// Whether events of this lane go at all, as far as the operator is concerned.
    pub fn lets_go(&self, lane: Lane) -> bool {
        lane == Lane::Urgent || self.0.borrow().lets_bulk_go()
    }

    /// Whether all of bulk is held by order.
    pub(super) fn holds_bulk(&self) -> bool {
        self.0.borrow().orders.bulk_held.is_some()
    }

    /// The newest campaigns, at most so many, and how many targets all others have; `None` until all is read.
    pub(super) fn newest(&self, most: usize) -> Option<(Vec<metrics::Campaign>, u64)> {
        let known = self.0.borrow();
        let orders = known.whole.then_some(&known.orders)?;
        let shown = |(id, campaign): (&str, &campaign::orders::Campaign)| {
            let publisher = campaign.parts.first()?.manifest.publisher.clone();
            campaign::is_id(id).then(|| metrics::Campaign {
                id: id.to_owned(),
                publisher,
                expected: campaign.expected(),
            })
        };
        let newest: Vec<_> = orders.newest(most).into_iter().filter_map(shown).collect();
        let sum = |expected: u64, more: u64| expected.saturating_add(more);
        let of_newest = newest.iter().map(|campaign| campaign.expected).fold(0, sum);
        let all = orders.campaigns().map(|(_, campaign)| campaign.expected());
        let of_all = all.fold(0, sum);
        Some((newest, of_all.saturating_sub(of_newest)))
    }

    /// That the stream cannot be read, and when it is tried again, if so.
    pub(super) fn unread(&self) -> Option<Option<Timestamp>> {
        self.0.borrow().trouble
    }

    /// What changes, and what is known now.
    pub(super) fn changes(&self) -> watch::Receiver<Known> {
        self.0.subscribe()
    }

    /// How long to wait before the next reading.
    pub(super) fn wait(&self) -> Duration {
        let vain = self.0.borrow().vain;
        let doubled = |times: u32| AGAIN_FIRST.saturating_mul(2_u32.saturating_pow(times));
        let again = vain
            .checked_sub(1)
            .map_or(Duration::ZERO, |times| doubled(times).min(AGAIN_MAX));
        again.mul_f64(1.0 + fastrand::f64() / 2.0)
    }
}

impl Known {
    fn begin(&mut self, end: Option<u64>) -> (u64, bool) {
        let last = self.last.map(|(offset, _)| offset);
        self.end = end;
        match last {
            Some(last) if end >= Some(last) => {
                self.resumes = true;
                (last, false)
            }
            Some(_) => {
                // Only a stream that is another one has less in it. It is believed when its own end is
                // found a second time: a busy broker may have been slow to give out the first.
                self.forget();
                self.end = last;
                (0, false)
            }
            None if end.is_none() => {
                self.reached();
                (0, true)
            }
            None => (0, false),
        }
    }

    fn forget(&mut self) {
        tracing::warn!(
            next = "read from its beginning; bulk waits",
            "the operator's stream is another one than before: was it deleted?"
        );
        *self = Self {
            vain: self.vain,
            trouble: self.trouble,
            ..Self::default()
        };
    }

    fn take(&mut self, entry: &Entry) -> Result<bool, Another> {
        let this = (entry.offset, Sha256::digest(&entry.body).into());
        if std::mem::take(&mut self.resumes) {
            if self.last != Some(this) {
                self.forget();
                return Err(Another);
            }
        } else {
            self.last = Some(this);
            match Record::read(&entry.body) {
                Some(record) => self.obey(record),
                None => self.skip(entry.offset),
            }
        }
        let reached = Some(entry.offset) >= self.end;
        if reached {
            self.reached();
        }
        Ok(reached)
    }

    fn obey(&mut self, record: Record) {
        if self.whole {
            tell(&record);
        }
        self.orders.take(record);
    }

    /// One line for all: a newer worker may write many.
    fn skip(&mut self, offset: u64) {
        self.skipped += 1;
        if self.skipped == 1 {
            tracing::warn!(
                offset,
                next = "it is skipped, as others like it will be",
                "a record in the operator's stream is not understood: was it written by a newer version?"
            );
        }
    }

    fn reached(&mut self) {
        self.vain = 0;
        if self.whole {
            return;
        }
        (self.whole, self.trouble) = (true, None);
        let campaigns = || self.orders.campaigns().map(|(_, campaign)| campaign);
        tracing::info!(
            campaigns = campaigns().count(),
            paused = campaigns().filter(|c| c.paused.is_some()).count(),
            cancelled = campaigns().filter(|c| c.cancelled.is_some()).count(),
            bulk_held = self.orders.bulk_held.is_some(),
            skipped = self.skipped,
            "the operator's stream is read to its end: bulk goes as it says"
        );
    }

    const fn lets_bulk_go(&self) -> bool {
        self.whole && self.orders.bulk_held.is_none()
    }

    /// What shall become of a bulk event; `None`: it waits.
    pub(super) fn standing(&self, publisher: &str, campaign_id: Option<&str>) -> Option<Standing> {
        self.lets_bulk_go()
            .then(|| self.orders.standing(Lane::Bulk, publisher, campaign_id))
    }
}

/// One line for an order that changes what becomes of events.
fn tell(record: &Record) {
    let next = match &record.order {
        Order::CampaignPaused(_) => "its events wait",
        Order::CampaignResumed(_) => "its events go on",
        Order::CampaignCancelled(_) => "its events end without a call",
        Order::BulkHeld => "bulk waits",
        Order::BulkReleased => "bulk goes on",
        _ => return,
    };
    let (order, campaign_id) = record.order.words();
    tracing::info!(order, campaign_id, by = record.by, next, "ordered");
}
