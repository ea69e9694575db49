//! What the pacer learns from how long it was refused, and how it begins.

use std::time::Duration;

use revoker::{
    event::Lane::Bulk,
    gate::rate::{Pacer, Ready, Suspicion},
};

use super::rate::Story;

/// At a low rate a call too many costs little; at a high one many are on the wire before a 429 is heard.
#[test]
fn the_start_is_in_haste_while_the_rate_is_low() {
    let mut story = Story::of(Pacer::new(20.0, None));
    let growth = story.growth_in(1.0);
    assert!((3.5..=4.5).contains(&growth), "{growth} at 20 a second");
    story.growth_in(2.0);
    let growth = story.growth_in(1.0);
    assert!((1.9..=2.1).contains(&growth), "{growth} at more than 400");
}

/// What comes back from an outage is not to be met with a storm.
#[test]
fn after_an_outage_it_begins_without_haste() {
    let mut story = Story::of(Pacer::new(20.0, None));
    story.pacer.reopened(story.now);
    let growth = story.growth_in(1.0);
    assert!((1.9..=2.2).contains(&growth), "{growth}");
}

impl Story {
    /// Everything is refused for so long; then the next call gets through, whenever it goes.
    fn block(&mut self, seconds: f64) {
        let mut message = Suspicion::default();
        let began = self.now;
        let mut ticket = self.send();
        while self.now < began + Duration::from_secs_f64(seconds) {
            self.refuse(ticket, &mut message);
            message = Suspicion::default();
            ticket = self.send();
        }
        self.accept(ticket, &mut message);
    }

    /// How many times its rate has become what it was after so long at full pace without a 429.
    fn growth_in(&mut self, seconds: f64) -> f64 {
        let (until, before) = (self.now + Duration::from_secs_f64(seconds), self.rate());
        while self.now < until {
            if let Ready::At(at) = self.pacer.ready(Bulk, self.now) {
                self.now = at;
            }
            let ticket = self.pacer.sent(Bulk, self.now);
            self.accept(ticket, &mut Suspicion::default());
        }
        self.rate() / before
    }
}

/// Holds double, so a window of a second may be seen open again only after 2.5 s: it is no quota for that.
#[test]
fn a_block_that_was_noticed_late_is_no_quotas() {
    for (seconds, is_quota) in [(1.253, false), (3.0, true)] {
        let mut story = Story::after(2000);
        story.block(seconds);
        let growth = story.growth_in(20.0);
        assert_eq!(growth < 1.5, is_quota, "{seconds} s: {growth:.2}");
    }
}

/// What was taken for a quota and blocks again soon, and for a moment, is none.
#[test]
fn a_quota_that_blocks_again_soon_is_none() {
    for (after, is_quota) in [(30.0, true), (2.0, false)] {
        let mut story = Story::after(2000);
        story.block(3.0);
        story.growth_in(after);
        story.block(0.9);
        let growth = story.growth_in(20.0);
        assert_eq!(growth < 1.5, is_quota, "after {after} s: {growth:.2}");
    }
}
