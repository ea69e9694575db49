//! The dashboards against a real Prometheus that scrapes a real worker: every selector and every query has an
//! answer, every legend its labels, and tiles show the numbers that were sent.

mod faulty;

use revoker::{
    campaign::{Manifest, Order},
    telemetry::dashboards::all,
};
use serde_json::Value;

use crate::{
    expressions::{
        Known, legend_labels,
        panels::{Asked, asked, check, list, variables},
    },
    harness::{
        Event, World,
        operator::{events_of, started},
        prometheus::{ARRIVES, JOB, Prometheus, free_address},
        wait, worker,
    },
};

/// The events of the campaign.
const OF_CAMPAIGN: usize = 40;
/// Urgent events that end well.
const URGENT: usize = 20;
/// Events that cannot be read.
const DEAD: usize = 27;
/// An increase is reckoned up to the edges of its range: a little more than what was counted.
const INCREASE_OVER_MAX: f64 = 1.2;

/// One worker, its events, and the dashboards that look at them.
struct Scene {
    world: World,
    prometheus: Prometheus,
    dashboards: Vec<Value>,
}

#[tokio::test]
async fn panels_show_what_was_sent() {
    let world = World::new("dashboards").await;
    let address = free_address().to_string();
    let mut worker = settings(&world, &address).start().await;
    let prometheus = Prometheus::start(&world, &worker.url).await;
    let dashboards = all()
        .iter()
        .map(|d| d.json("https://runbook.example"))
        .collect();
    let scene = Scene {
        world,
        prometheus,
        dashboards,
    };

    scene.campaign_waits().await;
    scene.tile("Still alive?", "", OF_CAMPAIGN as f64).await;
    scene
        .tile("Is any of it held up by an operator?", "", 1.0)
        .await;
    scene.urgent_ends().await;
    scene.tile("Given up on?", "", DEAD as f64).await;
    scene.world.broker.order(&[Order::BulkReleased]).await;
    scene.tile("Still alive?", "", 0.0).await;
    scene.tile("Done when?", "", 0.0).await;
    scene.the_rest_of_the_tiles().await;

    // One that starts again counts from 0, and the picture stays what it was.
    worker.kill9();
    let _worker = settings(&scene.world, &address).start().await;
    scene.tile("Starts again?", "", 1.0).await;
    scene.tile("How far is each campaign?", "breach", 1.0).await;
    scene.the_totals().await;

    let complaints = scene.complaints().await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    scene.variables_offer_the_worker().await;
    scene.faults_are_found().await;
}

/// A worker that is scraped at the same address when it has started again.
fn settings<'w>(world: &'w World, address: &str) -> worker::Settings<'w> {
    (world.worker())
        .set("REVOKER_ADMIN_ADDR", address)
        .set("REVOKER_MAX_RATE", 500)
}

impl Scene {
    /// A campaign is published while bulk is held by order.
    async fn campaign_waits(&self) {
        let Order::CampaignStarted(manifest) = started("breach") else {
            panic!("it starts a campaign")
        };
        let expected = OF_CAMPAIGN as u64;
        let begins = Order::CampaignStarted(Manifest {
            expected,
            ..manifest
        });
        self.world.broker.order(&[Order::BulkHeld, begins]).await;
        self.tile("Is any of it held up by an operator?", "", 1.0)
            .await;
        let sessions = self.world.sandbox.seed_sessions(OF_CAMPAIGN).await;
        self.world
            .broker
            .publish(&events_of("breach", &sessions))
            .await;
    }

    /// Urgent events end, some of them as dead letters.
    async fn urgent_ends(&self) {
        let sessions = self.world.sandbox.seed_sessions(URGENT).await;
        let mut events: Vec<_> = sessions.iter().map(|id| Event::session(id)).collect();
        events.extend((0..DEAD).map(|_| Event::raw("{")));
        self.world.broker.publish(&events).await;
    }

    async fn the_rest_of_the_tiles(&self) {
        for (title, series, expected) in [
            ("Workers up?", "", 1.0),
            ("Up, and ready?", "", 1.0),
            ("How old is the oldest?", "urgent", 0.0),
            ("How far is each campaign?", "breach", 1.0),
            ("Connected?", "publisher", 1.0),
            ("Error budget left?", "", 1.0),
            ("Starts again?", "", 0.0),
            ("Which of them hold a credential?", "urgent", 0.0),
        ] {
            self.tile(title, series, expected).await;
        }
        self.the_totals().await;
    }

