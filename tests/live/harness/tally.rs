//! What a ledger found when all was over, noted before anything is asserted of it.

use std::time::Duration;

/// What became of a ledger's events.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Confirmed by the broker.
    pub(crate) events: u64,
    /// Ids of those neither revoked nor dead-lettered.
    pub(crate) lost: Vec<String>,
    /// Dead letters, with their codes, that should not be there.
    pub(crate) wrongly_dead_lettered: Vec<String>,
    /// Revoke calls beyond the first for sessions that were revoked.
    pub(crate) calls: u64,
    /// Dead letters beyond the first of an event.
    pub(crate) dead_letters: u64,
    /// Messages still in queues.
    pub(crate) queued: u32,
    /// Ids of events without an outcome, and of outcomes without an event.
    pub(crate) untold: Vec<String>,
    /// Sessions that were called for, and nobody had asked to.
    pub(crate) unasked: Vec<String>,
    /// The longest time between two revocations.
    pub(crate) longest_gap: Duration,
}

impl Tally {
    /// What was done twice.
    pub(crate) fn duplicated(&self) -> u64 {
        self.calls + self.dead_letters
    }

    /// All but the duplicates, of which the test knows how many may be.
    ///
    /// # Panics
    /// When the ledger is not right.
    pub(crate) fn check(&self) {
        assert!(
            self.lost.is_empty(),
            "{} events are lost: {:?}",
            self.lost.len(),
            self.lost
        );
        let wrong = &self.wrongly_dead_lettered;
        assert!(wrong.is_empty(), "dead-lettered wrongly: {wrong:?}");
        assert_eq!(self.queued, 0, "events are still queued");
        assert!(self.untold.is_empty(), "no outcome: {:?}", self.untold);
        let unasked = &self.unasked;
        assert!(unasked.is_empty(), "nobody asked to revoke {unasked:?}");
    }
}
