//! The sandbox's own routes, which no real API has: seed it, break it, count what it did.
//!
//! | route | does |
//! |---|---|
//! | `POST /sandbox/seed` | makes users and sessions ([`Seed`](super::Seed)); answers with their ids |
//! | `POST /sandbox/faults` | replaces all faults and limits ([`Plan`](super::Plan)); `{}` ends them all |
//! | `GET /sandbox/stats` | [`Stats`]: counts since the start, and what the limits did in each of the last seconds |
//! | `GET /sandbox/sessions?state=revoked` or `live`, or all | a JSON object a line: `session_id`, `user_id`, `revoked_at_ms`, `revoke_calls` |
//!
//! They need no credentials: the sandbox listens on loopback, and its secret is none.

use hyper::{Method, http::request::Parts};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{
    answer::{Answer, Delivery},
    request,
    route::Project,
    stats::Stats,
};

/// Paths that begin so are the sandbox's own.
pub(super) const PREFIX: &str = "/sandbox/";

impl Project {
    /// Answers a request to the sandbox itself.
    pub(super) fn control(&mut self, parts: &Parts, body: &[u8], now: Timestamp) -> Answer {
        let done = match (&parts.method, parts.uri.path()) {
            (&Method::POST, "/sandbox/seed") => parse(body).and_then(|seed| {
                let made = self
                    .world
                    .seed(&seed, now)
                    .map_err(|error| error.to_string())?;
                to_json(&made)
            }),
            (&Method::POST, "/sandbox/faults") => parse(body).and_then(|plan| {
                self.set_plan(&plan).map_err(|error| error.to_string())?;
                Ok("{}".to_owned())
            }),
            (&Method::GET, "/sandbox/stats") => to_json(&self.stats_now()),
            (&Method::GET, "/sandbox/sessions") => match request::query(parts, "state") {
                None => return ledger(None),
                Some("revoked") => return ledger(Some(true)),
                Some("live") => return ledger(Some(false)),
                Some(_) => Err("state is revoked or live, or left out for all".to_owned()),
            },
            _ => {
                let help = "no such route; there are POST /sandbox/seed, POST /sandbox/faults, GET /sandbox/stats and GET /sandbox/sessions";
                return Answer::json(404, serde_json::json!({"error": help}).to_string());
            }
        };
        match done {
            Ok(body) => Answer::json(200, body),
            Err(problem) => Answer::json(400, serde_json::json!({"error": problem}).to_string()),
        }
    }

    /// The counts, with the sessions in memory.
    pub(super) fn stats_now(&self) -> Stats {
        let (total, live) = self.world.count();
        let mut stats = self.stats.clone();
        (stats.sessions.total, stats.sessions.live) = (total as u64, live as u64);
        stats
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn to_json(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

fn ledger(revoked: Option<bool>) -> Answer {
    Answer::new(200, "application/x-ndjson", String::new()).delivered(Delivery::Ledger(revoked))
}
