//! Keeps the shown states and the gauges up to date, and takes in a new API secret.
//!
//! What the broker does is told by `watch` as it happens; what the gate knows is looked at.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::Worker;
use crate::{
    event::Lane,
    gate::{View, Way, breaker::Pause},
    revoke::Api,
    telemetry::{State, Why},
};

/// How often the states are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often the secret file is read again while Stytch refuses our credentials.
const SECRET_LOOK: Duration = Duration::from_secs(2);
/// How often a state that lasts is logged again.
const REMIND: Duration = Duration::from_secs(60);

/// A reason that holds, and when it is probed next.
type Holds = Option<(Why, Option<Timestamp>)>;

impl<A: Api> Worker<A> {
    /// Looks for ever.
    pub(super) async fn look(self: Arc<Self>) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut secret_in, mut remind_in) = (SECRET_LOOK, REMIND);
        loop {
            tick.tick().await;
            let (now, view) = ((self.wall)(), self.gate.view());
            self.show(&view, now);
            self.measure(&view);
            secret_in = secret_in.saturating_sub(LOOK);
            if secret_in.is_zero() {
                secret_in = SECRET_LOOK;
                if view.paused == Some(Pause::Credentials) && self.api.reload_secret() {
                    tracing::info!(next = "probe at once", "the API secret has changed");
                    self.gate.probe_now();
                }
            }
            remind_in = remind_in.saturating_sub(LOOK);
            if remind_in.is_zero() {
                remind_in = REMIND;
                self.board.remind(now);
            }
        }
    }

    fn show(&self, view: &View, now: Timestamp) {
        let at = |wait: Option<Duration>| wait.and_then(|wait| now.checked_add(wait).ok());
        let paused = |why| (view.paused == Some(why)).then(|| at(view.canary_in));
        let outage = paused(Pause::Outage).map(|next| (self.heard.outage(), next));
        let credentials = paused(Pause::Credentials).map(|next| (self.heard.credentials(), next));
        let unknown = paused(Pause::Unknown).map(|next| (Why::UnknownRefusal, next));
        let limited = view.limited_for.is_some();
        let throttled = limited.then(|| (Why::RateLimited, at(view.held_for)));
        let audit = self.audit.is_broken();
        let audit = audit.then_some((Why::OutcomesUnrecorded, None));
        self.show_one(State::Outage, outage, now);
        self.show_one(State::Credentials, credentials.or(unknown), now);
        self.show_one(State::Throttled, throttled, now);
        let unread = self.orders.unread().map(|next| (Why::OrdersUnread, next));
        self.show_one(State::Audit, audit.or(unread), now);
    }

    fn show_one(&self, state: State, holds: Holds, now: Timestamp) {
        match holds {
            Some((why, next_probe)) => self.board.hold(why, next_probe, now),
            None => self.board.clear(state, now),
        }
    }

    fn measure(&self, view: &View) {
        self.metrics.rate(view.rates[Way::Revoke as usize]);
        self.metrics.rate_ceiling(view.ceiling);
        self.metrics.bulk_held(self.orders.holds_bulk());
        for lane in Lane::ALL {
            self.metrics
                .oldest_unfinished(*lane, self.backlog.oldest(*lane));
        }
    }
}
