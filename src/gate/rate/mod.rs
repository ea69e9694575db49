//! How fast calls of one kind may go, found out from Stytch's answers alone.
//!
//! Pure: `now` and the randomness come in. The limit is unknown, probably a fixed window, and other
//! replicas use it up without telling us. A 429 is not a failure of a message, it is news about the
//! rate, so all calls of a kind share one [`Pacer`]:
//!
//! 1. Pace, do not retry: calls go one by one along a `curve` around the limit.
//! 2. One cut per `episode`: a 429 of a call that was sent before the last one is no news.
//! 3. A short block means a rate, a long block a quota, that is measured over its whole window.
//! 4. Urgent calls go first, and a few of them `bypass` the pace.
//! 5. One target with its own 429s must not stop the others: `suspicion`, and the cut is undone.
//!
//! Inside, times are seconds since the gate was made, for the curve is arithmetic.

mod bypass;
mod curve;
mod episode;
mod news;
mod ring;
mod suspicion;

use std::time::Duration;

use super::Moment;
use crate::event::Lane;
use bypass::Bypass;
use curve::{Curve, Limit, Phase};
use episode::Episode;
pub use news::Refusal;
use ring::Ring;
pub use suspicion::Suspicion;

/// Seconds, since the gate was made or from one time to another.
type Seconds = f64;

/// Times come and go as whole nanoseconds: what is due in less than this is due.
const GRAIN: Seconds = 1e-6;
/// How far the pace may lag and be caught up in a burst: timers have a grain of a millisecond.
const LAG_MAX: Seconds = 0.005;
/// A call that passes the pace by is made up for, but no more than so many calls are owed: else a
/// stream of urgent calls would put off the pace for minutes.
const OWED_MAX: f64 = 2.0;
/// After the first refusal of an episode this many calls may go before one is answered.
const CALLS_UNANSWERED_MAX: u32 = 3;

/// May a call go?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Now.
    Now,
    /// Not before this time.
    At(Duration),
    /// Not before a call that is on the wire has been answered.
    AfterAnswer,
}

/// What a call carries, to be handed back with its answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ticket {
    lane: Lane,
    epoch: u64,
    sent_at: Seconds,
    /// The one call that finds out whether the way is free again.
    probe: bool,
    /// Passed by the pace.
    bypass: bool,
}

/// The pace of one kind of call.
#[derive(Debug)]
pub struct Pacer {
    curve: Curve,
    episode: Episode,
    /// A cut that was undone, and for whose sake: re-applied if that message gets through after all.
    doubt: Option<(u64, Curve)>,
    bypass: Bypass,
    accepted: Ring,
    /// Since the last quota window began: when, and how many calls were accepted.
    cycle: (Seconds, u64),
    /// Rises with each hold and each outage.
    epoch: u64,
    epoch_sent: u32,
    epoch_answered: u32,
    probe_on_wire: bool,
    hold_until: Seconds,
    next_at: Seconds,
    /// When the last call went that kept the pace.
    sent_at: Seconds,
    /// When the newest call that was accepted had been sent.
    newest_accepted: Option<Seconds>,
    successes: u64,
    unexplained: u64,
    ids: u64,
}

impl Pacer {
    /// A pacer that starts at `start` calls a second and never passes `max`.
    pub fn new(start: f64, max: Option<f64>) -> Self {
        let curve = Curve::new(start, max);
        Self {
            curve,
            episode: Episode::none(curve),
            doubt: None,
            bypass: Bypass::new(),
            accepted: Ring::new(),
            cycle: (0.0, 0),
            epoch: 0,
            epoch_sent: 0,
            epoch_answered: 0,
            probe_on_wire: false,
            hold_until: 0.0,
            next_at: 0.0,
            sent_at: 0.0,
            newest_accepted: None,
            successes: 0,
            unexplained: 0,
            ids: 0,
        }
    }

    /// From now on it never passes `max`.
    pub fn limit(&mut self, max: Option<f64>) {
        self.curve.limit(max);
    }

    /// May a call of this lane go at `now`?
    pub fn ready(&self, lane: Lane, now: Duration) -> Ready {
        let (mut at, now) = (self.paced_at(), now.as_secs_f64());
        if lane == Lane::Urgent && !is_due(at, now) {
            let patience = self.bypass.patience(self.curve.rate(now), now);
            if at > now + patience {
                at = at.min(self.bypass.ready_at());
            }
        }
        match at {
            at if is_due(at, now) => Ready::Now,
            f64::INFINITY => Ready::AfterAnswer,
            at => Ready::At(duration(at)),
        }
    }

    /// Whether a suspect that was refused then may go: others got through since, and no 429 stands.
    pub fn lets_suspect_go(&self, refused_at: Duration) -> bool {
        !self.episode.is_open() && self.passed_since(refused_at)
    }

