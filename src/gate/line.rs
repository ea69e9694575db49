//! Who waits, and who goes next: slots, lanes, pace and breaker put together.
//!
//! Pure: `now` and the jitter come in, waiters are any value. Urgent goes first; bulk leaves a few
//! slots to it, so that an urgent call never waits for a slow bulk one.

use std::time::Duration;

use super::{
    Moment, News, OutageMode, Place, Reached, Settings, Standing, View, Way,
    breaker::{Breaker, Phase},
    queue::Queue,
    rate::{Pacer, Ready, Refusal, Suspicion, Ticket},
    share::Share,
    unknown::Row,
};
use crate::{event::Lane, revoke::outcome::Fault};

/// All who wait for a call, of every lane and way.
#[derive(Debug)]
pub struct Line<W> {
    pub(super) pacers: [Pacer; Way::ALL.len()],
    share: Share,
    pub(super) breaker: Breaker,
    pub(super) canary_on_wire: bool,
    slots_free: usize,
    slots_urgent_only: usize,
    /// By lane, then by way.
    pub(super) waiting: [[Queue<W>; Way::ALL.len()]; Lane::ALL.len()],
    /// Whether a canary goes in place of suspects, by way.
    pub(super) stand_in: [bool; Way::ALL.len()],
    pub(super) closed: bool,
    /// Whether a message may be at fault for its 429s.
    suspects: bool,
    /// Refusals in a row with an error type that nobody knows.
    unknown: Row,
}

/// Who goes next.
#[derive(Debug, PartialEq)]
pub enum Next<W> {
    /// This one, now.
    Go(W, Way, Ticket),
    /// Nobody before this time.
    At(Duration),
    /// Nobody until something changes.
    OnChange,
    /// Nobody any more.
    Closed,
}

impl<W> Line<W> {
    /// A line with all slots free and nobody in it.
    pub fn new(settings: &Settings) -> Self {
        let share = Share::new(settings.max_rate, settings.max_rate_total);
        let pacer = |_| Pacer::new(settings.start_rate, share.ceiling());
        Self {
            pacers: std::array::from_fn(pacer),
            share,
            breaker: Breaker::new(settings.outage == OutageMode::Hold),
            canary_on_wire: false,
            slots_free: settings.slots,
            slots_urgent_only: settings.slots_urgent_only,
            waiting: std::array::from_fn(|_| std::array::from_fn(|_| Queue::new())),
            stand_in: [false; Way::ALL.len()],
            closed: false,
            suspects: settings.outage == OutageMode::Hold,
            unknown: Row::default(),
        }
    }

    /// Takes in how many consumers the urgent lane has. Says how many workers there are, if that has changed.
    pub fn heard_consumers(&mut self, consumers: u32) -> Option<u32> {
        let before = self.share.workers();
        self.share.heard(consumers);
        for pacer in &mut self.pacers {
            pacer.limit(self.share.ceiling());
        }
        let workers = self.share.workers();
        (workers != before).then_some(workers)
    }

    /// A turn at once, if nobody of this lane or a better one waits and a call may go.
    pub fn ask(
        &mut self,
        lane: Lane,
        way: Way,
        suspicion: &Suspicion,
        now: Duration,
    ) -> Option<Ticket> {
        let pacer = &self.pacers[way as usize];
        let first = self.waiting[..=lane as usize]
            .iter()
            .all(|ways| !ways[way as usize].has_trusted());
        let trusted = !suspicion.is_suspect() || pacer.lets_suspect_go(suspicion.refused_at());
        (first && trusted && self.ready(lane, way, now) == Ready::Now)
            .then(|| self.grant(lane, way, now))
    }

    /// Joins the line.
    pub fn join(&mut self, lane: Lane, way: Way, place: Place, suspicion: &Suspicion, waiter: W) {
        self.waiting[lane as usize][way as usize].join(place, suspicion, waiter);
    }

    /// Who goes next. `gone` tells of a waiter that it gave up.
    pub fn next(&mut self, now: Duration, gone: impl Fn(&W) -> bool) -> Next<W> {
        if self.closed {
            return Next::Closed;
        }
        let mut soonest = None::<Duration>;
        for lane in Lane::ALL {
            for way in Way::ALL {
                let ready = self.ready(*lane, *way, now);
                let pacer = &self.pacers[*way as usize];
                let may_go = |refused_at| pacer.lets_suspect_go(refused_at);
                let queue = &mut self.waiting[*lane as usize][*way as usize];
                queue.forget(&gone);
                if !queue.has_trusted() && !queue.has_cleared(may_go) {
                    continue;
                }
                match ready {
                    Ready::Now => {
                        let waiter = queue.take(may_go).expect("somebody in the queue may go");
                        return Next::Go(waiter, *way, self.grant(*lane, *way, now));
                    }
                    Ready::At(at) => soonest = Some(soonest.map_or(at, |s| s.min(at))),
                    Ready::AfterAnswer => {}
                }
            }
        }
        soonest.map_or(Next::OnChange, Next::At)
    }

