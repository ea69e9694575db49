//! A pretend RabbitMQ in memory: two lanes, delays that come back, dead letters, outcomes.
//!
//! It keeps the promises of the true one and no more: what is unacked when the link falls comes
//! again, a receipt of an earlier link is worth nothing, and headers and properties go through the
//! true reader and writer.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::stream::{BoxStream, StreamExt, unfold};
use revoker::{
    broker::headers,
    event::{Lane, Message, Route},
    settle::{Outbox, Outgoing, PublishError, Receipt, To},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    journal::Journal,
    posted::{Fate, Posted, label, text},
};

/// From a publish to its confirm.
const CONFIRM: Duration = Duration::from_millis(4);
/// How long the publisher waits for a confirm that never comes.
const CONFIRM_MAX: Duration = Duration::from_secs(5);

type Fault = Box<dyn FnMut(&Posted<'_>) -> Option<Fate> + Send>;

#[derive(Default)]
struct State {
    link: Option<Up>,
    links: u64,
    tags: u64,
    ready: [VecDeque<Message>; 2],
    unacked: BTreeMap<u64, Message>,
    delayed: usize,
    deferred: Option<Message>,
    dead: Vec<Outgoing>,
    outcomes: Vec<Outgoing>,
    states: Vec<Outgoing>,
    faults: Vec<Fault>,
}

/// A link that stands.
struct Up {
    number: u64,
    down: CancellationToken,
    lanes: [UnboundedSender<(Message, Ack)>; 2],
}

/// The fake, and the handle to it.
#[derive(Clone)]
pub(super) struct Broker {
    journal: Journal,
    state: Arc<Mutex<State>>,
}

/// What a worker holds of one link.
pub(super) struct Link {
    broker: Broker,
    down: CancellationToken,
}

/// The receipt of one delivery.
pub(super) struct Ack {
    broker: Broker,
    link: u64,
    tag: u64,
    label: String,
}

impl Broker {
    pub(super) fn new(journal: &Journal) -> Self {
        Self {
            journal: journal.clone(),
            state: Arc::default(),
        }
    }

    /// A new link, and the deliveries of urgent and bulk on it.
    pub(super) fn link(&self) -> (Link, [BoxStream<'static, (Message, Ack)>; 2]) {
        let down = CancellationToken::new();
        let ((urgent, urgents), (bulk, bulks)) = (unbounded_channel(), unbounded_channel());
        let mut state = self.state.lock().unwrap();
        state.links += 1;
        state.link = Some(Up {
            number: state.links,
            down: down.clone(),
            lanes: [urgent, bulk],
        });
        let link = Link {
            broker: self.clone(),
            down,
        };
        self.give_out(&mut state);
        let stream = |deliveries| {
            unfold(deliveries, |mut from: UnboundedReceiver<_>| async move {
                Some((from.recv().await?, from))
            })
        };
        (link, [stream(urgents).boxed(), stream(bulks).boxed()])
    }

    /// The link falls: all that is unacked is ready again, at the head.
    pub(super) fn cut(&self) {
        let state = &mut *self.state.lock().unwrap();
        if let Some(link) = state.link.take() {
            link.down.cancel();
        }
        for (_, mut message) in std::mem::take(&mut state.unacked).into_iter().rev() {
            message.redelivered = true;
            message.delivery_count += 1;
            state.ready[message.lane as usize].push_front(message);
        }
    }

    pub(super) fn publish(&self, message: Message) {
        let mut state = self.state.lock().unwrap();
        state.ready[message.lane as usize].push_back(message);
        self.give_out(&mut state);
    }

    fn give_out(&self, state: &mut State) {
        let Some(link) = &state.link else { return };
        for lane in Lane::ALL {
            while let Some(message) = state.ready[*lane as usize].pop_front() {
                state.tags += 1;
                let ack = Ack {
                    broker: self.clone(),
                    link: link.number,
                    tag: state.tags,
                    label: label(&message),
                };
                state.unacked.insert(state.tags, message.clone());
                // The worker may have stopped taking: then it stays unacked.
                let _ = link.lanes[*lane as usize].send((message, ack));
            }
        }
    }

    /// Adds a fault; the first that decides wins.
    pub(super) fn fault(&self, fault: impl FnMut(&Posted<'_>) -> Option<Fate> + Send + 'static) {
        self.state.lock().unwrap().faults.push(Box::new(fault));
    }

    /// Takes all faults away.
    pub(super) fn heal(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    /// Messages that are not done with: ready, unacked, delayed.
    pub(super) fn left(&self) -> [usize; 3] {
        let state = self.state.lock().unwrap();
        let ready = state.ready.iter().map(VecDeque::len).sum();
        [ready, state.unacked.len(), state.delayed]
    }

    pub(super) fn dead(&self) -> Vec<Outgoing> {
        self.state.lock().unwrap().dead.clone()
    }

    /// What came back last from a delay queue.
    pub(super) fn last_deferred(&self) -> Option<Message> {
        self.state.lock().unwrap().deferred.clone()
    }

    /// The outcomes' bodies.
    pub(super) fn outcomes(&self) -> Vec<serde_json::Value> {
        let state = self.state.lock().unwrap();
        let bodies = state.outcomes.iter().map(|outcome| &outcome.body);
        bodies.map(|b| serde_json::from_slice(b).unwrap()).collect()
    }

    /// What workers told of themselves.
    pub(super) fn states(&self) -> Vec<Outgoing> {
        self.state.lock().unwrap().states.clone()
    }

    fn fate(&self, text: &str) -> Option<Fate> {
        let now = self.journal.now();
        let posted = Posted { text, now };
        let mut state = self.state.lock().unwrap();
        state.faults.iter_mut().find_map(|fault| fault(&posted))
    }

    fn keep(&self, message: &Outgoing) {
        let mut state = self.state.lock().unwrap();
        match message.to {
            To::Dead => state.dead.push(message.clone()),
            To::Outcome if message.routing_key.starts_with("worker.") => {
                state.states.push(message.clone());
            }
            To::Outcome => state.outcomes.push(message.clone()),
            To::Retry(lane, delay) => {
                state.delayed += 1;
                tokio::spawn(self.clone().bring_back(message.clone(), lane, delay));
            }
        }
    }

    /// What the true broker does when a delay is over: the message comes through the return exchange.
    async fn bring_back(self, message: Outgoing, lane: Lane, delay: Duration) {
        sleep(delay).await;
        let read = headers::read(&headers::write(&message), true);
        let back = Message {
            lane,
            publisher: message.routing_key,
            route: Route::Lane,
            publisher_verified: read.publisher_verified,
            body: message.body,
            properties: read.properties,
            history: read.history,
            from_newer_worker: read.newer,
            redelivered: false,
            delivery_count: 0,
        };
        let mut state = self.state.lock().unwrap();
        state.delayed -= 1;
        state.deferred = Some(back.clone());
        drop(state);
        self.publish(back);
    }
}

impl Outbox for Link {
    async fn publish(&self, message: &Outgoing) -> Result<(), PublishError> {
        let text = text(message);
        if !self.is_up() {
            return Err(PublishError::LinkDown);
        }
        let fate = self.broker.fate(&text);
        sleep(CONFIRM / 2).await;
        if matches!(fate, None | Some(Fate::KeptInSilence | Fate::KeptAndCut)) {
            self.broker.keep(message);
        }
        let rest = match fate {
            Some(Fate::Swallowed | Fate::KeptInSilence) => CONFIRM_MAX,
            _ => CONFIRM / 2,
        };
        if fate == Some(Fate::LostAndCut) {
            self.broker.cut();
        }
        let result = tokio::select! {
            biased;
            () = self.down.cancelled() => Err(PublishError::LinkDown),
            () = sleep(rest) => match fate {
                None | Some(Fate::KeptAndCut) => Ok(()),
                Some(Fate::Refused(error)) => Err(error),
                Some(_) => Err(PublishError::TimedOut),
            },
        };
        self.broker.journal.note(match result {
            Ok(()) => text,
            Err(error) => format!("failed {text}: {error:?}"),
        });
        if fate == Some(Fate::KeptAndCut) {
            self.broker.cut();
        }
        result
    }

    fn is_up(&self) -> bool {
        !self.down.is_cancelled()
    }

    async fn down(&self) {
        self.down.cancelled().await;
    }
}

impl Receipt for Ack {
    async fn ack(self) -> bool {
        sleep(CONFIRM / 4).await;
        let mut state = self.broker.state.lock().unwrap();
        let ours = state.link.as_ref().is_some_and(|l| l.number == self.link);
        let taken = ours && state.unacked.remove(&self.tag).is_some();
        let word = if taken { "ack" } else { "stale ack" };
        self.broker.journal.note(format!("{word} {}", self.label));
        taken
    }
}
