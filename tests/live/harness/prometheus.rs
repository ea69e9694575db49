//! A private Prometheus: its own port and folder, a scrape each second, ended with its value.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{Client, Url};
use serde_json::Value;

use super::{PATIENCE, World, wait};

/// The job's name, as in `dashboards/prometheus.yml`.
pub(crate) const JOB: &str = "revoker";
/// Between two points of a query over time, seconds.
const STEP: u32 = 5;
/// How far back a query over time goes, seconds.
const RANGE: i64 = 120;

/// A running Prometheus.
pub(crate) struct Prometheus {
    process: Child,
    pub(crate) url: String,
    client: Client,
}

/// One series of an answer.
#[derive(Debug)]
pub(crate) struct Series {
    /// Its labels, `__name__` among them.
    pub(crate) labels: serde_json::Map<String, Value>,
    /// The last value.
    pub(crate) value: f64,
}

impl Prometheus {
    /// Starts one that scrapes this worker and knows our rules and alerts, and waits until it has done so a few
    /// times: what is counted from then on is an increase.
    pub(crate) async fn start(world: &World, worker_url: &str) -> Self {
        Self::alerting(world, worker_url, &free_address().to_string()).await
    }

    /// The same, which tells this Alertmanager.
    pub(crate) async fn alerting(world: &World, worker_url: &str, alertmanager: &str) -> Self {
        let folder = world.file("prometheus");
        std::fs::create_dir(&folder).unwrap();
        configure(
            &folder,
            worker_url.trim_start_matches("http://"),
            alertmanager,
        );
        let (process, url) = spawn(&folder);
        let client = not_proxied();
        let prometheus = Self {
            process,
            url,
            client,
        };
        let scraped = async || {
            let answer = prometheus
                .ask("count_over_time(up{job=\"revoker\"}[1m]) >= 3")
                .await;
            answer.is_ok_and(|series| !series.is_empty())
        };
        wait::until("Prometheus has scraped", PATIENCE, scraped).await;
        prometheus
    }

    /// Asks for this moment.
    pub(crate) async fn ask(&self, query: &str) -> Result<Vec<Series>, String> {
        let answer = self.get("query", &[("query", query)]).await?;
        Ok(series(&answer["data"]))
    }

    /// Asks for the last minutes.
    pub(crate) async fn ask_over_time(&self, query: &str) -> Result<Vec<Series>, String> {
        let now = Timestamp::now().as_second();
        let (start, end, step) = ((now - RANGE).to_string(), now.to_string(), STEP.to_string());
        let asked = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("step", &step),
        ];
        let answer = self.get("query_range", &asked).await?;
        Ok(series(&answer["data"]))
    }

    /// The values of a label among the series of a selector.
    pub(crate) async fn values(&self, label: &str, selector: &str) -> Vec<String> {
        let asked = [("match[]", selector)];
        let answer = self.get(&format!("label/{label}/values"), &asked).await;
        let answer = answer.unwrap();
        let values = answer["data"].as_array().unwrap().iter();
        values
            .map(|value| value.as_str().unwrap().to_owned())
            .collect()
    }

    async fn get(&self, what: &str, asked: &[(&str, &str)]) -> Result<Value, String> {
        let url = format!("{}/api/v1/{what}", self.url);
        let url = Url::parse_with_params(&url, asked).unwrap();
        let answer = self.client.get(url).send().await;
        let body = answer.map_err(|e| e.to_string())?.bytes().await;
        let body = body.map_err(|e| e.to_string())?;
        let answer: Value = serde_json::from_slice(&body).map_err(|e| e.to_string())?;
        match answer["status"] == "success" {
            true => Ok(answer),
            false => Err(format!("Prometheus refuses it: {}", answer["error"])),
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap()
}

/// A client for what listens on this machine.
pub(crate) fn not_proxied() -> Client {
    let client = Client::builder().no_proxy().timeout(PATIENCE);
    client.build().unwrap()
}

/// The example of `dashboards/`, with the addresses of this test and a second in place of a quarter of a minute.
fn configure(folder: &Path, worker: &str, alertmanager: &str) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    for name in ["rules.yml", "alerts.yml"] {
        std::fs::copy(examples.join(name), folder.join(name)).unwrap();
    }
    let mut text = std::fs::read_to_string(examples.join("prometheus.yml")).unwrap();
    let nobody = free_address().to_string();
    for (from, to) in [
        ("127.0.0.1:9477", worker),
        ("127.0.0.1:9093", alertmanager),
        ("127.0.0.1:15692", &nobody),
        ("interval: 15s", "interval: 1s"),
    ] {
        assert!(text.contains(from), "{from} is not in the example");
        text = text.replace(from, to);
    }
    std::fs::write(folder.join("prometheus.yml"), text).unwrap();
}

fn spawn(folder: &Path) -> (Child, String) {
    let address = free_address();
    let log = File::create(folder.join("log")).unwrap();
    let process = Command::new("prometheus")
        .arg(format!(
            "--config.file={}",
            folder.join("prometheus.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("prometheus must be there: run these tests with `tests/run dashboards`");
    (process, format!("http://{address}"))
}

fn series(data: &Value) -> Vec<Series> {
    let one = |series: &Value| {
        let last = series["values"].as_array().and_then(|points| points.last());
        let value = last.unwrap_or(&series["value"])[1].as_str();
        Series {
            labels: series["metric"].as_object().unwrap().clone(),
            value: value.unwrap().parse().unwrap(),
        }
    };
    data["result"].as_array().unwrap().iter().map(one).collect()
}

/// How long a test gives a number to arrive: a depth is the maximum of three readings, 5 s apart, and what
/// was read must be scraped.
pub(crate) const ARRIVES: Duration = Duration::from_secs(90);
