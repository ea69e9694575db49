//! Who waits, and who goes next: slots, lanes, pace and breaker put together.
//!
//! Pure: `now` and the jitter come in, waiters are any value. Urgent goes first; bulk leaves a few
//! slots to it, so that an urgent call never waits for a slow bulk one.

use std::{collections::VecDeque, time::Duration};

use super::{
    News, OutageMode, Settings, Standing, View, Way,
    breaker::{Breaker, CanaryAnswer, Phase},
    rate::{Pacer, Ready, Ticket},
};
use crate::event::Lane;

/// All who wait for a call, of every lane and way.
#[derive(Debug)]
pub struct Line<W> {
    pacers: [Pacer; Way::ALL.len()],
    breaker: Breaker,
    canary_on_wire: bool,
    slots_free: usize,
    slots_urgent_only: usize,
    /// By way, then by lane.
    waiting: [[VecDeque<W>; Lane::ALL.len()]; Way::ALL.len()],
    closed: bool,
}

/// Who goes next.
#[derive(Debug, PartialEq, Eq)]
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
        Self {
            pacers: std::array::from_fn(|_| Pacer::new(settings.max_rate)),
            breaker: Breaker::new(settings.outage == OutageMode::Hold),
            canary_on_wire: false,
            slots_free: settings.slots,
            slots_urgent_only: settings.slots_urgent_only,
            waiting: std::array::from_fn(|_| std::array::from_fn(|_| VecDeque::new())),
            closed: false,
        }
    }

    /// A turn at once, if nobody of this lane or a better one waits and a call may go.
    pub fn ask(&mut self, lane: Lane, way: Way, now: Duration) -> Option<Ticket> {
        let first = self.waiting[way as usize][..=lane as usize]
            .iter()
            .all(VecDeque::is_empty);
        (first && self.ready(lane, way, now) == Ready::Now).then(|| self.grant(way, now))
    }

    /// Joins the line; `again` in front, for a call that a 429 sent back.
    pub fn join(&mut self, lane: Lane, way: Way, again: bool, waiter: W) {
        let queue = &mut self.waiting[way as usize][lane as usize];
        if again {
            queue.push_front(waiter);
        } else {
            queue.push_back(waiter);
        }
    }

    /// Who goes next. `gone` tells of a waiter that it gave up.
    pub fn next(&mut self, now: Duration, gone: impl Fn(&W) -> bool) -> Next<W> {
        if self.closed {
            return Next::Closed;
        }
        let mut soonest = None::<Duration>;
        for way in Way::ALL {
            for lane in Lane::ALL {
                let queue = &mut self.waiting[*way as usize][*lane as usize];
                while queue.front().is_some_and(&gone) {
                    queue.pop_front();
                }
                if queue.is_empty() {
                    continue;
                }
                match self.ready(*lane, *way, now) {
                    Ready::Now => {
                        let waiter = self.waiting[*way as usize][*lane as usize].pop_front();
                        let ticket = self.grant(*way, now);
                        return Next::Go(waiter.expect("the queue is not empty"), *way, ticket);
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
        now: Duration,
        jitter: f64,
    ) -> Standing {
        self.slots_free += 1;
        let pacer = &mut self.pacers[way as usize];
        let mut hold = None;
        let counts = match news {
            News::Answered => {
                pacer.accepted(ticket);
                self.breaker.answered();
                true
            }
            News::Limited(retry_after) => {
                hold = pacer.limited(ticket, now, retry_after, jitter);
                self.breaker.answered();
                true
            }
            News::Failed => {
                pacer.ended(ticket);
                self.breaker.failed()
            }
            News::Refused => {
                pacer.ended(ticket);
                self.breaker.refused(now);
                false
            }
        };
        Standing {
            counts,
            outages: self.breaker.outages(),
            hold,
        }
    }

    /// Frees the slot of a call that was never sent, or whose answer nobody waits for.
    pub fn abandon(&mut self, way: Way, ticket: Ticket) {
        self.slots_free += 1;
        self.pacers[way as usize].ended(ticket);
    }

    /// Whether anybody waits.
    pub fn is_anyone_waiting(&self) -> bool {
        !self.waiting.iter().flatten().all(VecDeque::is_empty)
    }

    /// When the next canary is due; from `now` on it counts as sent, if it is.
    pub fn canary(&mut self, now: Duration) -> Option<Duration> {
        let due = self.breaker.canary_at(self.canary_on_wire)?;
        self.canary_on_wire = due <= now;
        Some(due)
    }

    /// Takes in a canary's answer.
    pub fn canary_answered(&mut self, answer: CanaryAnswer, now: Duration, jitter: f64) {
        self.canary_on_wire = false;
        self.breaker.canary(answer, now, jitter);
    }

    /// Asks for a canary at once, if paused.
    pub fn probe_now(&mut self, now: Duration) {
        self.breaker.probe_now(now);
    }

    /// Sends everybody away for good.
    pub fn close(&mut self) -> Vec<W> {
        self.closed = true;
        self.waiting
            .iter_mut()
            .flatten()
            .flat_map(std::mem::take)
            .collect()
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
    pub fn view(&self) -> View {
        View {
            paused: self.breaker.paused(),
            limited: self.pacers.iter().any(|pacer| pacer.limited_in_row() > 0),
        }
    }

    fn ready(&self, lane: Lane, way: Way, now: Duration) -> Ready {
        let slots_kept = match lane {
            Lane::Urgent => 0,
            Lane::Bulk => self.slots_urgent_only,
        };
        if self.breaker.phase() != Phase::Flowing || self.slots_free <= slots_kept {
            return Ready::AfterAnswer;
        }
        self.pacers[way as usize].ready(now)
    }

    fn grant(&mut self, way: Way, now: Duration) -> Ticket {
        self.slots_free -= 1;
        self.pacers[way as usize].sent(now)
    }
}
