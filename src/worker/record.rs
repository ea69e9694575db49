//! What the worker tells of a message's calls and its end, by numbers and log lines. Of its coming: `taken`.
//!
//! A line is logged once, where it is handled; it names the event by its id and the target by its
//! id or HMAC, never a body, a token or an address.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    Worker, backlog,
    ending::{Ending, Settled},
    life::Life,
};
use crate::{
    event::Lane,
    revoke::{Call, Class, Reply, outcome::CallResult},
    settle::{code::Code, outcome::Outcome, perform::Recorded, verdict::Verdict},
    telemetry::sets::{RetryCause, Stage},
};

impl<A> Worker<A> {
    pub(super) fn record_call(
        &self,
        life: &Life,
        call: &Call,
        reply: &Reply,
        verdict: Verdict,
        hold: Option<Duration>,
    ) {
        self.metrics
            .stytch_request(call.kind(), reply.class.result(), reply.elapsed);
        self.heard.hear(&reply.class);
        self.record_strange(reply);
        if let Some(hold) = hold {
            self.metrics.rate_blocked(hold);
        }
        let (delay, next) = match verdict {
            Verdict::Hold(delay) => (delay, "try again"),
            Verdict::Again => (hold.unwrap_or_default(), "try again when the gate opens"),
            Verdict::RetryLater(_) => (Duration::ZERO, "to the delay queue"),
            Verdict::Done(_) | Verdict::DeadLetter(_) => return,
        };
        // A 429 concerns all: it is told once, by the call that began the hold.
        if verdict == Verdict::Again && hold.is_none() {
            return;
        }
        tracing::info!(
            event.id = life.facts.event_id.as_deref(),
            trace_id = life.facts.trace_id(),
            lane = life.message.lane.as_str(),
            call = call.kind().as_str(),
            result = reply.class.result().as_str(),
            http.status = reply.status,
            error_type = reply.error_type.as_deref(),
            request_id = reply.request_id.as_deref(),
            elapsed_ms = millis(reply.elapsed),
            attempt = life.account.attempts,
            retry_after_ms = reply.retry_after.map(millis),
            delay_ms = millis(delay),
            next,
            "a call did not do its work"
        );
    }

