//! Campaigns from the list to the proof, with the real binary at every place.

mod broken;
mod drill;
mod forged;
mod gap;
mod given;
mod lists;
mod logged_out;
mod report;
mod unwritten;

use std::{collections::HashMap, path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::harness::{World, is_full};

/// Users in one request to the sandbox: it takes bodies of up to 64 KiB.
const USERS_AT_ONCE: usize = 1_000;

/// How many users a test of the whole has.
fn users_all() -> usize {
    if is_full() { 20_000 } else { 1_500 }
}

/// How long a campaign may take on a machine that does other things as well.
const LONGEST: Duration = Duration::from_secs(600);

/// The users of a test, and which of their sessions must end.
struct Users {
    ids: Vec<String>,
    /// Sessions by id, with whether they must end.
    sessions: HashMap<String, bool>,
    cutoff: Timestamp,
}

impl Users {
    /// Users with one to three sessions that were started an hour ago, and some of them with one that
    /// was started after the cutoff.
    async fn seed(world: &World, count: usize) -> Self {
        let now = Timestamp::now();
        let (old, cutoff) = (
            now - SignedDuration::from_hours(1),
            now - SignedDuration::from_mins(1),
        );
        let (mut ids, mut sessions) = (Vec::new(), HashMap::new());
        for per_user in 1..=3 {
            let mut left = count / 3 + usize::from(count % 3 >= per_user);
            while left > 0 {
                let users = left.min(USERS_AT_ONCE);
                left -= users;
                let seed =
                    json!({"users": users, "sessions_per_user": per_user, "started_at": old});
                let made = world.sandbox.seed(&seed).await;
                let strings = |name: &str| -> Vec<String> {
                    serde_json::from_value(made[name].clone()).unwrap()
                };
                ids.extend(strings("user_ids"));
                sessions.extend(strings("session_ids").into_iter().map(|id| (id, true)));
            }
        }
        for user_id in ids.iter().step_by(50) {
            let newer = world.sandbox.seed_more(user_id, 1, now).await;
            sessions.extend(newer.into_iter().map(|id| (id, false)));
        }
        Self {
            ids,
            sessions,
            cutoff,
        }
    }

    /// As a list with a header and quotes.
    fn write(&self, world: &World) -> PathBuf {
        let path = world.file("users.csv");
        let rows: String = self
            .ids
            .iter()
            .map(|id| format!("\"{id}\",x\r\n"))
            .collect();
        std::fs::write(&path, format!("\u{feff}user_id,name\r\n{rows}")).unwrap();
        path
    }

    /// Every session that must end has, and no other.
    async fn check(&self, world: &World) {
        let found = world.sandbox.sessions().await;
        let wrong: Vec<_> = self
            .sessions
            .iter()
            .filter(|(id, ends)| found[*id].revoked_at_ms.is_some() != **ends)
            .collect();
        assert!(
            wrong.is_empty(),
            "{} sessions, such as {:?}",
            wrong.len(),
            wrong.first()
        );
    }
}
