//! What the pacer makes of an answer.

use std::time::Duration;

use super::{
    Limit, Moment, Pacer, Phase, Seconds, Suspicion, Ticket, duration, episode::LONG,
    suspicion::Counted,
};

/// Longest `Retry-After` that is believed: past it one call asks again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// Blocks shorter than this say nothing about the rate beyond their cut.
const BLOCK_TELLS: Seconds = 0.5;
/// A quota that is seen open in the first seconds of the wall clock's minute is taken for one of a minute.
const EDGE_SEEN: Seconds = 6.0;
/// The window of such a quota.
const MINUTE: Seconds = 60.0;
/// A quota that blocks again so soon, and for a moment only, is none.
const CYCLE_MIN: Seconds = 10.0;
/// Fewer accepted calls before a long block tell nothing of a quota's size.
const TELLING: u64 = 20;
/// Shortest time over which a rate is measured.
const MEASURED_MIN: Seconds = 0.2;

/// A `Retry-After` up to this does not send its message aside.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What became of a message that was answered 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is news about the rate: it goes first when the way is free.
    Front,
    /// Others find out first; it waits so long.
    Aside(Duration),
    /// The 429 is its target's own: a failed attempt.
    Own,
}

impl Pacer {
    /// A final answer: the call did its work, or never will.
    pub fn answered(&mut self, ticket: Ticket, message: &mut Suspicion, at: Moment) {
        self.successes += 1;
        self.resolve_doubt(message, at.now.as_secs_f64());
        self.accepted(ticket, message, at);
        self.episode.cleared(message);
        *message = Suspicion::default();
    }

    /// An answer that used up the limit, but did not do the message's work: a 5xx.
    pub fn accepted(&mut self, ticket: Ticket, message: &Suspicion, at: Moment) {
        let now = at.now.as_secs_f64();
        self.ended(ticket, now);
        if ticket.bypass {
            self.bypass.accepted();
        }
        self.accepted.add(now);
        self.cycle.1 += 1;
        let newest = self.newest_accepted.unwrap_or(ticket.sent_at);
        self.newest_accepted = Some(newest.max(ticket.sent_at));
        if ticket.epoch != self.epoch || !self.episode.is_open() {
            return;
        }
        let block = now - self.episode.began;
        if self.episode.is_of_suspect() && !self.episode.is_by(message) {
            self.undo(now);
        } else if self.episode.strikes >= 2 || block > LONG {
            self.learn_from(block, at);
        }
        self.episode.strikes = 0;
    }

    /// No answer came.
    pub fn unanswered(&mut self, ticket: Ticket, now: Duration, rng: &mut fastrand::Rng) {
        self.ended(ticket, now.as_secs_f64());
        self.bypass_refused(ticket, now.as_secs_f64(), rng);
    }

    /// A 429, with the wait it asked for, if any. The second value is the hold that begins for all.
    pub fn limited(
        &mut self,
        ticket: Ticket,
        message: &mut Suspicion,
        retry_after: Option<Duration>,
        at: Moment,
        rng: &mut fastrand::Rng,
    ) -> (Refusal, Option<Duration>) {
        self.ended(ticket, at.now.as_secs_f64());
        self.bypass_refused(ticket, at.now.as_secs_f64(), rng);
        if message.id == 0 {
            self.ids += 1;
            message.id = self.ids;
        }
        message.refused_in_row = message.refused_in_row.saturating_add(1);
        let others_pass = self.passed_since(message.refused_at);
        let contradicted = message.is_contradicted(self.counted());
        message.refused_at = at.now;
        let retry_after = retry_after.map(|wait| wait.min(RETRY_AFTER_MAX));
        let aside = |message: &Suspicion, rng: &mut fastrand::Rng| {
            let wait = message.aside(ticket.lane, rng.f64());
            Refusal::Aside(wait.max(retry_after.unwrap_or_default()))
        };
        let no_episode = !self.episode.is_open();
        if message.refused_in_row > 2 && others_pass && (no_episode || ticket.epoch != self.epoch) {
            self.doubt = self.doubt.filter(|(id, _)| *id != message.id);
            if !contradicted {
                return (aside(message, rng), None);
            }
            message.judged(self.counted());
            return (Refusal::Own, None);
        }
        if message.refused_in_row == 2
            && others_pass
            && no_episode
            && self.episode.is_by(message)
            && self.episode.is_of_one()
        {
            self.undo(at.now.as_secs_f64());
            message.judged(self.counted());
            return (aside(message, rng), None);
        }
        if message.refused_in_row == 1 {
            self.unexplained += 1;
        }
        message.judged(self.counted());
        let hold = self.strike(ticket, message, retry_after, at, rng);
        let refusal = if message.is_suspect() || retry_after > Some(AT_ONCE) {
            aside(message, rng)
        } else {
            Refusal::Front
        };
        (refusal, hold)
    }

