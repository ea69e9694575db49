//! What a run came to.

use std::time::Duration;

use revoker::{event::Lane, gate::Way};

use super::world::{Answer, Kind, Message};

/// Counts of one way.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    pub(super) sent: u64,
    pub(super) refused: u64,
    pub(super) failed: u64,
    pub(super) accepted: u64,
    /// When the last message was taken from its queue.
    pub(super) backlog_until: f64,
    /// Accepted and refused by the tenth of a second.
    by_tenth: Vec<(u32, u32)>,
}

/// Everything that was measured in one run.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) ways: [Calls; Way::ALL.len()],
    /// How long each urgent message took, seconds.
    pub(super) urgent: Vec<f64>,
    /// When the last message of the lane came to an end.
    pub(super) last_end: [f64; Lane::ALL.len()],
    pub(super) done: usize,
    /// Dead letters whose target was fine.
    pub(super) lost: usize,
    /// Dead letters that had to be.
    pub(super) dead: usize,
    /// Calls that failed in the outage.
    pub(super) failed_in_outage: u64,
    /// It never ended.
    pub(super) stuck: bool,
    /// The wall clock's second of the minute at the start.
    wall: f64,
}

impl Measured {
    pub(super) fn new(wall: f64) -> Self {
        Self {
            ways: Default::default(),
            urgent: Vec::new(),
            last_end: [0.0; Lane::ALL.len()],
            done: 0,
            lost: 0,
            dead: 0,
            failed_in_outage: 0,
            stuck: false,
            wall,
        }
    }

    pub(super) fn ended(&self) -> usize {
        self.done + self.lost + self.dead
    }

    pub(super) fn call(&mut self, way: Way, answer: Answer, now: Duration) {
        let (calls, now) = (&mut self.ways[way as usize], now.as_secs_f64());
        let tenth = (now * 10.0) as usize;
        if calls.by_tenth.len() <= tenth {
            calls.by_tenth.resize(tenth + 1, (0, 0));
        }
        calls.sent += 1;
        match answer {
            Answer::Limited => {
                calls.refused += 1;
                calls.by_tenth[tenth].1 += 1;
                return;
            }
            Answer::Failed => calls.failed += 1,
            Answer::Done => {}
        }
        calls.accepted += 1;
        calls.by_tenth[tenth].0 += 1;
    }

    pub(super) fn end(&mut self, message: &Message, done: bool, now: Duration) {
        let now = now.as_secs_f64();
        match (done, message.kind) {
            (true, _) => self.done += 1,
            (false, Kind::Fine) => self.lost += 1,
            (false, _) => self.dead += 1,
        }
        self.last_end[message.lane as usize] = now;
        if message.lane == Lane::Urgent {
            self.urgent.push(now - message.arrived.as_secs_f64());
        }
    }

    /// The share of calls that were refused, in percent.
    pub(super) fn waste(&self) -> f64 {
        let (refused, sent) = self
            .ways
            .iter()
            .fold((0, 0), |(r, s), calls| (r + calls.refused, s + calls.sent));
        100.0 * refused as f64 / sent as f64
    }

    /// Calls accepted and refused from one time to another.
    pub(super) fn between(&self, way: Way, from: f64, to: f64) -> (f64, f64) {
        let tenths = &self.ways[way as usize].by_tenth;
        let end = ((to * 10.0) as usize).min(tenths.len());
        let start = ((from * 10.0) as usize).min(end);
        let sum = tenths[start..end]
            .iter()
            .fold((0, 0), |(a, r), tenth| (a + tenth.0, r + tenth.1));
        (f64::from(sum.0), f64::from(sum.1))
    }

    /// Seconds from `since` until for five seconds this many calls a second are accepted.
    pub(super) fn reaches(&self, since: f64, rate: f64) -> f64 {
        let accepted = |from: f64| self.between(Way::Revoke, from, from + 5.0).0;
        let mut from = since;
        while accepted(from) < 5.0 * rate {
            from += 0.1;
            if from > self.ways[Way::Revoke as usize].backlog_until {
                return f64::INFINITY;
            }
        }
        from - since
    }

    /// The share of the allowed rate that was used while messages were queued, in percent: of a
    /// quota from its first edge on.
    pub(super) fn used(&self, way: Way, rate: f64, is_quota: bool) -> f64 {
        let end = self.ways[way as usize].backlog_until;
        let start = if is_quota { self.first_edge() } else { 0.0 };
        let (accepted, _) = self.between(way, start, end);
        100.0 * accepted / (rate * (end - start))
    }

    /// When the wall clock's first full minute began.
    pub(super) fn first_edge(&self) -> f64 {
        60.0 - self.wall
    }

    /// This quantile of how long urgent took.
    pub(super) fn urgent_quantile(&self, quantile: f64) -> f64 {
        let mut sorted = self.urgent.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (quantile * (sorted.len() - 1) as f64).round() as usize;
        sorted[at]
    }
}
