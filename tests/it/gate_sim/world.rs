//! The world around the gate: replicas, messages, a server, and time as a queue of events.
//!
//! Everything is driven by `(time, sequence)` and one seed, so a run can be repeated exactly. What
//! decides is the real thing: `gate::line::Line` and `settle::verdict::Account`.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use revoker::{
    event::Lane,
    gate::{Moment, News, Reached, Way},
};

use super::{
    measure::Measured,
    replica::{Replica, Sender, Sent},
    scenario::Scenario,
    server::Limit,
};

/// What is the matter with a message's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Fine,
    /// Every call about it is answered 500.
    Always500,
    /// Every call about it is answered 429.
    Always429,
}

/// A message: what it asks for, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) lane: Lane,
    pub(super) way: Way,
    pub(super) kind: Kind,
    pub(super) arrived: Duration,
}

/// What happens.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Answered(u32),
    Due(u8, u32),
    Wake(u8),
    Arrive(u32),
}

/// How a call is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200.
    Done,
    /// 429.
    Limited,
    /// 500.
    Failed,
}

impl Answer {
    /// As the gate hears it.
    pub(super) fn news(self) -> News {
        match self {
            Self::Done => News::Answered,
            Self::Limited => News::Limited(None),
            Self::Failed => News::Failed(Reached::Answered),
        }
    }
}

/// What the replicas share.
pub(super) struct Outside {
    pub(super) now: Duration,
    pub(super) rng: fastrand::Rng,
    pub(super) messages: Vec<Message>,
    /// What the broker's queues hold, by lane and way: none stands in the other's way here.
    pub(super) queued: [[VecDeque<u32>; Way::ALL.len()]; Lane::ALL.len()],
    pub(super) measured: Measured,
    limits: Vec<Limit>,
    scenario: Scenario,
    wall: f64,
    happenings: BinaryHeap<Reverse<(Duration, u64, Happening)>>,
    sequence: u64,
    calls: Vec<Option<(u8, Sent, Answer)>>,
    calls_free: Vec<u32>,
}

/// Runs a scenario to its end.
pub(super) fn run(scenario: &Scenario, replicas: usize, seed: u64) -> Measured {
    let mut outside = Outside::new(scenario, seed);
    let mut replicas: Vec<Replica> = (0..replicas)
        .map(|number| Replica::new(number as u8, scenario, outside.rng.fork()))
        .collect();
    let total = outside.messages.len();
    let consumers = replicas.len();
    for replica in &mut replicas {
        replica.heard_consumers(consumers);
        replica.pump(&mut outside);
    }
    while outside.measured.ended() < total {
        let Some(Reverse((at, _, happening))) = outside.happenings.pop() else {
            outside.measured.stuck = true;
            break;
        };
        if at > outside.scenario.give_up {
            outside.measured.stuck = true;
            break;
        }
        outside.now = at;
        match happening {
            Happening::Answered(call) => {
                let (number, sent, answer) = outside.calls[call as usize]
                    .take()
                    .expect("it is on the wire");
                outside.calls_free.push(call);
                replicas[number as usize].answered(sent, answer, &mut outside);
            }
            Happening::Due(number, message) => {
                replicas[number as usize].due(message, &mut outside);
            }
            Happening::Wake(number) => replicas[number as usize].woken(&mut outside),
            Happening::Arrive(message) => {
                outside.queue(message);
                // Whoever has room takes it; who begins is random, as with a broker.
                let first = outside.rng.usize(..replicas.len());
                for i in 0..replicas.len() {
                    let number = (first + i) % replicas.len();
                    replicas[number].pump(&mut outside);
                }
            }
        }
    }
    outside.measured
}

impl Outside {
    fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let wall = 60.0 * rng.f64();
        let limit = |way: &Way| Limit::new(scenario.model, scenario.limit(*way, 0.0));
        let mut outside = Self {
            now: Duration::ZERO,
            messages: scenario.messages(&mut rng),
            rng,
            queued: Default::default(),
            measured: Measured::new(wall),
            limits: Way::ALL.iter().map(limit).collect(),
            scenario: scenario.clone(),
            wall,
            happenings: BinaryHeap::new(),
            sequence: 0,
            calls: Vec::new(),
            calls_free: Vec::new(),
        };
        for message in 0..outside.messages.len() {
            let arrived = outside.messages[message].arrived;
            if arrived.is_zero() {
                outside.queue(message as u32);
            } else {
                outside.at(arrived, Happening::Arrive(message as u32));
            }
        }
        outside
    }

    fn queue(&mut self, message: u32) {
        let Message { lane, way, .. } = self.messages[message as usize];
        self.queued[lane as usize][way as usize].push_back(message);
    }

    /// This time on both clocks.
    pub(super) fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            second_of_minute: (self.wall + self.now.as_secs_f64()) % 60.0,
        }
    }

    /// A call goes out. The server decides at once, its answer takes time.
    pub(super) fn call(&mut self, replica: u8, sent: Sent) {
        let (way, kind) = match sent.sender {
            Sender::Message(message) => {
                let message = self.messages[message as usize];
                (message.way, message.kind)
            }
            Sender::Canary(way) => (way, Kind::Fine),
        };
        let answer = self.answer(way, kind);
        let latency = match answer {
            Answer::Limited => 0.022 * self.lognormal(0.15),
            _ if self.rng.f64() < 0.002 => 0.5 + 2.5 * self.rng.f64(),
            _ => 0.050 * self.lognormal(0.35),
        };
        self.measured.call(way, answer, self.now);
        let call = self.calls_free.pop().unwrap_or_else(|| {
            self.calls.push(None);
            self.calls.len() as u32 - 1
        });
        self.calls[call as usize] = Some((replica, sent, answer));
        self.at(
            self.now + Duration::from_secs_f64(latency),
            Happening::Answered(call),
        );
    }

    /// A message of the replica shall join the line again after this wait.
    pub(super) fn due(&mut self, replica: u8, message: u32, wait: Duration) {
        self.at(self.now + wait, Happening::Due(replica, message));
    }

    /// The replica shall look again at this time.
    pub(super) fn wake(&mut self, replica: u8, at: Duration) {
        self.at(at, Happening::Wake(replica));
    }

    fn answer(&mut self, way: Way, kind: Kind) -> Answer {
        let now = self.now.as_secs_f64();
        if self
            .scenario
            .outage
            .is_some_and(|(from, to)| from <= now && now < to)
        {
            self.measured.failed_in_outage += 1;
            return Answer::Failed;
        }
        if kind == Kind::Always429 {
            return Answer::Limited;
        }
        let limit = &mut self.limits[way as usize];
        limit.rate = self.scenario.limit(way, now);
        if !limit.accepts(self.wall + now) {
            return Answer::Limited;
        }
        if kind == Kind::Always500 || self.rng.f64() < 0.005 {
            return Answer::Failed;
        }
        Answer::Done
    }

    fn lognormal(&mut self, sigma: f64) -> f64 {
        let (a, b) = (1.0 - self.rng.f64(), self.rng.f64());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        (sigma * normal).exp()
    }

    fn at(&mut self, at: Duration, happening: Happening) {
        self.sequence += 1;
        self.happenings
            .push(Reverse((at.max(self.now), self.sequence, happening)));
    }
}
