//! What is sent against which limits.

use std::time::Duration;

use revoker::{
    event::Lane,
    gate::{OutageMode, Settings, Way},
};

use super::{
    server::Model,
    world::{Kind, Message},
};

/// One setting of the world.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) model: Model,
    /// Calls a second of revoke and of list.
    pub(super) limits: [f64; 2],
    /// From when on another limit holds for revoke, in the order of time.
    pub(super) changes: Vec<(f64, f64)>,
    /// When nothing is answered but 503.
    pub(super) outage: Option<(f64, f64)>,
    pub(super) load: Vec<Load>,
    pub(super) gate: Settings,
    /// Each message for itself, as a negative control.
    pub(super) naive: bool,
    /// When it should have ended long ago.
    pub(super) give_up: Duration,
}

/// Messages of one kind.
#[derive(Clone)]
pub(super) struct Load {
    pub(super) lane: Lane,
    pub(super) way: Way,
    pub(super) count: usize,
    /// So many a second, evenly; `None`: all at once.
    pub(super) per_second: Option<f64>,
    pub(super) from: f64,
    /// Which of them are not fine.
    pub(super) odd: Odd,
}

/// Which messages are not fine.
#[derive(Clone, Copy)]
pub(super) enum Odd {
    None,
    Every(usize, Kind),
    Last(Kind),
}

impl Scenario {
    /// So many bulk messages at once, against one model of 100 calls a second.
    pub(super) fn bulk(model: Model, count: usize) -> Self {
        Self {
            model,
            limits: [100.0, 100.0],
            changes: vec![],
            outage: None,
            load: vec![Load::bulk(count)],
            gate: Settings {
                max_rate: None,
                max_rate_total: None,
                start_rate: 20.0,
                slots: 200,
                slots_urgent_only: 32,
                urgent_rate: 50.0,
                outage: OutageMode::Hold,
                hold_limit: Duration::from_secs(600),
            },
            naive: false,
            give_up: Duration::from_secs(100_000),
        }
    }

    /// The limit of a way at a time.
    pub(super) fn limit(&self, way: Way, now: f64) -> f64 {
        let begun = |change: &&(f64, f64)| way == Way::Revoke && now >= change.0;
        let last = self.changes.iter().rev().find(begun);
        last.map_or(self.limits[way as usize], |change| change.1)
    }

    /// Messages of a lane.
    pub(super) fn count(&self, lane: Lane) -> usize {
        let of_lane = self.load.iter().filter(|load| load.lane == lane);
        of_lane.map(|load| load.count).sum()
    }

    /// All messages.
    pub(super) fn messages(&self, rng: &mut fastrand::Rng) -> Vec<Message> {
        let mut messages = Vec::new();
        for load in &self.load {
            for i in 0..load.count {
                let kind = match load.odd {
                    Odd::Every(n, kind) if i % n == n / 2 => kind,
                    Odd::Last(kind) if i + 1 == load.count => kind,
                    _ => Kind::Fine,
                };
                let wait = load
                    .per_second
                    .map_or(0.0, |rate| (i as f64 + rng.f64()) / rate);
                messages.push(Message {
                    lane: load.lane,
                    way: load.way,
                    kind,
                    arrived: Duration::from_secs_f64(load.from + wait),
                });
            }
        }
        messages
    }
}

impl Load {
    /// Bulk revokes, all at once.
    pub(super) fn bulk(count: usize) -> Self {
        Self {
            lane: Lane::Bulk,
            way: Way::Revoke,
            count,
            per_second: None,
            from: 0.0,
            odd: Odd::None,
        }
    }

    /// The same as urgent.
    pub(super) fn urgent(count: usize) -> Self {
        Self {
            lane: Lane::Urgent,
            ..Self::bulk(count)
        }
    }
}
