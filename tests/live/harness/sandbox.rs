//! The pretend API as a process, and its control port: sessions to make, faults, what became of them.

use std::{collections::HashMap, path::Path, time::Duration};

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use revoker::revoke::sandbox::{PROJECT_ID_DEFAULT, SECRET_DEFAULT};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PATIENCE, process::Process, wait};

/// The one project the sandbox knows.
pub(crate) const PROJECT_ID: &str = PROJECT_ID_DEFAULT;
/// Its secret.
pub(crate) const SECRET: &str = SECRET_DEFAULT;
/// Ids in one request: the sandbox takes bodies of up to 64 KiB.
const IDS_MAX: usize = 1000;

/// A running sandbox.
pub(crate) struct Sandbox {
    /// Where it listens: the base URL of the pretend API.
    pub(crate) url: String,
    client: Client,
    /// Ends with it.
    _process: Process,
}

/// What the sandbox knows of a session.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) session_id: String,
    /// When it was revoked, if it was.
    pub(crate) revoked_at_ms: Option<i64>,
    /// How many revoke calls named it.
    pub(crate) revoke_calls: u64,
}

impl Sandbox {
    /// Starts one on a free port; `arguments` are added to its command line.
    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["sandbox", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut process = Process::spawn(&all, [], folder.join("sandbox.log"));
        let url = wait::value("the sandbox listens", PATIENCE, async || {
            assert!(process.ended().is_none(), "the sandbox ended at its start");
            let log = process.log();
            let url = log
                .lines()
                .find_map(|l| l.strip_prefix("sandbox listening on "));
            url.map(|url| url.trim_end_matches('/').to_owned())
        })
        .await;
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        Self {
            url,
            client,
            _process: process,
        }
    }

    /// Makes sessions under ids of their own; returns the ids.
    pub(crate) async fn seed_sessions(&self, count: usize) -> Vec<String> {
        let ids: Vec<_> = (0..count).map(|_| new_id("session")).collect();
        for ids in ids.chunks(IDS_MAX) {
            self.seed(&json!({ "session_ids": ids })).await;
        }
        ids
    }

    /// Makes a user with sessions that were started at that time; returns the user's id and theirs.
    pub(crate) async fn seed_user(
        &self,
        sessions: usize,
        started_at: Timestamp,
    ) -> (String, Vec<String>) {
        let user_id = new_id("user");
        let ids = self.seed_more(&user_id, sessions, started_at).await;
        (user_id, ids)
    }

    /// Gives a user further sessions.
    pub(crate) async fn seed_more(
        &self,
        user_id: &str,
        sessions: usize,
        started_at: Timestamp,
    ) -> Vec<String> {
        let seed = json!({
            "user_ids": [user_id], "sessions_per_user": sessions, "started_at": started_at,
        });
        let made = self.seed(&seed).await;
        serde_json::from_value(made["session_ids"].clone()).unwrap()
    }

    /// Makes a session with a session token; returns the session's id and the token.
    pub(crate) async fn seed_token(&self) -> (String, String) {
        // 44 characters, as Stytch's are.
        let token = format!(
            "{}{}",
            Uuid::new_v4().simple(),
            &Uuid::new_v4().simple().to_string()[..12]
        );
        let session_id = new_id("session");
        self.seed(&json!({ "tokens": { &token: &session_id } }))
            .await;
        (session_id, token)
    }

    /// `POST /sandbox/seed`.
    pub(crate) async fn seed(&self, what: &Value) -> Value {
        let request = self.client.post(format!("{}/sandbox/seed", self.url));
        serde_json::from_slice(&ok_body(request.json(what)).await).unwrap()
    }

    /// Replaces all faults and limits; `{}` ends them all.
    pub(crate) async fn faults(&self, plan: &Value) {
        let request = self.client.post(format!("{}/sandbox/faults", self.url));
        ok_body(request.json(plan)).await;
    }

    /// How many requests were answered in which way.
    pub(crate) async fn stats(&self) -> Value {
        let request = self.client.get(format!("{}/sandbox/stats", self.url));
        serde_json::from_slice(&ok_body(request).await).unwrap()
    }

    /// How many sessions were revoked.
    pub(crate) async fn revoked(&self) -> u64 {
        self.stats().await["revokes"]["revoked"].as_u64().unwrap()
    }

    /// Every session, by id.
    pub(crate) async fn sessions(&self) -> HashMap<String, Session> {
        let request = self.client.get(format!("{}/sandbox/sessions", self.url));
        let body = ok_body(request).await;
        let lines = body.split(|byte| *byte == b'\n').filter(|l| !l.is_empty());
        lines
            .map(|line| serde_json::from_slice::<Session>(line).unwrap())
            .map(|session| (session.session_id.clone(), session))
            .collect()
    }

    /// The ids of the sessions a user has, as the API itself lists them.
    pub(crate) async fn listed(&self, user_id: &str) -> Vec<String> {
        let request = self
            .client
            .get(format!("{}/v1/sessions?user_id={user_id}", self.url))
            .basic_auth(PROJECT_ID, Some(SECRET));
        let answer: Value = serde_json::from_slice(&ok_body(request).await).unwrap();
        let sessions = answer["sessions"].as_array().unwrap().iter();
        sessions
            .map(|session| session["session_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A new id of this kind (`session` or `user`) in the test environment.
pub(crate) fn new_id(kind: &str) -> String {
    format!("{kind}-test-{}", Uuid::new_v4())
}

async fn ok_body(request: RequestBuilder) -> Vec<u8> {
    let answer = request.send().await.expect("the sandbox must answer");
    let status = answer.status();
    let body = answer.bytes().await.unwrap();
    let text = String::from_utf8_lossy(&body);
    assert!(status.is_success(), "the sandbox answered {status}: {text}");
    body.into()
}