    /// A canary's answer: one line for what is new, since the state's own line repeats what lasts.
    pub(super) fn record_canary(&self, call: &Call, reply: &Reply, told: &mut Option<CallResult>) {
        let result = reply.class.result();
        self.metrics
            .stytch_request(call.kind(), result, reply.elapsed);
        self.heard.hear(&reply.class);
        self.record_strange(reply);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    result = result.as_str(),
                    http.status = reply.status,
                    error_type = reply.error_type.as_deref(),
                    request_id = reply.request_id.as_deref(),
                    elapsed_ms = millis(reply.elapsed),
                    "canary answered"
                )
            };
        }
        if told.replace(result) == Some(result) {
            line!(debug);
        } else {
            line!(info);
        }
    }

    pub(super) fn record_settled(
        &self,
        life: &Life,
        ending: &Ending,
        settled: Settled,
        settling: Duration,
    ) {
        let lane = life.message.lane;
        self.metrics.inflight(lane, -1);
        if let Some(key) = backlog::key(life) {
            self.backlog.remove(lane, key);
        }
        let Settled::Acked(recorded) = settled else {
            self.metrics.returned(lane);
            return;
        };
        self.metrics.stage(Stage::Settle, settling);
        self.metrics.stage(Stage::Gate, life.spent.gate);
        if !life.spent.backoff.is_zero() {
            self.metrics.stage(Stage::Backoff, life.spent.backoff);
        }
        match ending {
            Ending::Done(outcome) => self.record_done(life, *outcome, recorded),
            Ending::DeadLetter(code, text) => {
                self.record_dead(life, *code, text.as_deref(), recorded)
            }
            Ending::RetryLater(index, cause) => {
                self.record_deferred(life, *cause, self.settings.retry_delays.get(*index))
            }
            // Told once, when the pause began, and not for each event.
            Ending::PutAside(_) => {
                self.metrics.deferred(lane);
                self.metrics.retry(lane, RetryCause::Paused);
            }
            Ending::HeldTooLong => self.record_deferred(
                life,
                RetryCause::HeldTooLong,
                self.settings.retry_delays.first(),
            ),
            Ending::OnTrial => self.record_deferred(
                life,
                RetryCause::OnTrial,
                self.settings.retry_delays.first(),
            ),
            Ending::ForNewer => self.record_deferred(
                life,
                RetryCause::NewerFormat,
                self.settings.retry_delays.iter().max(),
            ),
            Ending::Return => {}
        }
    }

    fn record_done(&self, life: &Life, outcome: Outcome, recorded: Recorded) {
        let (now, lane) = ((self.wall)(), life.message.lane);
        let exposure = life
            .facts
            .occurred_at
            .map(|at| positive(now.duration_since(at)));
        self.metrics.completed(lane, outcome);
        self.record_of_campaign(life, outcome);
        self.metrics.attempts(life.account.attempts + 1);
        if !life.spent.api.is_zero() {
            self.metrics.stage(Stage::Api, life.spent.api);
        }
        if matches!(outcome, Outcome::Revoked | Outcome::AlreadyGone) {
            self.metrics.last_revocation(lane, now);
            match (life.unmeasured, exposure) {
                (Some(cause), _) => self.metrics.exposure_unmeasured(lane, cause),
                (None, Some(exposure)) => self.metrics.exposure(lane, exposure),
                (None, None) => {}
            }
        }
        self.record_unrecorded(lane, recorded);
        tracing::info!(
            event.id = life.facts.event_id.as_deref(),
            trace_id = life.facts.trace_id(),
            lane = lane.as_str(),
            publisher = %life.message.publisher,
            outcome = outcome.as_str(),
            event.target = life.facts.target.as_deref(),
            sessions = life.facts.sessions,
            request_id = life.facts.request_id.as_deref(),
            attempts = life.account.attempts,
            api_ms = millis(life.spent.api),
            exposure_ms = exposure.map(millis),
            "event settled"
        );
    }

    fn record_dead(&self, life: &Life, code: Code, text: Option<&str>, recorded: Recorded) {
        let lane = life.message.lane;
        self.metrics.completed(lane, Outcome::DeadLettered);
        self.record_of_campaign(life, Outcome::DeadLettered);
        self.metrics.attempts(life.account.attempts);
        let holds_credential = life.is_secret() && life.facts.target_kind.is_some();
        self.metrics.dead_letter(lane, code, holds_credential);
        if let Code::Rejected(code) = code {
            self.metrics.rejected(lane, code);
        }
        self.record_unrecorded(lane, recorded);
        tracing::warn!(
            event.id = life.facts.event_id.as_deref(),
            trace_id = life.facts.trace_id(),
            lane = lane.as_str(),
            publisher = %life.message.publisher,
            outcome = Outcome::DeadLettered.as_str(),
            code = code.as_str(),
            event.target = life.facts.target.as_deref(),
            request_id = life.facts.request_id.as_deref(),
            error_type = life.facts.error_type.as_deref(),
            attempts = life.account.attempts,
            why = text,
            "event dead-lettered: the session may still live"
        );
    }

    fn record_deferred(&self, life: &Life, cause: RetryCause, delay: Option<&Duration>) {
        let lane = life.message.lane;
        self.metrics.deferred(lane);
        self.metrics.retry(lane, cause);
        tracing::info!(
            event.id = life.facts.event_id.as_deref(),
            trace_id = life.facts.trace_id(),
            lane = lane.as_str(),
            cause = cause.as_str(),
            attempt = life.account.attempts,
            delay_ms = delay.copied().map(millis),
            next = "comes back from the delay queue",
            "event deferred"
        );
    }

    fn record_unrecorded(&self, lane: Lane, recorded: Recorded) {
        if recorded == Recorded::OnlyLogged {
            self.metrics.outcome_unrecorded(lane);
        }
    }
}

/// Why a message must wait, for the metric.
pub(super) fn cause(class: &Class) -> RetryCause {
    match class {
        Class::Retryable(failure) => RetryCause::from(*failure),
        Class::OwnLimit => RetryCause::OwnLimit,
        Class::Permanent(_) => RetryCause::UnknownError,
        _ => RetryCause::RateLimited,
    }
}

pub(super) fn positive(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