    /// Sums of increases.
    async fn the_totals(&self) {
        let revoked = (URGENT + OF_CAMPAIGN) as f64;
        for (title, series, sum) in [
            ("Revoked so far?", "", revoked),
            ("Why did we give up?", "malformed_json", DEAD as f64),
            ("Why were events refused?", "malformed_json", DEAD as f64),
            (
                "What became of each campaign's events?",
                "revoked",
                OF_CAMPAIGN as f64,
            ),
        ] {
            let is_it = |value| value >= sum && value <= sum * INCREASE_OVER_MAX;
            self.reads(title, series, is_it, &format!("about {sum}"))
                .await;
        }
    }

    /// Waits until the first expression of a panel reads this, in the one series that has such a value
    /// among its labels.
    async fn tile(&self, title: &str, series: &str, expected: f64) {
        self.reads(
            title,
            series,
            |value| value == expected,
            &expected.to_string(),
        )
        .await;
    }

    async fn reads(&self, title: &str, series: &str, is_it: impl Fn(f64) -> bool, expected: &str) {
        let in_panel = |(dashboard, asked): &(&Value, Asked)| {
            let _ = dashboard;
            asked.at.contains(&format!(": {title} A"))
        };
        let (dashboard, asked) = self.asked().find(in_panel).expect(title);
        let query = resolved(&asked, dashboard).unwrap();
        let has = |labels: &serde_json::Map<String, Value>| {
            series.is_empty() || labels.values().any(|value| value == series)
        };
        let what = format!("{title:?} reads {expected}");
        let look = async || {
            let found = self.prometheus.ask(&query).await.unwrap();
            let mut values = found.iter().filter(|s| has(&s.labels)).map(|s| s.value);
            values.next().is_some_and(&is_it) && values.next().is_none()
        };
        wait::until(&what, ARRIVES, look).await;
    }

    fn asked(&self) -> impl Iterator<Item = (&Value, Asked)> {
        self.dashboards.iter().flat_map(|dashboard| {
            asked(dashboard)
                .into_iter()
                .map(move |asked| (dashboard, asked))
        })
    }

    /// What is wrong with any expression of any dashboard.
    async fn complaints(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (dashboard, asked) in self.asked() {
            let found = self.judge(dashboard, &asked).await;
            all.extend(found.iter().map(|what| format!("{}: {what}", asked.at)));
        }
        all
    }

    /// What Prometheus has against one expression: each selector must have series by itself, since what
    /// stands behind `or` hides that one has none.
    async fn judge(&self, dashboard: &Value, asked: &Asked) -> Vec<String> {
        let query = match resolved(asked, dashboard) {
            Ok(query) => query,
            Err(why) => return vec![why],
        };
        let judged = check(asked, &variables(dashboard), &Known::metrics());
        let mut complaints = Vec::new();
        for selector in judged.selectors {
            let alone = selector.alone();
            match self.prometheus.ask(&alone).await {
                Ok(series) if series.is_empty() => complaints.push(format!("nothing is {alone}")),
                Ok(_) => {}
                Err(why) => complaints.push(why),
            }
        }
        let answer = match asked.instant {
            true => self.prometheus.ask(&query).await,
            false => self.prometheus.ask_over_time(&query).await,
        };
        match answer {
            Err(why) => complaints.push(why),
            Ok(series) if series.is_empty() && !asked.may_be_empty => {
                complaints.push("nothing comes, and the panel does not say what that means".into());
            }
            Ok(series) => {
                for label in legend_labels(&asked.legend) {
                    if series
                        .iter()
                        .any(|series| !series.labels.contains_key(label))
                    {
                        complaints.push(format!("a series has no {label} for the legend"));
                    }
                }
            }
        }
        complaints
    }

    /// What the variables of each dashboard would offer.
    async fn variables_offer_the_worker(&self) {
        for dashboard in &self.dashboards {
            for variable in list(&dashboard["templating"]["list"]) {
                let Some(query) = variable["definition"].as_str() else {
                    continue;
                };
                let query = query.replace("$job", JOB);
                let (selector, label) = query
                    .strip_prefix("label_values(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .and_then(|rest| rest.rsplit_once(", "))
                    .expect("it asks for the values of a label");
                let values = self.prometheus.values(label, selector).await;
                assert_eq!(values.len(), 1, "{query}: {values:?}");
                assert!(label != "job" || values[0] == JOB, "{values:?}");
            }
        }
    }
}

fn resolved(asked: &Asked, dashboard: &Value) -> Result<String, String> {
    crate::expressions::resolve(&asked.expr, &variables(dashboard))
}
