//! Calls that no message pays for: does the API live, and is a way free when only suspects wait for it?
//!
//! Pure, as the line is that it belongs to.

use std::time::Duration;

use super::{
    Moment, News, Standing, Way,
    line::Line,
    queue::Queue,
    rate::{Pacer, Ready, Suspicion, Ticket},
};
use crate::{event::Lane, revoke::outcome::Fault};

/// A call that no message pays for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Canary {
    /// Does the API live?
    Life,
    /// Is the way free? Only messages wait that were refused again and again, each perhaps for
    /// its own target's sake.
    StandIn(Way, Ticket),
}

/// When a canary is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Due {
    /// This one, now; it counts as sent.
    Now(Canary),
    /// Not before this time.
    At(Duration),
    /// When something changes.
    OnChange,
}

impl<W> Line<W> {
    /// Whether a canary is due now; from then on it counts as sent.
    pub fn canary(&mut self, now: Duration) -> Due {
        match self.breaker.canary_at(self.canary_on_wire) {
            Some(at) if at <= now => {
                self.canary_on_wire = true;
                Due::Now(Canary::Life)
            }
            Some(at) => Due::At(at),
            None => self.stand_in(now),
        }
    }

    /// A canary in place of suspects, where nobody else waits for this way.
    fn stand_in(&mut self, now: Duration) -> Due {
        let mut due = Due::OnChange;
        for way in Way::ALL {
            let pacer = &self.pacers[*way as usize];
            let may_go = |refused_at| pacer.lets_suspect_go(refused_at);
            let mut queues = self.waiting.iter().map(|ways| &ways[*way as usize]);
            let only_suspects = queues.clone().any(Queue::has_suspects)
                && !queues.any(|queue| queue.has_trusted() || queue.has_cleared(may_go));
            if self.closed || self.stand_in[*way as usize] || !only_suspects {
                continue;
            }
            match (self.ready(Lane::Bulk, *way, now), due) {
                (Ready::Now, _) => {
                    self.stand_in[*way as usize] = true;
                    let ticket = self.grant(Lane::Bulk, *way, now);
                    return Due::Now(Canary::StandIn(*way, ticket));
                }
                (Ready::At(at), Due::At(sooner)) => due = Due::At(at.min(sooner)),
                (Ready::At(at), _) => due = Due::At(at),
                (Ready::AfterAnswer, _) => {}
            }
        }
        due
    }

    /// Takes in a canary's answer.
    pub fn canary_answered(
        &mut self,
        canary: Canary,
        news: News,
        at: Moment,
        rng: &mut fastrand::Rng,
    ) -> Standing {
        match canary {
            Canary::StandIn(way, ticket) => {
                self.stand_in[way as usize] = false;
                self.report(way, ticket, news, &mut Suspicion::default(), at, rng)
            }
            Canary::Life => {
                self.canary_on_wire = false;
                let (ramping, outages) = (self.is_ramping(at.now), self.breaker.outages());
                let was_paused = self.breaker.paused().is_some();
                self.breaker.canary(news, at.now, ramping, rng.f64());
                let pacers = self.pacers.iter_mut();
                if self.breaker.outages() > outages {
                    pacers.for_each(Pacer::outage);
                } else if was_paused && self.breaker.paused().is_none() {
                    pacers.for_each(|pacer| pacer.reopened(at.now));
                }
                Standing {
                    own: false,
                    outages: self.breaker.outages(),
                    aside: None,
                    hold: None,
                    fault: Fault::Message,
                }
            }
        }
    }

    /// Asks for a canary at once, if paused.
    pub fn probe_now(&mut self, now: Duration) {
        self.breaker.probe_now(now);
    }
}
