//! What the demo publishes, and what should become of each event.
//!
//! Made new in each run: ids are random, the mixture is fixed.

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sandbox::Sandbox;

/// Live sessions of each user: started before the event, so that they must end.
const SESSIONS_OLDER: usize = 3;
/// Sessions whose every revoke is answered 500.
const SESSIONS_BROKEN: usize = 3;
/// Calls a second that the sandbox takes; the worker is not told.
const LIMIT_PER_SECOND: u32 = 150;

/// Bodies that break the contract, one kind each.
const MALFORMED: [&str; 8] = [
    "",
    "{\"type\":\"session.revoke.v1\",",
    "[]",
    r#"{"type":"session.revoke.v1","id":"ID","occurred_at":"NOW","reason":"policy"}"#,
    r#"{"type":"session.revoke.v1","id":"ID","occurred_at":"NOW","reason":"policy","sesion_id":"session-test-00000000-0000-4000-8000-000000000000"}"#,
    r#"{"type":"session.revoke.v1","id":"ID","occurred_at":"yesterday","reason":"policy","user_id":"user-test-00000000-0000-4000-8000-000000000000"}"#,
    r#"{"type":"session.revoke.v1","id":"ID","occurred_at":"NOW","reason":"policy","session_id":null}"#,
    r#"{"type":"session.revoke.v9","id":"ID","occurred_at":"NOW","reason":"policy","session_id":"session-test-00000000-0000-4000-8000-000000000000"}"#,
];

/// An event to publish.
pub(crate) struct Event {
    /// Its id; for a malformed body that may have none, see `publisher`.
    pub id: String,
    /// The routing key. Malformed events have a publisher each, by which their dead letters are known.
    pub publisher: String,
    /// `urgent` or `bulk`.
    pub lane: &'static str,
    /// The message body.
    pub body: String,
    /// What should become of it.
    pub fate: Fate,
}

/// What should become of an event.
pub(crate) enum Fate {
    /// This session is revoked.
    Revoked(String),
    /// Every one of these sessions of a user is revoked, and this newer one is not.
    AllRevoked {
        /// Started before the event.
        older: Vec<String>,
        /// Started after it.
        newer: String,
    },
    /// The session had ended before: it is asked for, and that is all.
    EndedBefore(String),
    /// The session never was: it is asked for, and that is all.
    NeverWas,
    /// It is dead-lettered: nobody can do it.
    DeadLettered,
}

/// All events of a demo.
pub(crate) struct Load {
    /// In the order in which they are published.
    pub events: Vec<Event>,
}

impl Load {
    /// Makes the events, and in the sandbox what they are about.
    pub(crate) async fn new(count: u32, sandbox: &Sandbox) -> anyhow::Result<Self> {
        let count = count as usize;
        let (users, gone, malformed) = (count / 20, count / 25, count / 50);
        let sessions = count - users - gone - malformed - SESSIONS_BROKEN;
        let now = Timestamp::now();
        let occurred_at = now - SignedDuration::from_secs(60);

        let mut fates = user_fates(users, now, sandbox).await?;
        let session_ids: Vec<_> = (0..sessions).map(|_| id_of("session")).collect();
        let broken: Vec<_> = (0..SESSIONS_BROKEN).map(|_| id_of("session")).collect();
        let ended: Vec<_> = (0..gone / 2).map(|_| id_of("session")).collect();
        let all = [&session_ids[..], &broken[..], &ended[..]].concat();
        sandbox.seed_sessions(&all).await?;
        for session_id in &ended {
            sandbox.log_out(session_id).await?;
        }
        sandbox.set_faults(&faults(&session_ids, &broken)).await?;

        let mut events = Vec::with_capacity(count);
        let target = |key: &str, id: &str| json!({ key: id });
        for (user_id, fate) in fates.drain(..) {
            events.push(event(occurred_at, target("user_id", &user_id), fate));
        }
        for id in broken {
            events.push(event(
                occurred_at,
                target("session_id", &id),
                Fate::DeadLettered,
            ));
        }
        for id in session_ids {
            let target = target("session_id", &id);
            events.push(event(occurred_at, target, Fate::Revoked(id)));
        }
        for _ in ended.len()..gone {
            let target = target("session_id", &id_of("session"));
            events.push(event(occurred_at, target, Fate::NeverWas));
        }
        for id in ended {
            let target = target("session_id", &id);
            events.push(event(occurred_at, target, Fate::EndedBefore(id)));
        }
        events.extend((0..malformed).map(|i| malformed_event(i, occurred_at)));
        fastrand::shuffle(&mut events);
        ensure!(events.len() == count, "the mixture must add up");
        Ok(Self { events })
    }
}

