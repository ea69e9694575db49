//! Tells of this worker among the outcomes, for whoever follows a campaign without a way to it.
//!
//! Only while it has to do with one, so that an idle worker writes nothing. Nothing waits for it, and a
//! publish that fails is not tried again: the next one says more.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Worker;
use crate::{
    campaign::worker_state::{self, WorkerState},
    event::Properties,
    revoke::Api,
    settle::{Outbox, Outgoing, To},
    telemetry::{State, Why, state::Snapshot},
};

/// How often the state is looked at: a change is told at most so often.
const LOOK: Duration = Duration::from_secs(2);
/// A worker has to do with a campaign for so long after an event of it came.
const CONCERNED: Duration = Duration::from_secs(60);
/// Told again after so long, if it is the same.
const EVERY: Duration = Duration::from_secs(worker_state::EVERY_SECONDS);

/// Who this worker is to those who follow a campaign.
#[derive(Debug)]
pub struct Teller {
    worker: String,
    /// When an event of a campaign last came.
    campaign_at: Mutex<Option<Instant>>,
}

impl Teller {
    /// A worker that starts now, with an id that no other has.
    pub fn start() -> Self {
        Self {
            worker: uuid::Uuid::new_v4().to_string(),
            campaign_at: Mutex::default(),
        }
    }

    /// The worker's id.
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// An event of a campaign has come in the bulk lane.
    pub(super) fn handles_campaign(&self) {
        *self.lock() = Some(Instant::now());
    }

    fn is_concerned(&self) -> bool {
        self.lock().is_some_and(|at| at.elapsed() < CONCERNED)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.campaign_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Api> Worker<A> {
    /// Tells for as long as the outbox stands. What interrupts a campaign is told to its end, since no
    /// event comes meanwhile.
    pub async fn tell<O: Outbox>(self: Arc<Self>, outbox: Arc<O>) {
        if !self.settings.outcomes {
            return;
        }
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told: Option<(Why, Instant)> = None;
        loop {
            tokio::select! {
                () = outbox.down() => return,
                _ = tick.tick() => {}
            }
            let shown = self.board.snapshot();
            let is_due = told.is_none_or(|(why, at)| why != shown.why || at.elapsed() >= EVERY);
            let interrupted = told.is_some_and(|(why, _)| why.state() != State::Running);
            if !is_due || !(interrupted || self.teller.is_concerned()) {
                continue;
            }
            told = Some((shown.why, Instant::now()));
            if let Err(error) = outbox.publish(&self.state_message(&shown)).await {
                tracing::debug!("the worker's state was not told: {error}");
            }
        }
    }

    fn state_message(&self, shown: &Snapshot) -> Outgoing {
        let state = WorkerState {
            r#type: worker_state::TYPE.to_owned(),
            worker: self.teller.worker.clone(),
            at: (self.wall)(),
            state: shown.state.as_str().to_owned(),
            why: shown.why.sentence().to_owned(),
            since: shown.since,
            next_probe: shown.next_probe,
            rate: self.gate.rate(),
        };
        Outgoing {
            to: To::Outcome,
            routing_key: state.routing_key(),
            body: state.write().into(),
            properties: Properties {
                content_type: Some("application/json".into()),
                ..Properties::default()
            },
            headers: Vec::new(),
        }
    }
}
