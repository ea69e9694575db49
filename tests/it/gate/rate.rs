//! The pacer alone: what a 429 is taken for, told as short stories. How well it does is measured in `gate_sim`.

use std::time::Duration;

use revoker::{
    event::Lane::{self, Bulk, Urgent},
    gate::{
        Moment,
        rate::{Pacer, Ready, Refusal, Suspicion, Ticket},
    },
};

/// A pacer with its time and its dice.
pub(super) struct Story {
    pub(super) pacer: Pacer,
    pub(super) now: Duration,
    rng: fastrand::Rng,
}

impl Story {
    fn new() -> Self {
        Self::of(Pacer::new(400.0, None))
    }

    pub(super) fn of(pacer: Pacer) -> Self {
        Self {
            pacer,
            now: Duration::from_secs(100),
            rng: fastrand::Rng::with_seed(1),
        }
    }

    /// A pacer that has got this many calls through, 100 a second where 400 may go, and knows no limit.
    pub(super) fn after(calls: u32) -> Self {
        let mut story = Self::new();
        for _ in 0..calls {
            story.pass();
        }
        story
    }

    fn at(&self) -> Moment {
        Moment {
            now: self.now,
            second_of_minute: 20.0,
        }
    }

    /// Sends a call as soon as the pace lets it.
    pub(super) fn send(&mut self) -> Ticket {
        match self.pacer.ready(Bulk, self.now) {
            Ready::Now => {}
            Ready::At(at) => self.now = at,
            Ready::AfterAnswer => panic!("nothing goes before an answer"),
        }
        let ticket = self.pacer.sent(Bulk, self.now);
        self.now += Duration::from_millis(10);
        ticket
    }

    pub(super) fn accept(&mut self, ticket: Ticket, message: &mut Suspicion) {
        self.pacer.answered(ticket, message, self.at());
    }

    pub(super) fn refuse(
        &mut self,
        ticket: Ticket,
        message: &mut Suspicion,
    ) -> (Refusal, Option<Duration>) {
        let at = self.at();
        self.pacer.limited(ticket, message, None, at, &mut self.rng)
    }

    /// Another message gets through.
    fn pass(&mut self) {
        let ticket = self.send();
        self.accept(ticket, &mut Suspicion::default());
    }

    pub(super) fn rate(&self) -> f64 {
        self.pacer.rate(self.now)
    }
}

#[test]
fn a_429_of_a_call_sent_before_the_last_one_is_no_news() {
    let mut story = Story::after(50);
    let [first, second] = [story.send(), story.send()];
    let (refusal, hold) = story.refuse(first, &mut Suspicion::default());
    assert_eq!(refusal, Refusal::Front);
    assert!(hold.is_some());
    let rate = story.rate();
    let stale = story.refuse(second, &mut Suspicion::default());
    assert_eq!(stale, (Refusal::Front, None));
    assert_eq!(story.rate(), rate);
}

/// A message that is refused again while another gets through was alone at fault: as if nothing had been.
#[test]
fn the_cut_of_one_suspect_is_undone() {
    for another_refused in [false, true] {
        let mut story = Story::after(200);
        let before = story.rate();
        let mut suspect = Suspicion::default();
        let [ticket, other] = [story.send(), story.send()];
        story.refuse(ticket, &mut suspect);
        if another_refused {
            // Stale, and evidence all the same.
            story.refuse(other, &mut Suspicion::default());
        }
        assert!(story.rate() < 0.9 * before);
        story.pass();
        let ticket = story.send();
        let (refusal, _) = story.refuse(ticket, &mut suspect);
        assert!(matches!(refusal, Refusal::Aside(_)));
        let undone = story.rate() > 0.9 * before;
        assert_eq!(undone, !another_refused, "{} of {before}", story.rate());
    }
}

#[test]
fn an_undone_cut_is_made_again_if_its_suspect_gets_through() {
    let mut story = Story::after(200);
    let before = story.rate();
    let mut suspect = Suspicion::default();
    let ticket = story.send();
    story.refuse(ticket, &mut suspect);
    story.pass();
    let ticket = story.send();
    story.refuse(ticket, &mut suspect);
    assert!(story.rate() > 0.9 * before, "undone");
    let ticket = story.send();
    story.accept(ticket, &mut suspect);
    assert!(story.rate() < 0.9 * before, "it was the rate after all");
    assert_eq!(suspect, Suspicion::default());
}

/// From the third in a row on a 429 is no news; with enough successes of others it is the target's own.
#[test]
fn the_third_429_is_its_own_when_others_get_through() {
    for (passed, own) in [(1, false), (30, true)] {
        let mut story = Story::after(50);
        let mut suspect = Suspicion::default();
        for _ in 0..2 {
            let ticket = story.send();
            story.refuse(ticket, &mut suspect);
            story.pass();
        }
        assert!(suspect.is_suspect());
        // One 429 that nobody explains: twenty successes must speak against it.
        let ticket = story.send();
        story.refuse(ticket, &mut Suspicion::default());
        for _ in 0..passed {
            story.pass();
        }
        assert!(story.pacer.lets_suspect_go(suspect.refused_at()));
        let ticket = story.send();
        let rate = story.rate();
        let (refusal, hold) = story.refuse(ticket, &mut suspect);
        assert_eq!((refusal == Refusal::Own, hold), (own, None));
        assert_eq!(story.rate(), rate);
    }
}

