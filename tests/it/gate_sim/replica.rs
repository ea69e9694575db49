//! One worker: the real line and the real verdicts, with the waiting left out.

use std::time::Duration;

use revoker::{
    event::Lane,
    gate::{
        Canary, Place, Suspicion, Way,
        canary::Due,
        line::{Line, Next},
        rate::Ticket,
    },
    revoke::outcome::{Class, Failure},
    settle::{
        self,
        verdict::{Account, Standing, Verdict},
    },
};

use super::{
    naive::Naive,
    scenario::Scenario,
    world::{Answer, Outside},
};

/// Messages that a replica holds in line beside those it has begun, by lane and way.
const PREFETCHED: usize = 8;

/// For whom a call was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sender {
    /// A message.
    Message(u32),
    /// Nobody.
    Canary(Way),
}

/// A call on the wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sent {
    pub(super) sender: Sender,
    pass: Pass,
}

/// What let it go.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pass {
    Ticket(Ticket),
    Canary(Canary),
    Naive,
}

/// What a replica knows of a message it holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    account: Account,
    suspicion: Suspicion,
    fresh: bool,
}

/// A worker.
pub(super) struct Replica {
    number: u8,
    line: Line<u32>,
    /// In place of the line, for comparison.
    naive: Option<Naive>,
    settings: settle::Settings,
    held: Vec<Option<Held>>,
    /// Messages taken and not ended: the broker gives no more than twice the slots.
    in_hand: usize,
    in_hand_max: usize,
    prefetched: [[usize; Way::ALL.len()]; Lane::ALL.len()],
    fetched: Vec<u32>,
    wake_at: Option<Duration>,
    rng: fastrand::Rng,
}

impl Replica {
    pub(super) fn new(number: u8, scenario: &Scenario, rng: fastrand::Rng) -> Self {
        Self {
            number,
            line: Line::new(&scenario.gate),
            naive: scenario.naive.then(|| Naive::new(&scenario.gate)),
            settings: settle::Settings {
                attempts: 6,
                retry_delays: vec![],
                count_every_failure: scenario.naive,
                outcomes: false,
                seal_key_file: None,
            },
            held: Vec::new(),
            in_hand: 0,
            in_hand_max: 2 * scenario.gate.slots,
            prefetched: Default::default(),
            fetched: Vec::new(),
            wake_at: None,
            rng,
        }
    }

    /// The broker says how many replicas there are.
    pub(super) fn heard_consumers(&mut self, consumers: usize) {
        self.line.heard_consumers(consumers as u32);
    }

    /// Sends whatever may go now, and asks to be woken for the rest.
    pub(super) fn pump(&mut self, outside: &mut Outside) {
        let soonest = loop {
            self.prefetch(outside);
            let next = match &mut self.naive {
                Some(naive) => naive.next(),
                None => self.line.next(outside.now, |_| false),
            };
            match next {
                Next::Go(message, _, ticket) => self.send(message, Pass::Ticket(ticket), outside),
                Next::At(at) => break Some(at),
                Next::OnChange | Next::Closed => match self.naive.as_mut().and_then(Naive::take) {
                    Some(message) => self.send(message, Pass::Naive, outside),
                    None => break None,
                },
            }
        };
        let canary_at = loop {
            match self.line.canary(outside.now) {
                Due::Now(canary) => {
                    let way = match canary {
                        Canary::Life => Way::Revoke,
                        Canary::StandIn(way, _) => way,
                    };
                    let sent = Sent {
                        sender: Sender::Canary(way),
                        pass: Pass::Canary(canary),
                    };
                    outside.call(self.number, sent);
                }
                Due::At(at) => break Some(at),
                Due::OnChange => break None,
            }
        };
        let wake_at = soonest.into_iter().chain(canary_at).min();
        if wake_at != self.wake_at {
            self.wake_at = wake_at;
            if let Some(at) = wake_at {
                outside.wake(self.number, at);
            }
        }
    }

    /// The time has come that was asked for, if it is still wanted.
    pub(super) fn woken(&mut self, outside: &mut Outside) {
        if self.wake_at.is_some_and(|at| at <= outside.now) {
            self.wake_at = None;
            self.pump(outside);
        }
    }