    /// Takes in how a call ended, and frees its slot.
    pub fn report(
        &mut self,
        way: Way,
        ticket: Ticket,
        news: News,
        suspicion: &mut Suspicion,
        at: Moment,
        rng: &mut fastrand::Rng,
    ) -> Standing {
        self.slots_free += 1;
        // When every failure counts, a 429 is an attempt, and nobody stands aside for others.
        let mut nobody = Suspicion::default();
        let suspicion = if self.suspects {
            suspicion
        } else {
            &mut nobody
        };
        let ramping = self.is_ramping(at.now);
        let pacer = &mut self.pacers[way as usize];
        let (mut own, mut aside, mut hold) = (false, None, None);
        match news {
            News::Answered | News::Unknown(_) if self.breaker.paused().is_none() => {
                pacer.answered(ticket, suspicion, at);
            }
            News::Limited(retry_after) if self.breaker.paused().is_none() => {
                let (refusal, held) = pacer.limited(ticket, suspicion, retry_after, at, rng);
                hold = held;
                match refusal {
                    Refusal::Front => {}
                    Refusal::Aside(wait) => aside = Some(wait),
                    Refusal::Own => own = true,
                }
            }
            News::Failed(Reached::Answered) if self.breaker.paused().is_none() => {
                pacer.accepted(ticket, suspicion, at);
            }
            _ => pacer.unanswered(ticket, at.now, rng),
        }
        match news {
            News::Answered | News::Unknown(_) | News::Limited(_) => self.breaker.answered(at.now),
            News::Failed(_) => own = self.breaker.failed(ramping),
            News::Refused => self.breaker.refused(at.now),
        }
        Standing {
            own,
            outages: self.breaker.outages(),
            aside,
            hold,
            fault: self.fault(news, at.now),
        }
    }

    /// Whose fault a refusal is that nobody knows; many of them in a row pause all calls.
    fn fault(&mut self, news: News, now: Duration) -> Fault {
        match news {
            News::Answered => self.unknown.end(),
            News::Unknown(refusal) => {
                let fault = self.unknown.add(refusal);
                if let Fault::Nobody(_) = fault {
                    self.breaker.puzzled(now);
                }
                return fault;
            }
            // No judgement of a request.
            News::Limited(_) | News::Failed(_) | News::Refused => {}
        }
        Fault::Message
    }

    /// Whether the API has been shown to live since this time; `None` as long as nobody knows.
    pub fn lives_since(&self, since: Duration) -> Option<bool> {
        self.breaker.lives_since(since)
    }

    /// Asks for a canary, so that it becomes known.
    pub fn doubt(&mut self) {
        self.breaker.doubt();
    }

    /// Frees the slot of a call that was never sent, or whose answer nobody waits for.
    pub fn abandon(&mut self, way: Way, ticket: Ticket, now: Duration) {
        self.slots_free += 1;
        self.pacers[way as usize].abandoned(ticket, now);
    }

    /// Whether anybody waits.
    pub fn is_anyone_waiting(&self) -> bool {
        let waits = |queue: &Queue<W>| queue.has_trusted() || queue.has_suspects();
        self.waiting.iter().flatten().any(waits)
    }

    /// Whether anybody waits whose 429s may be its own.
    pub fn has_suspects(&self) -> bool {
        self.waiting.iter().flatten().any(Queue::has_suspects)
    }

    /// Sends everybody away for good.
    pub fn close(&mut self) -> Vec<W> {
        self.closed = true;
        let queues = self.waiting.iter_mut().flatten();
        queues.flat_map(Queue::drain).collect()
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many outages there were so far.
    pub fn outages(&self) -> u32 {
        self.breaker.outages()
    }

    /// What it is doing.
    pub fn view(&self, now: Duration) -> View {
        let since = self.pacers.iter().filter_map(Pacer::limited_since).min();
        View {
            paused: self.breaker.paused(),
            canary_in: self.breaker.next_canary(now),
            limited_for: since.map(|since| now.saturating_sub(since)),
            held_for: self.pacers.iter().filter_map(|p| p.held_for(now)).max(),
            rates: std::array::from_fn(|way| self.pacers[way].rate(now)),
            ceiling: self.share.ceiling(),
        }
    }

    pub(super) fn is_ramping(&self, now: Duration) -> bool {
        self.pacers.iter().any(|pacer| pacer.is_ramping(now))
    }

    pub(super) fn ready(&self, lane: Lane, way: Way, now: Duration) -> Ready {
        let slots_kept = match lane {
            Lane::Urgent => 0,
            Lane::Bulk => self.slots_urgent_only,
        };
        if self.breaker.phase() != Phase::Flowing || self.slots_free <= slots_kept {
            return Ready::AfterAnswer;
        }
        self.pacers[way as usize].ready(lane, now)
    }

    pub(super) fn grant(&mut self, lane: Lane, way: Way, now: Duration) -> Ticket {
        self.slots_free -= 1;
        self.pacers[way as usize].sent(lane, now)
    }
}