    /// A 429 that may be news about the rate. Returns the hold that it begins, if it is.
    fn strike(
        &mut self,
        ticket: Ticket,
        message: &Suspicion,
        retry_after: Option<Duration>,
        at: Moment,
        rng: &mut fastrand::Rng,
    ) -> Option<Duration> {
        let now = at.now.as_secs_f64();
        let into_hold = ticket.bypass && self.episode.is_open() && now < self.hold_until;
        if ticket.epoch != self.epoch || into_hold {
            self.episode.refused(message); // no news, but evidence
            return None;
        }
        self.next_epoch();
        let rate = self.curve.rate(now);
        if self.episode.is_open() {
            self.episode.refused(message);
        } else {
            self.cut(message, rate, now);
        }
        self.episode.shut(ticket.sent_at);
        let culprit_again = self.episode.strikes == 1
            && self.episode.is_by(message)
            && message.refused_in_row == 2
            && self.episode.is_of_one();
        if !culprit_again {
            self.episode.strikes += 1; // else the next message goes at the plain pace
        }
        let retry_after = retry_after.map(|wait| wait.as_secs_f64());
        let mut hold = self.episode.hold(rate, retry_after, spread(rng), rng.f64());
        if retry_after.is_none() {
            hold = self
                .episode
                .to_edge(hold, now, at.second_of_minute, rng.f64());
        }
        self.hold_until = now + hold;
        self.next_at = self.hold_until;
        self.curve.run_from(self.hold_until);
        Some(duration(hold))
    }

    fn cut(&mut self, message: &Suspicion, rate: f64, now: Seconds) {
        self.episode.open(message, self.curve, now);
        let window = match self.curve.phase {
            Phase::Start => 1.0,
            Phase::Ramp | Phase::Run => (8.0 / rate).clamp(1.0, 10.0),
        };
        let measured = window.min((now - self.cycle.0).max(MEASURED_MIN));
        self.curve
            .cut(rate, self.accepted.within(window, now) / measured);
    }

    /// What a block that is over says about the rate.
    fn learn_from(&mut self, block: Seconds, at: Moment) {
        let now = at.now.as_secs_f64();
        let (since, accepted) = self.cycle;
        let mut cycle = (now - since).max(1.0);
        let at_edge = at.second_of_minute < EDGE_SEEN;
        let was_long = self.episode.was_long(now) || (block > LONG && at_edge);
        if was_long {
            if cycle < MINUTE && at_edge {
                cycle = MINUTE;
            }
            self.cycle = (now, 0);
        }
        let mut rate = accepted as f64 / cycle;
        if at_edge && (was_long || self.curve.limit == Limit::Quota) {
            rate = rate.max(self.accepted.within(MINUTE, now) / MINUTE);
        }
        if was_long && accepted < TELLING {
            self.curve.start_over();
        } else if was_long {
            self.curve.lower(rate);
            self.curve.quota(cycle);
        } else if block > BLOCK_TELLS {
            if self.curve.limit == Limit::Quota && cycle < CYCLE_MIN && !at_edge {
                self.curve.no_quota();
            }
            let recent = self.accepted.within(block + 1.0, now) / (block + 1.0);
            self.curve.lower(rate.max(recent));
        }
        self.curve.run_from(now);
        self.next_at = now + 1.0 / self.curve.rate(now);
        self.hold_until = self.hold_until.min(now);
    }

    /// The cut was one message's own fault: as if it had not been, but remembered.
    fn undo(&mut self, now: Seconds) {
        let Some((culprit, before)) = self.episode.undone(now) else {
            return;
        };
        self.doubt = Some((culprit, self.curve));
        self.curve = before;
        self.episode.forget();
        (self.hold_until, self.next_at) = (now, now);
        self.unexplained = self.unexplained.saturating_sub(1);
    }

    /// A message for whose sake a cut was undone has got through: it was the rate after all.
    fn resolve_doubt(&mut self, message: &Suspicion, now: Seconds) {
        let Some((_, cut)) = self
            .doubt
            .take_if(|(id, _)| *id == message.id && !message.failed)
        else {
            return;
        };
        let lower = self.curve.phase != Phase::Ramp && cut.plateau < self.curve.plateau;
        if lower || self.curve.phase == Phase::Start {
            self.curve = cut;
            self.curve.run_from(now);
        }
    }

    fn bypass_refused(&mut self, ticket: Ticket, now: Seconds, rng: &mut fastrand::Rng) {
        if ticket.bypass {
            let block = (now - self.episode.began).max(self.hold_until - now);
            let long = self.episode.is_open() && block > LONG;
            self.bypass.refused(now, long, spread(rng));
        }
    }

    fn counted(&self) -> Counted {
        Counted {
            successes: self.successes,
            unexplained: self.unexplained,
        }
    }
}

/// 0.8 to 1.2, so that replicas part.
fn spread(rng: &mut fastrand::Rng) -> f64 {
    0.8 + 0.4 * rng.f64()
}
