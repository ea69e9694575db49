//! RabbitMQ's management API: it alone knows policies and bindings, and the names of all queues.
//!
//! Only GET requests. What the answers mean is judged in `judge`.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    judge::{self, Bound, Listed},
    report::{Check, Line},
};
use crate::{
    broker::{self, topology::Topology},
    cli::http::Server,
    config::Management,
    tls,
};

/// Queues in one answer.
const PAGE: &str = "500";
/// Answers at most: one prefix has a few dozen queues.
const PAGES_MAX: u32 = 20;
const NEEDS: &str = "check REVOKER_RABBITMQ_MANAGEMENT_URL, and that its user has RabbitMQ's tag monitoring or administrator";

/// What it told about the queues of one prefix.
pub(super) struct Listing {
    pub(super) queues: BTreeMap<String, Listed>,
    server: Server,
    vhost: String,
}

/// Asks for all queues of the prefix; the line says how that went.
pub(super) async fn list(
    management: Option<&Management>,
    settings: &broker::Settings,
    vhost: &str,
) -> (Line, Option<Listing>) {
    let Some(management) = management else {
        let why = "REVOKER_RABBITMQ_MANAGEMENT_URL is not set";
        return (Line::not_checked(Check::Management, why), None);
    };
    match Listing::ask(management, settings, vhost).await {
        Ok((version, listing)) => {
            let said = format!("RabbitMQ {version}, {} queues", listing.queues.len());
            (Line::ok(Check::Management, said), Some(listing))
        }
        Err(line) => (line, None),
    }
}

impl Listing {
    async fn ask(
        management: &Management,
        settings: &broker::Settings,
        vhost: &str,
    ) -> Result<(String, Self), Line> {
        #[derive(Deserialize)]
        struct Overview {
            rabbitmq_version: String,
        }
        let failed = |why: String| Line::failed(Check::Management, why, NEEDS);
        let user = match management.has_user {
            true => None,
            false => Some(broker::login(settings).map_err(|error| failed(error.to_string()))?),
        };
        let url = secrecy::ExposeSecret::expose_secret(&management.url);
        // The API asks nobody for a certificate, and a user it must have.
        let files = tls::Files {
            identity: None,
            ..settings.tls.clone()
        };
        let server = Server::new(url, user, &files).map_err(failed)?;
        let overview: Overview = get(&server, &["api", "overview"], &[]).await?;
        let mut listing = Self {
            queues: BTreeMap::new(),
            server,
            vhost: vhost.to_owned(),
        };
        listing.read_queues(&settings.prefix).await?;
        Ok((overview.rabbitmq_version, listing))
    }

    async fn read_queues(&mut self, prefix: &str) -> Result<(), Line> {
        #[derive(Deserialize)]
        struct Page {
            items: Vec<Listed>,
            page_count: u32,
        }
        // A prefix holds no other character that a regular expression knows.
        let names = format!("^{}\\.", prefix.replace('.', "\\."));
        let (path, mut page) = (["api", "queues", &self.vhost.clone()], 1);
        loop {
            let number = page.to_string();
            let query = [
                ("name", names.as_str()),
                ("use_regex", "true"),
                ("page_size", PAGE),
                ("page", &number),
            ];
            let answer: Page = get(&self.server, &path, &query).await?;
            let named = answer.items.into_iter().map(|q| (q.name.clone(), q));
            self.queues.extend(named);
            if page >= answer.page_count.min(PAGES_MAX) {
                return Ok(());
            }
            page += 1;
        }
    }

    /// Whether every queue is bound to what it should be bound to.
    pub(super) async fn bindings(&self, topology: &Topology) -> Vec<Line> {
        let (mut lines, mut bound) = (Vec::new(), 0);
        let there = topology.queues.iter();
        for queue in there.filter(|queue| self.queues.contains_key(&queue.name)) {
            let path = ["api", "queues", &self.vhost, &queue.name, "bindings"];
            let bindings: Vec<Bound> = match get(&self.server, &path, &[]).await {
                Ok(bindings) => bindings,
                Err(line) => return vec![line],
            };
            let missing = judge::unbound(queue, &bindings);
            bound += queue.bound_to.len() - missing.len();
            lines.extend(missing.iter().map(|exchange| {
                let said = format!("{} is not bound to the exchange {exchange} with the key #: what is published there goes nowhere", queue.name);
                Line::failed(Check::Bindings, said, "bind it, or start a worker with REVOKER_TOPOLOGY=declare, which does")
            }));
        }
        if lines.is_empty() {
            let said = format!("all {bound} are there");
            lines.push(Line::ok(Check::Bindings, said));
        }
        lines
    }

    /// What policies do to our queues, and whether each runs.
    pub(super) fn policies(&self, topology: &Topology) -> Vec<Line> {
        let mut lines = Vec::new();
        for queue in &topology.queues {
            let Some(found) = self.queues.get(&queue.name) else {
                continue;
            };
            lines.extend(judge::policies(queue, found, &self.vhost));
            if !matches!(found.state.as_str(), "running" | "idle" | "flow" | "") {
                let said = format!("{} is {}", queue.name, found.state);
                let todo = "see to the nodes that hold it; a quorum queue needs most of them";
                lines.push(Line::failed(Check::Queues, said, todo));
            }
        }
        if !lines.iter().any(|line| line.check == Check::Policies) {
            let said = "none expires, shortens or redirects what is in our queues";
            lines.push(Line::ok(Check::Policies, said));
        }
        lines
    }

    /// Retry queues of other delays, with what is in them.
    pub(super) fn orphans(&self, topology: &Topology, prefix: &str) -> Vec<(String, u64)> {
        let ours = |name: &str| topology.queues.iter().any(|queue| queue.name == name);
        let orphans = self.queues.values();
        orphans
            .filter(|q| judge::is_retry(&q.name, prefix) && !ours(&q.name))
            .map(|q| (q.name.clone(), q.messages_ready))
            .collect()
    }
}

/// Asks, and reads the answer; else the line that says what is wrong.
async fn get<T: DeserializeOwned>(
    server: &Server,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<T, Line> {
    let at = server.shown();
    let answer = server.get(path, query).await.map_err(|why| Line {
        unavailable: true,
        ..Line::failed(
            Check::Management,
            format!("{at} does not answer: {why}"),
            "check REVOKER_RABBITMQ_MANAGEMENT_URL, and that RabbitMQ's plugin rabbitmq_management is enabled",
        )
    })?;
    let said = match answer.status {
        200 => match serde_json::from_str(&answer.body) {
            Ok(value) => return Ok(value),
            Err(_) => format!("what answers at {at} is not RabbitMQ's management API"),
        },
        401 | 403 => format!("{at} refuses the user (HTTP {})", answer.status),
        status => format!("{at} answers HTTP {status} to /{}", path.join("/")),
    };
    Err(Line::failed(Check::Management, said, NEEDS))
}