/// Users with sessions older and newer than the event that will name them.
async fn user_fates(
    users: usize,
    now: Timestamp,
    sandbox: &Sandbox,
) -> anyhow::Result<Vec<(String, Fate)>> {
    let user_ids: Vec<_> = (0..users).map(|_| id_of("user")).collect();
    let hour_ago = now - SignedDuration::from_hours(1);
    let older = sandbox
        .seed_users(&user_ids, SESSIONS_OLDER, hour_ago)
        .await?;
    let newer = sandbox.seed_users(&user_ids, 1, now).await?;
    let pairs = user_ids
        .into_iter()
        .zip(older.chunks(SESSIONS_OLDER).zip(newer));
    Ok(pairs
        .map(|(user_id, (older, newer))| {
            let older = older.to_vec();
            (user_id, Fate::AllRevoked { older, newer })
        })
        .collect())
}

/// One session in so many is answered 429 without the limit being met. More would not be a limit but noise,
/// which the worker would rightly take for a limit of a few calls a second.
const ONE_REFUSED_IN: usize = 200;

/// A limit, errors by rate, two 429s in a row for a few sessions, and 500 for ever for the broken ones.
fn faults(session_ids: &[String], broken: &[String]) -> Value {
    let mut by_id = serde_json::Map::new();
    for id in session_ids.iter().step_by(ONE_REFUSED_IN) {
        by_id.insert(id.clone(), json!({ "fault": "429", "times": 2 }));
    }
    for id in broken {
        by_id.insert(id.clone(), json!("500"));
    }
    json!({
        "rates": { "500": 0.02, "503": 0.01, "reset": 0.002 },
        "by_id": by_id,
        "limit": { "per_second": LIMIT_PER_SECOND },
    })
}

/// One event in five is urgent.
fn lane() -> (&'static str, &'static str) {
    match fastrand::u8(0..5) {
        0 => ("urgent", "password-reset"),
        _ => ("bulk", "security-campaign"),
    }
}

fn event(occurred_at: Timestamp, target: Value, fate: Fate) -> Event {
    let (lane, publisher) = lane();
    event_in(lane, publisher, occurred_at, target, fate)
}

/// A valid event in a lane.
pub(crate) fn event_in(
    lane: &'static str,
    publisher: &str,
    occurred_at: Timestamp,
    target: Value,
    fate: Fate,
) -> Event {
    let id = Uuid::new_v4().to_string();
    let mut body = json!({
        "type": "session.revoke.v1",
        "id": id,
        "occurred_at": occurred_at,
        "reason": "security_incident",
    });
    if let (Value::Object(body), Value::Object(target)) = (&mut body, target) {
        body.extend(target);
    }
    Event {
        id,
        publisher: publisher.to_owned(),
        lane,
        body: body.to_string(),
        fate,
    }
}

fn malformed_event(i: usize, occurred_at: Timestamp) -> Event {
    let id = Uuid::new_v4().to_string();
    let body = MALFORMED[i % MALFORMED.len()]
        .replace("ID", &id)
        .replace("NOW", &occurred_at.to_string());
    Event {
        id,
        publisher: format!("malformed-{i}"),
        lane: lane().0,
        body,
        fate: Fate::DeadLettered,
    }
}

/// A new id of this kind (`session` or `user`) in the test environment.
pub(crate) fn id_of(kind: &str) -> String {
    format!("{kind}-test-{}", Uuid::new_v4())
}