    fn passed_since(&self, refused_at: Duration) -> bool {
        self.newest_accepted
            .is_some_and(|at| at > refused_at.as_secs_f64())
    }

    /// A call of this lane is sent at `now`.
    pub fn sent(&mut self, lane: Lane, now: Duration) -> Ticket {
        let now = now.as_secs_f64();
        let bypass = lane == Lane::Urgent && !is_due(self.paced_at(), now);
        let mut probe = false;
        if lane == Lane::Urgent {
            self.bypass.seen(now);
        }
        if bypass {
            self.bypass.take(now);
        } else {
            self.idled(now);
            self.epoch_sent = self.epoch_sent.saturating_add(1);
            probe = self.episode.strikes >= 2;
            self.probe_on_wire |= probe;
        }
        self.curve.settle(now);
        let interval = 1.0 / self.curve.rate(now);
        let owed_until = (self.next_at + interval).min(now + OWED_MAX * interval);
        self.next_at = self.next_at.max(owed_until);
        Ticket {
            lane,
            epoch: self.epoch,
            sent_at: now,
            probe,
            bypass,
        }
    }

    /// The call was never sent, or nobody waits for its answer.
    pub fn abandoned(&mut self, ticket: Ticket, now: Duration) {
        self.ended(ticket, now.as_secs_f64());
        if ticket.bypass {
            self.bypass.accepted();
        }
    }

    /// Starts carefully after an outage; what is still on the wire is no news any more.
    pub fn reopened(&mut self, now: Duration) {
        let now = now.as_secs_f64();
        self.curve.ramp_from(now);
        self.episode.forget();
        self.next_epoch();
        self.probe_on_wire = false;
        (self.next_at, self.hold_until, self.cycle) = (now, now, (now, 0));
        self.bypass.reset(now);
    }

    /// An outage begins: no probe of ours will be answered any more.
    pub fn outage(&mut self) {
        self.probe_on_wire = false;
    }

    /// Calls a second that may go at `now`: while nobody calls, those that might when the last one went.
    pub fn rate(&self, now: Duration) -> f64 {
        let now = now.as_secs_f64();
        let is_idle = now - self.next_at > LAG_MAX;
        let stood_still = self.sent_at.max(self.curve.begun).min(now);
        self.curve.rate(if is_idle { stood_still } else { now })
    }

    /// Whether it still climbs back after an outage.
    pub fn is_ramping(&self, now: Duration) -> bool {
        self.curve.is_ramping(now.as_secs_f64())
    }

    /// Since when Stytch answers 429, if it does.
    pub fn limited_since(&self) -> Option<Duration> {
        self.episode.is_open().then(|| duration(self.episode.began))
    }

    /// How long a 429 still holds all paced calls, if one does.
    pub fn held_for(&self, now: Duration) -> Option<Duration> {
        let now = now.as_secs_f64();
        (!is_due(self.hold_until, now)).then(|| duration(self.hold_until - now))
    }

    /// When the pace lets the next call go; infinite until an answer.
    fn paced_at(&self) -> Seconds {
        if self.waits_for_answer() {
            f64::INFINITY
        } else {
            self.next_at.max(self.hold_until)
        }
    }

    fn waits_for_answer(&self) -> bool {
        match self.episode.strikes {
            0 => false,
            1 => self.epoch_sent >= CALLS_UNANSWERED_MAX && self.epoch_answered == 0,
            _ => self.probe_on_wire,
        }
    }

    /// Nothing is caught up, and the curve has stood still, for the time in which calls could not go.
    fn waited(&mut self, now: Seconds) {
        let wait = (now - self.next_at).max(0.0);
        self.curve.begun += wait;
        self.next_at += wait;
    }

    /// When fewer calls come than may go, the curve stands still: it would grow without a proof.
    fn idled(&mut self, now: Seconds) {
        let idle = now - self.next_at - LAG_MAX;
        if idle > 0.0 {
            self.curve.begun += (now - self.sent_at).min(now - self.curve.begun).max(0.0);
            self.cycle.0 += idle;
            self.next_at += idle;
        }
        self.sent_at = now;
    }

    /// A call has come back, whatever with.
    fn ended(&mut self, ticket: Ticket, now: Seconds) {
        let waited = self.waits_for_answer();
        if ticket.probe {
            self.probe_on_wire = false;
        }
        if ticket.epoch == self.epoch {
            self.epoch_answered = self.epoch_answered.saturating_add(1);
        }
        if waited && !self.waits_for_answer() {
            self.waited(now);
        }
    }

    fn next_epoch(&mut self) {
        self.epoch += 1;
        (self.epoch_sent, self.epoch_answered) = (0, 0);
    }
}

fn is_due(at: Seconds, now: Seconds) -> bool {
    at <= now + GRAIN
}

fn duration(seconds: Seconds) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
