//! Outage, or only these messages? Flowing, Probing and Paused, decided by a canary.
//!
//! Pure. The canary is a revoke of a random session id that no message pays for: with a real
//! message as the probe, one event that always fails would hold a quiet lane for ever.

use std::time::Duration;

use super::News;

/// Failures in a row that call for a canary.
pub const FAILURES_TO_PROBE: u32 = 5;
/// The same while the rate still climbs back after an outage.
pub const FAILURES_TO_PROBE_AGAIN: u32 = 3;
/// First wait between the canaries of an outage; doubles up to [`OUTAGE_PROBE_MAX`].
pub const OUTAGE_PROBE_FIRST: Duration = Duration::from_secs(1);
/// Longest wait between the canaries of an outage.
pub const OUTAGE_PROBE_MAX: Duration = Duration::from_secs(5);
/// Wait between the canaries while our credentials are refused.
pub const CREDENTIALS_PROBE: Duration = Duration::from_secs(30);

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// The API does not answer.
    Outage,
    /// The API refuses our credentials, project or base URL.
    Credentials,
    /// The API refuses whatever we send, in a way that nobody knows.
    Unknown,
}

/// Where the breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Calls go.
    Flowing,
    /// Calls wait for a canary's answer.
    Probing,
    /// Calls wait; the next canary goes at the time given.
    Paused(Pause, Duration),
}

/// The breaker of one worker.
#[derive(Debug)]
pub struct Breaker {
    phase: Phase,
    paused: Option<Pause>,
    failures_in_row: u32,
    canaries_failed: u32,
    outages: u32,
    /// When a call or a canary was last answered.
    answered_at: Option<Duration>,
    enabled: bool,
}

impl Breaker {
    /// A breaker that flows. `outages_pause` is false when every failure is to count as an attempt.
    pub fn new(outages_pause: bool) -> Self {
        Self {
            phase: Phase::Flowing,
            paused: None,
            failures_in_row: 0,
            canaries_failed: 0,
            outages: 0,
            answered_at: None,
            enabled: outages_pause,
        }
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// How many outages there were: a message's failures of an earlier one do not count.
    pub fn outages(&self) -> u32 {
        self.outages
    }

    /// Why calls wait, seen from outside: a canary on the wire does not end a pause.
    pub fn paused(&self) -> Option<Pause> {
        self.paused
    }

    /// Whether the API has been shown to live since this time; `None` as long as nobody knows.
    pub fn lives_since(&self, since: Duration) -> Option<bool> {
        match self.paused {
            Some(_) => Some(false),
            None => self.answered_at.filter(|at| *at > since).map(|_| true),
        }
    }

    /// Asks for a canary, so that it becomes known.
    pub fn doubt(&mut self) {
        if self.phase == Phase::Flowing {
            self.phase = Phase::Probing;
        }
    }

    /// A message's call was answered, well or ill.
    pub fn answered(&mut self, now: Duration) {
        self.answered_at = Some(now);
        if self.phase == Phase::Flowing {
            self.failures_in_row = 0;
        }
    }

    /// A message's call failed. True if the failure is the message's own, false if it is free.
    /// `ramping`: the rate still climbs back after an outage.
    pub fn failed(&mut self, ramping: bool) -> bool {
        if self.phase != Phase::Flowing {
            return false;
        }
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        let enough = if ramping {
            FAILURES_TO_PROBE_AGAIN
        } else {
            FAILURES_TO_PROBE
        };
        if self.enabled && self.failures_in_row >= enough {
            self.phase = Phase::Probing;
        }
        true
    }

    /// A call was refused for our credentials.
    pub fn refused(&mut self, now: Duration) {
        if self.paused != Some(Pause::Credentials) {
            self.pause(Pause::Credentials, now + CREDENTIALS_PROBE);
        }
    }

    /// A call was refused in a way that nobody knows, as many before it. Any answer to the canary ends
    /// the pause: whether the row of refusals does, only messages can show.
    pub fn puzzled(&mut self, now: Duration) {
        if self.paused.is_none() {
            self.pause(Pause::Unknown, now + CREDENTIALS_PROBE);
        }
    }

    /// When the next canary is due; `None` while calls flow or a canary is on the wire.
    pub fn canary_at(&self, on_wire: bool) -> Option<Duration> {
        match self.phase {
            _ if on_wire => None,
            Phase::Flowing => None,
            Phase::Probing => Some(Duration::ZERO),
            Phase::Paused(_, at) => Some(at),
        }
    }

    /// While paused: how long until the next canary; zero while it is on the wire.
    pub fn next_canary(&self, now: Duration) -> Option<Duration> {
        self.paused?;
        Some(match self.phase {
            Phase::Paused(_, at) => at.saturating_sub(now),
            Phase::Flowing | Phase::Probing => Duration::ZERO,
        })
    }

    /// Asks for a canary at once, if paused: the secret file has changed.
    pub fn probe_now(&mut self, now: Duration) {
        if let Phase::Paused(why, _) = self.phase {
            self.phase = Phase::Paused(why, now);
        }
    }

    /// A canary came back: any answer shows a living API, a 429 included. `jitter` is in 0..1 and
    /// spreads the next one by ±20 %; an outage that begins while `ramping` is the last one's.
    pub fn canary(&mut self, news: News, now: Duration, ramping: bool, jitter: f64) {
        match news {
            News::Answered | News::Unknown(_) | News::Limited(_) => {
                self.answered_at = Some(now);
                self.phase = Phase::Flowing;
                self.paused = None;
                self.failures_in_row = 0;
            }
            News::Refused => self.pause(Pause::Credentials, now + CREDENTIALS_PROBE),
            News::Failed(_) => {
                if self.paused != Some(Pause::Outage) {
                    self.outages += 1;
                    self.canaries_failed = if ramping { self.canaries_failed } else { 0 };
                }
                let step = OUTAGE_PROBE_FIRST
                    .saturating_mul(1 << self.canaries_failed.min(8))
                    .min(OUTAGE_PROBE_MAX);
                self.canaries_failed = self.canaries_failed.saturating_add(1);
                self.pause(Pause::Outage, now + step.mul_f64(0.8 + 0.4 * jitter));
            }
        }
    }

    fn pause(&mut self, why: Pause, next_canary_at: Duration) {
        self.phase = Phase::Paused(why, next_canary_at);
        self.paused = Some(why);
    }
}