#[test]
fn a_suspect_waits_until_others_got_through() {
    let mut story = Story::after(50);
    let mut suspect = Suspicion::default();
    for _ in 0..2 {
        let ticket = story.send();
        story.refuse(ticket, &mut suspect);
    }
    assert!(!story.pacer.lets_suspect_go(suspect.refused_at()));
    story.pass();
    assert!(story.pacer.lets_suspect_go(suspect.refused_at()));
}

#[test]
fn a_hold_doubles_up_to_five_seconds() {
    let mut story = Story::after(50);
    let mut holds = Vec::new();
    for _ in 0..15 {
        let ticket = story.send();
        let (_, hold) = story.refuse(ticket, &mut Suspicion::default());
        holds.push(hold.expect("it is news").as_secs_f64());
    }
    assert!(holds[0] < 0.05 && holds[8] > 2.0, "{holds:?}");
    assert!(holds.iter().all(|hold| *hold <= 6.0), "{holds:?}");
}

#[test]
fn a_hold_near_the_end_of_a_minute_waits_for_it() {
    let mut story = Story::after(50);
    let mut hold = None;
    for second in [50.0, 51.0, 52.0, 53.0, 54.0, 55.0, 56.0, 57.0, 58.0] {
        let ticket = story.send();
        let at = Moment {
            now: story.now,
            second_of_minute: second,
        };
        let mut message = Suspicion::default();
        let rng = &mut story.rng;
        hold = story.pacer.limited(ticket, &mut message, None, at, rng).1;
        story.now += Duration::from_secs(1);
    }
    let hold = hold.expect("it is news").as_secs_f64();
    assert!((2.05..=2.3).contains(&hold), "{hold}");
}

#[test]
fn urgent_passes_a_hold_by_twice_and_then_in_measure() {
    let mut story = Story::after(50);
    let ticket = story.send();
    let at = story.at();
    let wait = Some(Duration::from_secs(60));
    let (refusal, hold) =
        story
            .pacer
            .limited(ticket, &mut Suspicion::default(), wait, at, &mut story.rng);
    assert!(matches!(refusal, Refusal::Aside(aside) if Some(aside) == wait));
    assert!(hold >= wait);
    let ready = |story: &Story, lane: Lane| story.pacer.ready(lane, story.now);
    assert!(matches!(ready(&story, Bulk), Ready::At(_)));
    let mut went = 0;
    let until = story.now + Duration::from_secs(10);
    while story.now < until {
        match ready(&story, Urgent) {
            Ready::Now => {
                let ticket = story.pacer.sent(Urgent, story.now);
                story.accept(ticket, &mut Suspicion::default());
                went += 1;
            }
            Ready::At(at) => story.now = at,
            Ready::AfterAnswer => panic!("no call is on the wire"),
        }
    }
    assert!((75..=83).contains(&went), "{went} in 10 s");
}

/// A wait that nobody can mean holds all calls and its own message for some minutes at most.
#[test]
fn a_retry_after_is_believed_up_to_five_minutes() {
    let believed = Duration::from_secs(300);
    for seconds in [0, 1, 2, 300, 99_999_999, u64::from(u32::MAX), u64::MAX] {
        let mut story = Story::after(50);
        let (ticket, mut message) = (story.send(), Suspicion::default());
        let (at, wait) = (story.at(), Some(Duration::from_secs(seconds)));
        let pacer = &mut story.pacer;
        let (refusal, hold) = pacer.limited(ticket, &mut message, wait, at, &mut story.rng);
        let hold = hold.expect("it is news");
        let spread = Duration::from_secs(1);
        assert!(hold <= believed + spread, "{hold:?} for {seconds} s");
        if let Refusal::Aside(wait) = refusal {
            assert!(wait <= believed + spread, "{wait:?} for {seconds} s");
        }
        story.now += hold;
        assert_eq!(story.pacer.ready(Bulk, story.now), Ready::Now);
    }
}

/// What is told of the rate, and how much work is taken ahead for it, must not grow while nobody calls: it
/// has stood at tens of thousands a second after a quiet minute, and the next call brought it back.
#[test]
fn the_rate_stands_still_while_nobody_calls() {
    let mut story = Story::after(50);
    let before = story.rate();
    story.now += Duration::from_secs(60);
    assert!(story.rate() <= before, "{} after {before}", story.rate());
    story.send();
    let after = story.rate();
    assert!(
        (before..before * 1.1).contains(&after),
        "{after} after {before}"
    );
}
