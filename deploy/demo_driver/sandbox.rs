//! The sandbox's control port: users and sessions to make, faults to inject, and what became of
//! each session.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{PROJECT_ID, SECRET};

/// Ids in one request: the sandbox takes bodies of up to 64 KiB.
const IDS_MAX: usize = 1000;

/// A running sandbox.
pub(crate) struct Sandbox {
    /// Where it listens: also the base URL of the pretend API.
    pub url: String,
    client: Client,
}

/// What the sandbox made, as far as we need it.
#[derive(Debug, Deserialize)]
struct Seeded {
    session_ids: Vec<String>,
}

/// What the sandbox knows of a session.
#[derive(Debug, Deserialize)]
pub(crate) struct Session {
    session_id: String,
    /// When it was revoked, if it was.
    pub revoked_at_ms: Option<i64>,
    /// How many revoke calls named it.
    pub revoke_calls: u32,
}

impl Sandbox {
    /// The sandbox at a URL.
    pub(crate) fn new(url: String) -> anyhow::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { url, client })
    }

    /// Makes sessions under these ids.
    pub(crate) async fn seed_sessions(&self, ids: &[String]) -> anyhow::Result<()> {
        for ids in ids.chunks(IDS_MAX) {
            self.seed(&json!({ "session_ids": ids })).await?;
        }
        Ok(())
    }

    /// Gives each of these users, who are made if need be, so many sessions; returns the sessions'
    /// ids, user by user.
    pub(crate) async fn seed_users(
        &self,
        ids: &[String],
        sessions_per_user: usize,
        started_at: Timestamp,
    ) -> anyhow::Result<Vec<String>> {
        let mut session_ids = Vec::new();
        for ids in ids.chunks(IDS_MAX) {
            let seed = json!({
                "user_ids": ids,
                "sessions_per_user": sessions_per_user,
                "started_at": started_at,
            });
            session_ids.extend(self.seed(&seed).await?.session_ids);
        }
        ensure!(
            session_ids.len() == ids.len() * sessions_per_user,
            "the sandbox did not make the sessions it was asked for"
        );
        Ok(session_ids)
    }

    async fn seed(&self, what: &Value) -> anyhow::Result<Seeded> {
        let request = self
            .client
            .post(format!("{}/sandbox/seed", self.url))
            .json(what);
        Ok(serde_json::from_slice(&ok_body(request).await?)?)
    }

    /// Replaces all faults and limits.
    pub(crate) async fn set_faults(&self, plan: &Value) -> anyhow::Result<()> {
        let request = self
            .client
            .post(format!("{}/sandbox/faults", self.url))
            .json(plan);
        ok_body(request).await.map(drop)
    }

    /// How many requests were answered in which way.
    pub(crate) async fn stats(&self) -> anyhow::Result<Value> {
        let request = self.client.get(format!("{}/sandbox/stats", self.url));
        Ok(serde_json::from_slice(&ok_body(request).await?)?)
    }

    /// Whether it answers at all.
    pub(crate) async fn is_up(&self) -> bool {
        self.stats().await.is_ok()
    }

    /// Every session, by id.
    pub(crate) async fn sessions(&self) -> anyhow::Result<HashMap<String, Session>> {
        let request = self.client.get(format!("{}/sandbox/sessions", self.url));
        let body = ok_body(request).await?;
        let lines = body.split(|byte| *byte == b'\n').filter(|l| !l.is_empty());
        lines
            .map(|line| {
                let session: Session = serde_json::from_slice(line)?;
                Ok((session.session_id.clone(), session))
            })
            .collect()
    }

    /// Revokes a session, as its own log-out would have.
    pub(crate) async fn log_out(&self, session_id: &str) -> anyhow::Result<()> {
        let request = self
            .client
            .post(format!("{}/v1/sessions/revoke", self.url))
            .basic_auth(PROJECT_ID, Some(SECRET))
            .json(&json!({ "session_id": session_id }));
        ok_body(request).await.map(drop)
    }
}

async fn ok_body(request: RequestBuilder) -> anyhow::Result<Vec<u8>> {
    let answer = request
        .send()
        .await
        .context("the sandbox does not answer")?;
    let status = answer.status();
    let body = answer.bytes().await?;
    ensure!(
        status.is_success(),
        "the sandbox answered {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(body.into())
}
