//! `revoker run` as a process: settings by a builder, its admin port, its log.

use std::{
    collections::BTreeMap,
    process::ExitStatus,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value;

use super::{
    PATIENCE, World,
    metrics::Metrics,
    process::Process,
    sandbox::{PROJECT_ID, SECRET},
    wait,
};

/// The exit code of wrong settings: trying again without a change is pointless.
const EXIT_USAGE: i32 = 64;

/// A worker that is not started yet.
pub(crate) struct Settings<'w> {
    world: &'w World,
    settings: BTreeMap<String, String>,
}

/// A running worker.
pub(crate) struct Worker {
    /// The process.
    pub(crate) process: Process,
    /// URL of its admin port.
    pub(crate) url: String,
    client: Client,
}

impl<'w> Settings<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let settings = [
            ("REVOKER_AMQP_URL", world.broker.url.as_str()),
            ("REVOKER_PREFIX", &world.broker.prefix),
            ("REVOKER_STYTCH_PROJECT_ID", PROJECT_ID),
            ("REVOKER_STYTCH_SECRET", SECRET),
            ("REVOKER_STYTCH_BASE_URL", &world.sandbox.url),
            ("REVOKER_RETRY_DELAYS", "1s,2s"),
            ("REVOKER_ADMIN_ADDR", "127.0.0.1:0"),
            ("REVOKER_LOG_FORMAT", "json"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = settings.into();
        Self { world, settings }
    }

    /// Gives a setting, in place of one that was there.
    pub(crate) fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Makes so many calls a second from the first moment on, and no more.
    pub(crate) fn paced(self, rate: impl ToString) -> Self {
        let rate = rate.to_string();
        self.set("REVOKER_MAX_RATE", &rate)
            .set("REVOKER_START_RATE", &rate)
    }

    /// Takes a setting away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.settings.remove(name);
        self
    }

    /// The settings, as variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Starts the process and waits for nothing: it may end at once, as wrong settings make it.
    pub(crate) fn spawn(&self) -> Process {
        self.world
            .broker
            .delays_used(&self.settings["REVOKER_RETRY_DELAYS"]);
        Process::spawn(&["run"], self.variables(), self.world.next_log("worker"))
    }

    /// Starts another subcommand with the same settings, and waits for nothing.
    pub(crate) fn spawn_of(&self, arguments: &[&str]) -> Process {
        Process::spawn(arguments, self.variables(), self.world.next_log("command"))
    }

    /// Starts it and waits for its end, which wrong settings bring about; returns what it says.
    ///
    /// # Panics
    /// When it ends otherwise.
    pub(crate) async fn refused(&self) -> String {
        let mut process = self.spawn();
        let status = process.exit(PATIENCE).await;
        let log = process.log();
        assert_eq!(status.code(), Some(EXIT_USAGE), "{log}");
        // The last line is for people; those before it are the log.
        let error = log.lines().rfind(|line| line.starts_with("error: "));
        error.expect("an error is told").to_owned()
    }

    /// Starts it and waits until its admin port is open, not until it is ready.
    pub(crate) async fn launch(self) -> Worker {
        let mut process = self.spawn();
        let address = wait::value("the worker's admin port", PATIENCE, async || {
            assert!(process.ended().is_none(), "the worker ended at its start");
            let lines = lines(&process.log());
            let started = lines
                .iter()
                .find(|line| line["message"] == "revoker starts");
            started.and_then(|line| line["admin.addr"].as_str().map(str::to_owned))
        })
        .await;
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        Worker {
            process,
            url: format!("http://{address}"),
            client,
        }
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn start(self) -> Worker {
        let worker = self.launch().await;
        worker.until_ready().await;
        worker
    }
}

impl Worker {
    /// The status of `/readyz`, and what it says; `None` if nobody answers.
    pub(crate) async fn readyz(&self) -> Option<(u16, String)> {
        let answer = self.client.get(format!("{}/readyz", self.url)).send().await;
        let answer = answer.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// What `/readyz` shows.
    pub(crate) async fn shown(&self) -> Value {
        let (_, body) = self.readyz().await.expect("the admin port must answer");
        serde_json::from_str(&body).unwrap()
    }

    /// Whether `/readyz` answers 200.
    pub(crate) async fn is_ready(&self) -> bool {
        self.readyz().await.is_some_and(|(status, _)| status == 200)
    }

    /// Waits for it; returns how long that took.
    pub(crate) async fn until_ready(&self) -> Duration {
        wait::until("the worker is ready", PATIENCE, async || {
            self.is_ready().await
        })
        .await
    }

    /// Scrapes it.
    pub(crate) async fn metrics(&self) -> Metrics {
        let answer = self
            .client
            .get(format!("{}/metrics", self.url))
            .send()
            .await;
        let answer = answer.expect("the worker must answer on its admin port");
        Metrics::parse(answer.text().await.unwrap())
    }

    /// Its log so far, line by line; a line cut by a crash is left out.
    pub(crate) fn log(&self) -> Vec<Value> {
        lines(&self.process.log())
    }

    /// The log lines with that message.
    pub(crate) fn logged(&self, message: &str) -> Vec<Value> {
        let mut lines = self.log();
        lines.retain(|line| line["message"] == message);
        lines
    }

    /// Asks it to end, as an orchestrator does, and waits; returns how it ended and how long it took.
    pub(crate) async fn terminate(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        self.process.signal("TERM");
        let status = self.process.exit(PATIENCE).await;
        (status, began.elapsed())
    }

    /// Ends it as a crash would.
    pub(crate) fn kill9(&mut self) {
        self.process.kill9();
    }
}

fn lines(log: &str) -> Vec<Value> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.collect()
}
