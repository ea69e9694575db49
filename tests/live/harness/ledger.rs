//! The ledger of a test that breaks things: what was published, and what became of each event.
//!
//! P: confirmed by the broker. R: the pretend API saw the session revoked. D: dead-lettered. Q: left
//! in queues. Right is P ⊆ R ∪ D, Q = ∅, an outcome for each event and nothing else touched. Calls and
//! dead letters beyond one each are duplicates, of which the test knows how many may be.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use serde_json::json;

use super::{Event, World, sandbox::Session, wait};

/// Sessions whose every revoke is answered 500.
const BROKEN: usize = 3;
/// Bodies that are no event.
const MALFORMED: usize = 5;
/// Sessions nobody asks to revoke.
const BYSTANDERS: usize = 50;

/// What is published, and what is expected of it.
pub(crate) struct Ledger {
    /// All events, both lanes mixed.
    pub(crate) events: Vec<Event>,
    sessions: HashMap<String, String>,
    dead: BTreeMap<String, &'static str>,
    bystanders: Vec<String>,
}

/// What may be done twice, found when all else was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Duplicates {
    /// Revoke calls beyond the first for sessions that were revoked.
    pub(crate) calls: u64,
    /// Dead letters beyond the first of an event.
    pub(crate) dead_letters: u64,
}

impl Ledger {
    /// `count` events, nearly all of which can be done, and in the sandbox what they are about. Each
    /// session is named by one event.
    pub(crate) async fn new(world: &World, count: usize) -> Self {
        let ids = world.sandbox.seed_sessions(count - MALFORMED).await;
        let bystanders = world.sandbox.seed_sessions(BYSTANDERS).await;
        let (broken, good) = ids.split_at(BROKEN);
        let by_id: HashMap<_, _> = broken.iter().map(|id| (id, "500")).collect();
        world.sandbox.faults(&json!({ "by_id": by_id })).await;

        let mut events: Vec<_> = ids.iter().map(|id| Event::session(id)).collect();
        let mut dead = BTreeMap::new();
        for event in &events[..BROKEN] {
            dead.insert(event.id.clone(), "attempts_exhausted");
        }
        let pairs = events[BROKEN..].iter().zip(good);
        let sessions = pairs.map(|(event, id)| (event.id.clone(), id.clone()));
        let sessions = sessions.collect();
        for _ in 0..MALFORMED {
            let event = Event::new(json!({}));
            dead.insert(event.id.clone(), "target_missing");
            events.push(event);
        }
        fastrand::shuffle(&mut events);
        let lanes = ["urgent", "bulk"].iter().cycle();
        let events = events.into_iter().zip(lanes);
        Self {
            events: events
                .map(|(event, lane)| event.in_exchange(lane))
                .collect(),
            sessions,
            dead,
            bystanders,
        }
    }

    /// Waits until every event came to its end in the pretend API or the dead-letter queue.
    pub(crate) async fn settled(&self, world: &World, longest: Duration) {
        wait::until("every event comes to its end", longest, async || {
            let sessions = world.sandbox.sessions().await;
            let revoked = self
                .sessions
                .values()
                .filter(|id| is_revoked(&sessions, id));
            // An event in hand at a crash may be dead-lettered twice: the queue's length says too little.
            revoked.count() == self.sessions.len() && {
                let letters = world.broker.dead_letters().await;
                let ids: BTreeSet<_> = letters.iter().map(|l| l.ours("event-id")).collect();
                ids.len() >= self.dead.len()
            }
        })
        .await;
    }

    /// Checks the ledger, with all workers ended.
    ///
    /// # Panics
    /// When an event is lost or still queued, or anything happened that nobody asked for.
    pub(crate) async fn check(&self, world: &World) -> Duplicates {
        let sessions = world.sandbox.sessions().await;
        let mut letters = BTreeMap::<String, Vec<String>>::new();
        for letter in world.broker.dead_letters().await {
            let codes = letters
                .entry(letter.ours("event-id").to_owned())
                .or_default();
            codes.push(letter.ours("code").to_owned());
        }
        let lost: Vec<_> = self
            .events
            .iter()
            .filter(|event| {
                let revoked = self
                    .sessions
                    .get(&event.id)
                    .is_some_and(|id| is_revoked(&sessions, id));
                !revoked && !letters.contains_key(&event.id)
            })
            .collect();
        assert!(lost.is_empty(), "{} events are lost: {lost:?}", lost.len());
        assert_eq!(world.broker.queued().await, 0, "events are still queued");
        let outcomes = world.broker.outcomes().await;
        let told: BTreeSet<_> = outcomes.iter().map(|o| o.event_id()).collect();
        let asked = self.events.iter().map(|event| event.id.as_str());
        assert_eq!(told, asked.collect(), "events with an outcome");

        let expected: BTreeSet<_> = self.dead.keys().collect();
        assert_eq!(
            letters.keys().collect::<BTreeSet<_>>(),
            expected,
            "dead letters"
        );
        for (id, codes) in &letters {
            let right = codes.iter().all(|code| code == self.dead[id]);
            assert!(right, "{id}: {codes:?}, expected {}", self.dead[id]);
        }
        for id in &self.bystanders {
            assert_eq!(sessions[id].revoke_calls, 0, "nobody asked to revoke {id}");
        }
        let calls = self
            .sessions
            .values()
            .map(|id| sessions[id].revoke_calls - 1);
        let beyond_first = letters.values().map(|codes| codes.len() as u64 - 1);
        Duplicates {
            calls: calls.sum(),
            dead_letters: beyond_first.sum(),
        }
    }
}

fn is_revoked(sessions: &HashMap<String, Session>, id: &str) -> bool {
    sessions
        .get(id)
        .is_some_and(|session| session.revoked_at_ms.is_some())
}
