//! One alert from a real worker through a real Prometheus and a real Alertmanager to whoever is told: it
//! fires, it resolves, and while another says it all it is silent.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::Client;
use serde_json::{Value, json};

use super::told::Told;
use crate::harness::{
    Event, PATIENCE, World,
    prometheus::{ARRIVES, Prometheus, free_address, not_proxied},
    wait,
};

/// Events of sessions that Stytch does not know, and of such as it knows: enough for an alert, and to end it.
const UNKNOWN: usize = 25;
const KNOWN: usize = 200;

/// A private Alertmanager with the example's configuration; ended with its value.
struct Alertmanager {
    process: Child,
    address: String,
    client: Client,
}

impl Alertmanager {
    /// Only how long it waits is another than in the example, and whom it tells.
    fn start(folder: &Path, told: &Told) -> Self {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/alertmanager.yml");
        let mut text = std::fs::read_to_string(example).unwrap();
        for (from, to) in [
            ("http://127.0.0.1:9099", told.url.as_str()),
            ("group_wait: 10s", "group_wait: 1s"),
            ("group_interval: 5m", "group_interval: 1s"),
        ] {
            assert!(text.contains(from), "{from} is not in the example");
            text = text.replace(from, to);
        }
        std::fs::create_dir(folder).unwrap();
        let file = folder.join("alertmanager.yml");
        std::fs::write(&file, text).unwrap();
        let address = free_address().to_string();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let process = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=") // one alone
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("prometheus-alertmanager must be there: run these tests with `tests/run dashboards`");
        Self {
            process,
            address,
            client: not_proxied(),
        }
    }

    /// Tells it of alerts, as Prometheus would.
    async fn hear(&self, names: &[&str]) -> bool {
        let alert = |name: &&str| {
            let labels = json!({ "alertname": name, "job": "revoker", "severity": "page" });
            json!({ "labels": labels })
        };
        let alerts: Vec<_> = names.iter().map(alert).collect();
        let url = format!("http://{}/api/v2/alerts", self.address);
        let sent = self.client.post(url).body(json!(alerts).to_string());
        let sent = sent.header("content-type", "application/json").send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }

    /// What it knows of an alert, if it does.
    async fn knows(&self, name: &str) -> Option<Value> {
        let url = format!("http://{}/api/v2/alerts", self.address);
        let answer = self.client.get(url).send().await.ok()?.bytes().await.ok()?;
        let alerts: Vec<Value> = serde_json::from_slice(&answer).ok()?;
        alerts
            .into_iter()
            .find(|alert| alert["labels"]["alertname"] == name)
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn an_alert_is_told_and_taken_back() {
    let world = World::new("alerts").await;
    let worker = world.worker().start().await;
    let told = Told::start().await;
    let alertmanager = Alertmanager::start(&world.file("alertmanager"), &told);
    let _prometheus = Prometheus::alerting(&world, &worker.url, &alertmanager.address).await;
    told.until("/watchdog", "RevokerWatchdog", "firing").await;

    let nobody = || Event::session(&format!("session-test-{}", uuid()));
    let unknown: Vec<_> = (0..UNKNOWN).map(|_| nobody()).collect();
    world.broker.publish(&unknown).await;
    let alert = told
        .until("/tickets", "RevokerMostlyAlreadyGone", "firing")
        .await;
    let summary = &alert["annotations"]["summary"];
    assert_eq!(*summary, "Stytch does not know 100% of the sessions");
    assert_eq!(alert["labels"]["severity"], "ticket");

    let sessions = world.sandbox.seed_sessions(KNOWN).await;
    let known: Vec<_> = sessions.iter().map(|id| Event::session(id)).collect();
    world.broker.publish(&known).await;
    told.until("/tickets", "RevokerMostlyAlreadyGone", "resolved")
        .await;
    assert_eq!(told.names("/pages"), Vec::<String>::new());
}

#[tokio::test]
async fn an_alert_that_says_it_all_silences_what_follows_from_it() {
    let world = World::new("inhibited").await;
    let told = Told::start().await;
    let alertmanager = Alertmanager::start(&world.file("alertmanager"), &told);
    let cases = [
        ("RevokerOutage", "RevokerStalled"),
        ("RevokerDown", "RevokerTaskPanics"),
    ];
    for (cause, effect) in cases {
        // The effect comes second, so that nobody is told before the cause is known.
        for names in [&[cause][..], &[cause, effect]] {
            wait::until("Alertmanager hears", PATIENCE, async || {
                alertmanager.hear(names).await
            })
            .await;
        }
        let inhibited = async || {
            let alert = alertmanager.knows(effect).await;
            alert.is_some_and(|alert| alert["status"]["state"] == "suppressed")
        };
        wait::until("the effect is silent", ARRIVES, inhibited).await;
        told.until("/pages", cause, "firing").await;
        assert!(
            !told.names("/pages").contains(&effect.to_owned()),
            "{effect}"
        );
    }
}

/// Any.
fn uuid() -> String {
    let n = fastrand::u128(..);
    let (a, b, c) = ((n >> 96) as u32, (n >> 80) as u16, (n >> 64) as u16 & 0xfff);
    format!(
        "{a:08x}-{b:04x}-4{c:03x}-8{:03x}-{:012x}",
        (n >> 48) & 0xfff,
        n & 0xffff_ffff_ffff
    )
}
