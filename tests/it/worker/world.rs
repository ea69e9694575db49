//! One worker between the two fakes, on a paused clock that the wall clock follows.

use std::{cell::Cell, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use revoker::{
    broker::topology::Names,
    event::{Environment, Expectations, Lane, Message},
    gate::{self, Gate, OutageMode, flights::Flights},
    settle::{self, seal::KeyRing},
    telemetry::{Metrics, StateBoard, state::State},
    worker::{End, Heard, Obeyed, Solitude, Teller, Worker},
};
use secrecy::SecretString;
use tokio::time::{Instant, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{broker::Broker, journal::Journal, stytch::Stytch};

/// When the world begins.
pub(super) const BEGIN: &str = "2026-11-22T06:30:00Z";
pub(super) const PROJECT: &str = "project-test-3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f";
/// How often a wait looks.
const LOOK: Duration = Duration::from_millis(50);

thread_local! {
    /// A wall clock is a plain function, and every test has a thread of its own.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// How far the wall clock is off.
    static OFF: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

/// Sets the wall clock so far off, at once.
pub(super) fn set_clock(off: SignedDuration) {
    OFF.set(off);
}

pub(super) fn wall() -> Timestamp {
    let began = BEGAN.get().expect("a world has begun");
    BEGIN.parse::<Timestamp>().unwrap() + began.elapsed() + OFF.get()
}

/// What a scenario may set.
pub(super) struct Setup {
    pub(super) gate: gate::Settings,
    pub(super) settle: settle::Settings,
    /// The text of a key ring file; `None`: a ring of the API secret's.
    pub(super) keys: Option<&'static str>,
    /// Whether the operator's stream is read to its end at the start, and empty.
    pub(super) orders_read: bool,
}

impl Default for Setup {
    /// The defaults of `revoker run`, but for the start rate.
    fn default() -> Self {
        Self {
            gate: gate::Settings {
                max_rate: None,
                max_rate_total: None,
                // As good as none: what is told here is not how the rate is found out.
                start_rate: 10_000.0,
                slots: 200,
                slots_urgent_only: 32,
                outage: OutageMode::Hold,
                urgent_rate: 50.0,
                hold_limit: Duration::from_secs(600),
            },
            settle: settle::Settings {
                attempts: 6,
                retry_delays: [60, 600, 600].map(Duration::from_secs).into(),
                count_every_failure: false,
                outcomes: true,
                seal_key_file: None,
            },
            keys: None,
            orders_read: true,
        }
    }
}

impl Setup {
    /// `REVOKER_OUTAGE=dead-letter`.
    pub(super) fn classic() -> Self {
        let mut setup = Self::default();
        setup.gate.outage = OutageMode::DeadLetter;
        setup.settle.count_every_failure = true;
        setup
    }
}

/// The whole of it.
pub(super) struct World {
    pub(super) journal: Journal,
    pub(super) stytch: Stytch,
    pub(super) broker: Broker,
    pub(super) worker: Arc<Worker<Stytch>>,
    pub(super) metrics: Arc<Metrics>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl World {
    /// A worker that consumes already. The seed decides every jitter.
    pub(super) fn new(setup: &Setup, seed: u64) -> Self {
        fastrand::seed(seed);
        BEGAN.set(Some(Instant::now()));
        let journal = Journal::new();
        let (stytch, broker) = (Stytch::new(&journal), Broker::new(&journal));
        let metrics = Arc::new(Metrics::new());
        let worker = worker(setup, &stytch, &metrics);
        worker.tend();
        let mut world = Self {
            journal,
            stytch,
            broker,
            worker,
            metrics,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        world.connect();
        world
    }

    /// A world with the defaults.
    pub(super) fn plain() -> Self {
        Self::new(&Setup::default(), 1)
    }

    /// A new link to the broker, its lanes consumed.
    pub(super) fn connect(&mut self) {
        self.worker.board.clear(State::Broker, wall());
        let (link, lanes) = self.broker.link();
        let link = Arc::new(link);
        (self.stop, self.tasks) = (CancellationToken::new(), TaskTracker::new());
        for lane in lanes {
            let (stop, tasks) = (self.stop.clone(), self.tasks.clone());
            let consuming = Arc::clone(&self.worker).lane(lane, Arc::clone(&link), stop, tasks);
            self.tasks.spawn(consuming);
        }
        tokio::spawn(Arc::clone(&self.worker).tell(link));
    }

    /// Hands the worker a message that the broker itself has dead-lettered.
    pub(super) async fn give_up(&self, message: Message) {
        self.broker.cut();
        self.broker.publish(message);
        let (link, [urgent, _]) = self.broker.link();
        let stop = CancellationToken::new();
        let worker = Arc::clone(&self.worker);
        tokio::spawn(worker.unhandled(urgent, Arc::new(link), stop.clone()));
        self.settled(Duration::from_secs(5)).await;
        stop.cancel();
    }

    /// The link falls, and a second later stands again.
    pub(super) async fn reconnect(&mut self) {
        self.broker.cut();
        sleep(Duration::from_secs(1)).await;
        self.connect();
    }

    /// Stops the worker as `serve` does, and leaves the broker.
    pub(super) async fn shut_down(&self, drain: Duration) -> End {
        let end = self.worker.drain(&self.stop, &self.tasks, drain).await;
        self.broker.cut();
        end
    }

    /// Another process takes the place of the one that was shut down.
    pub(super) fn start_again(&mut self, setup: &Setup) {
        self.metrics = Arc::new(Metrics::new());
        self.worker = worker(setup, &self.stytch, &self.metrics);
        self.worker.tend();
        self.connect();
    }

    pub(super) fn publish(&self, message: Message) {
        self.broker.publish(message);
    }

    /// Waits until it is so.
    pub(super) async fn until(&self, max: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = self.journal.now() + max;
        while !holds(self) {
            let last = self.journal.lines().into_iter().rev().take(20);
            assert!(
                self.journal.now() < end,
                "not {what} within {max:?}, left {:?}; backwards: {:#?}",
                self.broker.left(),
                last.collect::<Vec<_>>()
            );
            sleep(LOOK).await;
        }
    }

    /// Waits until nothing is left in any queue or hand.
    pub(super) async fn settled(&self, max: Duration) {
        let none = |world: &Self| world.broker.left() == [0, 0, 0];
        self.until(max, "settled", none).await;
        self.assert_conserved();
    }

    /// The sum of a metric's series whose labels contain all of these.
    pub(super) fn total(&self, name: &str, labels: &[&str]) -> f64 {
        sum(&self.metrics.render(), name, labels)
    }

    /// Whatever was received has ended in one of four ways, or is in hand.
    pub(super) fn assert_conserved(&self) {
        let rendered = self.metrics.render();
        for lane in Lane::ALL {
            let lane = format!("lane=\"{}\"", lane.as_str());
            let of = |name: &str| sum(&rendered, name, &[&lane]);
            let received = of("revoker_events_received_total");
            let parts = [
                of("revoker_events_completed_total"),
                of("revoker_events_deferred_total"),
                of("revoker_events_returned_total"),
                of("revoker_inflight_events"),
            ];
            let ended: f64 = parts.iter().sum();
            assert_eq!(
                received, ended,
                "{lane}: completed, deferred, returned, in hand: {parts:?}"
            );
        }
    }
}

fn sum(rendered: &str, name: &str, labels: &[&str]) -> f64 {
    let series = rendered.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (bare, with) = series.split_once('{').unwrap_or((series, ""));
        (bare == name && labels.iter().all(|label| with.contains(label))).then_some(value)
    });
    series.map(|value| value.parse::<f64>().unwrap()).sum()
}

fn worker(setup: &Setup, stytch: &Stytch, metrics: &Arc<Metrics>) -> Arc<Worker<Stytch>> {
    let secret = SecretString::from("secret-test-of-a-project-that-is-not");
    let ring = match setup.keys {
        Some(text) => KeyRing::parse(text).unwrap(),
        None => KeyRing::from_api_secret(PROJECT, &secret),
    };
    let worker = Arc::new(Worker {
        api: stytch.clone(),
        gate: Gate::new(&setup.gate, wall),
        settings: setup.settle.clone(),
        expectations: Expectations {
            project_id: PROJECT.into(),
            environment: Environment::Test,
            strict_ids: false,
        },
        ring: Arc::new(ring),
        names: Names::new("revocation"),
        audit: settle::perform::Audit::default(),
        metrics: Arc::clone(metrics),
        board: Arc::new(StateBoard::new(Arc::clone(metrics), wall())),
        flights: Flights::default(),
        backlog: Arc::default(),
        heard: Heard::default(),
        solitude: Solitude::default(),
        orders: Obeyed::default(),
        teller: Teller::start(),
        wall,
    });
    if setup.orders_read {
        worker.orders.begin(None);
    }
    worker
}