    /// A message's own wait is over.
    pub(super) fn due(&mut self, message: u32, outside: &mut Outside) {
        self.join(message, Place::Due, outside);
        self.pump(outside);
    }

    /// A call came back.
    pub(super) fn answered(&mut self, sent: Sent, answer: Answer, outside: &mut Outside) {
        let (news, at) = (answer.news(), outside.moment());
        match (sent.pass, sent.sender) {
            (Pass::Canary(canary), _) => {
                self.line.canary_answered(canary, news, at, &mut self.rng);
            }
            (pass, Sender::Message(message)) => {
                let way = outside.messages[message as usize].way;
                let held = self.held[message as usize].as_mut().expect("it is held");
                let standing = match pass {
                    Pass::Ticket(ticket) => {
                        let suspicion = &mut held.suspicion;
                        let said =
                            self.line
                                .report(way, ticket, news, suspicion, at, &mut self.rng);
                        Standing {
                            own: said.own,
                            outages: said.outages,
                            aside: said.aside,
                            fault: said.fault,
                        }
                    }
                    _ => self.naive.as_mut().expect("a naive call").ended(),
                };
                let class = match answer {
                    Answer::Done => Class::Revoked,
                    Answer::Limited => Class::RateLimited,
                    Answer::Failed => Class::Retryable(Failure::ServerError),
                };
                let jitter = self.rng.f64();
                let verdict = held.account.judge(&class, standing, &self.settings, jitter);
                self.settle(message, verdict, outside);
            }
            (_, Sender::Canary(_)) => {}
        }
        self.pump(outside);
    }

    fn settle(&mut self, message: u32, verdict: Verdict, outside: &mut Outside) {
        match verdict {
            Verdict::Again => self.join(message, Place::Front, outside),
            Verdict::Hold(wait) => outside.due(self.number, message, wait),
            Verdict::Done(_) | Verdict::RetryLater(_) | Verdict::DeadLetter(_) => {
                self.held[message as usize] = None;
                self.in_hand -= 1;
                let message = outside.messages[message as usize];
                let done = matches!(verdict, Verdict::Done(_));
                outside.measured.end(&message, done, outside.now);
            }
        }
    }

    fn prefetch(&mut self, outside: &mut Outside) {
        for (prefetched, queued) in self
            .prefetched
            .iter_mut()
            .flatten()
            .zip(outside.queued.iter_mut().flatten())
        {
            while *prefetched < PREFETCHED && self.in_hand < self.in_hand_max {
                let Some(message) = queued.pop_front() else {
                    break;
                };
                *prefetched += 1;
                self.in_hand += 1;
                self.fetched.push(message);
            }
        }
        for message in std::mem::take(&mut self.fetched) {
            self.take(message, outside);
        }
    }

    fn take(&mut self, message: u32, outside: &mut Outside) {
        let way = outside.messages[message as usize].way;
        outside.measured.ways[way as usize].backlog_until = outside.now.as_secs_f64();
        if self.held.len() <= message as usize {
            self.held.resize(message as usize + 1, None);
        }
        self.held[message as usize] = Some(Held {
            account: Account {
                attempts: 0,
                retries: 0,
                outages: self.line.outages(),
            },
            suspicion: Suspicion::default(),
            fresh: true,
        });
        self.join(message, Place::New, outside);
    }

    fn join(&mut self, message: u32, place: Place, outside: &Outside) {
        if let Some(naive) = &mut self.naive {
            return naive.join(message);
        }
        let held = self.held[message as usize].as_ref().expect("it is held");
        let of = &outside.messages[message as usize];
        self.line
            .join(of.lane, of.way, place, &held.suspicion, message);
    }

    fn send(&mut self, message: u32, pass: Pass, outside: &mut Outside) {
        let held = self.held[message as usize].as_mut().expect("it is held");
        if std::mem::take(&mut held.fresh) {
            let of = &outside.messages[message as usize];
            self.prefetched[of.lane as usize][of.way as usize] -= 1;
        }
        let sender = Sender::Message(message);
        outside.call(self.number, Sent { sender, pass });
    }
}
