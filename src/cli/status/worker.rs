//! One worker, asked on its admin port: what it shows of itself, out of `/readyz` and `/metrics`.
//!
//! Reading the answers is pure. Another version's worker is shown as far as it says the same things.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{cli::http::Server, event::Lane};

/// A worker as it was found.
#[derive(Debug, Clone, Serialize)]
pub struct Worker {
    /// Where it was asked.
    pub address: String,
    /// What it says of itself, or why it does not.
    #[serde(flatten)]
    pub found: Found,
}

/// Whether it answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It did.
    View(Box<View>),
    /// It did not: why.
    Problem(String),
}

/// A state that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The state's word.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, and what to do.
    #[serde(default)]
    pub reason: String,
    /// When the next canary or try to connect is due, or the drain ends.
    #[serde(default)]
    pub next_probe: Option<Timestamp>,
}

/// What a worker says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// Its version.
    pub version: String,
    /// Whether it is ready.
    pub ready: bool,
    /// The state it shows.
    pub shown: Held,
    /// What holds beneath it.
    pub also: Vec<Held>,
    /// Calls a second that may go.
    pub calls_per_second: f64,
    /// By lane.
    pub lanes: BTreeMap<&'static str, InHand>,
    /// Ready messages by queue, as it last read them.
    pub depths: BTreeMap<String, u64>,
    /// When that was.
    pub depths_at: Option<Timestamp>,
}

/// What a worker has in hand of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InHand {
    /// How many events.
    pub events: u64,
    /// When the oldest of them occurred.
    pub oldest: Option<Timestamp>,
    /// When the last revocation was confirmed.
    pub last_revocation: Option<Timestamp>,
}

/// Asks one worker.
pub(super) async fn ask(server: &Server) -> Worker {
    let asked = async {
        let readyz = server.get(&["readyz"], &[]).await?;
        let metrics = server.get(&["metrics"], &[]).await?;
        Ok::<_, String>((readyz, metrics))
    };
    let found = match asked.await {
        Ok((readyz, metrics)) => match read(&readyz.body, &metrics.body) {
            Some(view) => Found::View(Box::new(view)),
            None => Found::Problem(format!(
                "what answers there (HTTP {}) is no revoker worker; check the address",
                readyz.status
            )),
        },
        Err(why) => Found::Problem(format!("not reachable ({why}); is it running?")),
    };
    Worker {
        address: server.shown(),
        found,
    }
}

/// What both pages say; `None` if they are not a worker's.
pub fn read(readyz: &str, metrics: &str) -> Option<View> {
    #[derive(Deserialize)]
    struct Readyz {
        ready: bool,
        #[serde(flatten)]
        shown: Held,
        #[serde(default)]
        also: Vec<Held>,
    }
    let readyz: Readyz = serde_json::from_str(readyz).ok()?;
    let series = Series::parse(metrics);
    let built = series.of("revoker_build_info").next()?;
    let version = built.labels.get("version").copied().unwrap_or("unknown");
    let lane = |lane: &Lane| {
        let of = |name| series.of_lane(name, lane.as_str());
        let in_hand = InHand {
            events: of("revoker_inflight_events").map_or(0, count),
            oldest: of("revoker_oldest_unfinished_event_timestamp_seconds").and_then(time),
            last_revocation: of("revoker_last_revocation_timestamp_seconds").and_then(time),
        };
        (lane.as_str(), in_hand)
    };
    let depths = series.of("revoker_queue_messages").filter_map(|queue| {
        let name = queue.labels.get("queue")?;
        Some(((*name).to_owned(), count(queue.value)))
    });
    let rate = series.first("revoker_rate_permits_per_second");
    let polled = series.first("revoker_queue_polled_timestamp_seconds");
    Some(View {
        version: version.to_owned(),
        ready: readyz.ready,
        shown: readyz.shown,
        also: readyz.also,
        calls_per_second: rate.unwrap_or_default(),
        lanes: Lane::ALL.iter().map(lane).collect(),
        depths: depths.collect(),
        depths_at: polled.and_then(time),
    })
}

/// A gauge as a number of things.
fn count(value: f64) -> u64 {
    value.max(0.0) as u64
}

/// A gauge as a time; 0 is none.
fn time(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds > 0.0).then_some(seconds * 1000.0)?;
    Timestamp::from_millisecond(millis as i64).ok()
}

/// The series of one scrape.
struct Series<'a>(Vec<One<'a>>);

struct One<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
    value: f64,
}

impl<'a> Series<'a> {
    /// Reads the text format as far as our own metrics use it: no label value of ours holds a quote or
    /// a comma. Lines that are not understood are left out.
    fn parse(text: &'a str) -> Self {
        let series = text.lines().filter_map(|line| {
            let (head, value) = line.rsplit_once(' ')?;
            let (name, labels) = head.split_once('{').unwrap_or((head, ""));
            let labels = labels.trim_end_matches('}').split(',');
            let labels = labels.filter_map(|label| {
                let (name, value) = label.split_once('=')?;
                Some((name, value.trim_matches('"')))
            });
            Some(One {
                name,
                labels: labels.collect(),
                value: value.parse().ok()?,
            })
        });
        let ours = series.filter(|one| one.name.starts_with("revoker_"));
        Self(ours.collect())
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &One<'a>> {
        self.0.iter().filter(move |one| one.name == name)
    }

    fn first(&self, name: &str) -> Option<f64> {
        self.of(name).next().map(|one| one.value)
    }

    fn of_lane(&self, name: &str, lane: &str) -> Option<f64> {
        let mut all = self.of(name);
        all.find(|one| one.labels.get("lane") == Some(&lane))
            .map(|one| one.value)
    }
}
