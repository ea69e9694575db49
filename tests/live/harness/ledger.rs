//! The ledger of a test that breaks things: what was published, and what became of each event.
//!
//! P: confirmed by the broker. R: the pretend API saw the session revoked. D: dead-lettered. Q: left
//! in queues. Right is P ⊆ R ∪ D, Q = ∅, an outcome for each event and nothing else touched. Calls and
//! dead letters beyond one each are duplicates, of which the test knows how many may be.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Event, World, sandbox::Session, tally::Tally, wait};

/// Sessions whose every revoke is answered 500.
const BROKEN: usize = 3;
/// Bodies that are no event.
const MALFORMED: usize = 5;
/// Sessions nobody asks to revoke.
pub(crate) const BYSTANDERS: usize = 50;

/// What is published, and what is expected of it.
pub(crate) struct Ledger {
    /// All events, both lanes mixed.
    pub(crate) events: Vec<Event>,
    sessions: HashMap<String, String>,
    broken: Vec<String>,
    dead: BTreeMap<String, &'static str>,
    bystanders: Vec<String>,
}

impl Ledger {
    /// `count` events, nearly all of which can be done, and in the sandbox what they are about. Each
    /// session is named by one event. Sets the sandbox's faults: see [`Self::faults`].
    pub(crate) async fn new(world: &World, count: usize) -> Self {
        let ids = world.sandbox.seed_sessions(BROKEN).await;
        let broken = ids.iter().map(|id| Event::session(id));
        let broken = broken.map(|event| (event, "attempts_exhausted"));
        let dead = broken.chain(malformed(MALFORMED)).collect();
        let ledger = Self::with(world, count, ids, dead).await;
        world.sandbox.faults(&ledger.faults()).await;
        ledger
    }

    /// `count` events, all of which can be done.
    pub(crate) async fn of_good(world: &World, count: usize) -> Self {
        Self::with(world, count, Vec::new(), Vec::new()).await
    }

    /// `count` events, none of which can be.
    pub(crate) async fn of_malformed(world: &World, count: usize) -> Self {
        Self::with(world, count, Vec::new(), malformed(count).collect()).await
    }

    /// `dead`: events, and what each is to be dead-lettered as.
    async fn with(
        world: &World,
        count: usize,
        broken: Vec<String>,
        dead: Vec<(Event, &'static str)>,
    ) -> Self {
        let good = world.sandbox.seed_sessions(count - dead.len()).await;
        let good = good.into_iter().map(|id| (Event::session(&id), id));
        let mut ledger = Self::of(world, good.collect(), dead).await;
        ledger.broken = broken;
        fastrand::shuffle(&mut ledger.events);
        let lanes = ["urgent", "bulk"].iter().cycle();
        for (event, lane) in ledger.events.iter_mut().zip(lanes) {
            event.exchange = (*lane).to_owned();
        }
        ledger
    }

    /// These events: each with the session it is to revoke, or the code it is to be dead-lettered as.
    pub(crate) async fn of(
        world: &World,
        good: Vec<(Event, String)>,
        dead: Vec<(Event, &'static str)>,
    ) -> Self {
        let id = |event: &Event| event.id.clone();
        Self {
            sessions: good.iter().map(|(e, to)| (id(e), to.clone())).collect(),
            dead: dead.iter().map(|(e, code)| (id(e), *code)).collect(),
            events: good
                .into_iter()
                .map(|(event, _)| event)
                .chain(dead.into_iter().map(|(event, _)| event))
                .collect(),
            broken: Vec::new(),
            bystanders: world.sandbox.seed_sessions(BYSTANDERS).await,
        }
    }

    /// The session that an event is to revoke.
    pub(crate) fn session_of(&self, event: &Event) -> &str {
        &self.sessions[&event.id]
    }

    /// The sandbox's faults that make its broken sessions fail for ever: whoever sets other faults
    /// adds them to these.
    pub(crate) fn faults(&self) -> Value {
        let by_id: HashMap<_, _> = self.broken.iter().map(|id| (id, "500")).collect();
        json!({ "by_id": by_id })
    }

    /// Waits until every event came to its end in the pretend API or the dead-letter queue.
    pub(crate) async fn settled(&self, world: &World, longest: Duration) {
        wait::until("every event comes to its end", longest, async || {
            // A number is asked for cheaply, and the list only when it may be complete.
            if world.sandbox.revoked().await < self.sessions.len() as u64 {
                return false;
            }
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

    /// What became of every event, with all workers ended.
    pub(crate) async fn tally(&self, world: &World) -> Tally {
        let sessions = world.sandbox.sessions().await;
        let mut letters = BTreeMap::<String, Vec<String>>::new();
        for letter in world.broker.dead_letters().await {
            let codes = letters
                .entry(letter.ours("event-id").to_owned())
                .or_default();
            codes.push(letter.ours("code").to_owned());
        }
        let asked: BTreeSet<_> = self.events.iter().map(|e| e.id.clone()).collect();
        let is_lost = |id: &String| {
            let session = self.sessions.get(id);
            !session.is_some_and(|id| is_revoked(&sessions, id)) && !letters.contains_key(id)
        };
        let is_wrong = |id: &String, code: &String| self.dead.get(id) != Some(&code.as_str());
        let wrong = letters.iter().flat_map(|(id, codes)| {
            let codes = codes.iter().filter(move |code| is_wrong(id, code));
            codes.map(move |code| format!("{id}: {code}"))
        });
        let outcomes = world.broker.outcomes().await;
        let told = outcomes.iter().map(|o| o.event_id().to_owned()).collect();
        let unasked = |id: &&String| sessions[*id].revoke_calls > 0;
        let calls = self.sessions.values();
        let calls = calls.map(|id| sessions[id].revoke_calls.saturating_sub(1));
        Tally {
            events: self.events.len() as u64,
            lost: asked.iter().filter(|id| is_lost(id)).cloned().collect(),
            wrongly_dead_lettered: wrong.collect(),
            calls: calls.sum(),
            dead_letters: letters.values().map(|codes| codes.len() as u64 - 1).sum(),
            queued: world.broker.queued().await,
            untold: asked.symmetric_difference(&told).cloned().collect(),
            unasked: self.bystanders.iter().filter(unasked).cloned().collect(),
            longest_gap: longest_gap(sessions.values()),
        }
    }
}

/// The longest time between two revocations in a row.
fn longest_gap<'s>(sessions: impl Iterator<Item = &'s Session>) -> Duration {
    let mut revoked_at_ms: Vec<_> = sessions.filter_map(|s| s.revoked_at_ms).collect();
    revoked_at_ms.sort_unstable();
    let gaps = revoked_at_ms.windows(2).map(|pair| pair[1] - pair[0]);
    Duration::from_millis(gaps.max().unwrap_or(0).unsigned_abs())
}

fn malformed(count: usize) -> impl Iterator<Item = (Event, &'static str)> {
    let event = || (Event::new(json!({})), "target_missing");
    std::iter::repeat_with(event).take(count)
}

fn is_revoked(sessions: &HashMap<String, Session>, id: &str) -> bool {
    sessions
        .get(id)
        .is_some_and(|session| session.revoked_at_ms.is_some())
}
