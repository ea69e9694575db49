//! What becomes of a message after a call: the one match from class, attempts and policy to a deed.
//!
//! Pure: the gate's standing and the jitter come in.

use std::time::Duration;

use super::{Settings, code::Code, delay, outcome::Outcome};
use crate::revoke::outcome::{ApiCode, Class, Fault};

/// What is done with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call did its work.
    Done(Outcome),
    /// Back to the front of its lane: what stopped it is not its own fault.
    Again,
    /// Stays in memory, its slot freed, and is tried again after this.
    Hold(Duration),
    /// To the delay queue with this index in `REVOKER_RETRY_DELAYS`.
    RetryLater(usize),
    /// To the dead-letter queue.
    DeadLetter(Code),
}

/// A message's own account while it is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Attempts that failed for a reason of its own, over all rounds.
    pub attempts: u32,
    /// Delays used so far.
    pub retries: u32,
    /// The outage after which its attempts were counted: those before a later one are forgiven.
    pub outages: u32,
}

/// What the gate made of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether a failure or a 429 is the message's own; while the API is out none is.
    pub own: bool,
    /// How many outages there were so far.
    pub outages: u32,
    /// How long the message stands aside; `None`: it goes first.
    pub aside: Option<Duration>,
    /// Whose fault a refusal with an unknown error type is.
    pub fault: Fault,
}

impl Account {
    /// Takes in a call's class and says what becomes of the message. `jitter` is in 0..1.
    pub fn judge(
        &mut self,
        class: &Class,
        standing: Standing,
        settings: &Settings,
        jitter: f64,
    ) -> Verdict {
        match class {
            Class::Revoked => Verdict::Done(Outcome::Revoked),
            Class::AlreadyGone => Verdict::Done(Outcome::AlreadyGone),
            Class::Permanent(ApiCode::ApiOther) => self.refused(standing.fault, settings),
            Class::Permanent(code) => Verdict::DeadLetter(Code::Api(*code)),
            Class::Credentials(_) => Verdict::Again,
            Class::RateLimited if settings.count_every_failure || standing.own => {
                self.failed(standing, settings, jitter)
            }
            Class::RateLimited => standing.aside.map_or(Verdict::Again, Verdict::Hold),
            Class::OwnLimit => self.failed(standing, settings, jitter),
            Class::Retryable(_) if !standing.own && !settings.count_every_failure => Verdict::Again,
            Class::Retryable(_) => self.failed(standing, settings, jitter),
        }
    }

    /// An error type that nobody knows is believed, unless it meets one event after another.
    fn refused(&self, fault: Fault, settings: &Settings) -> Verdict {
        let code = Code::Api(ApiCode::ApiOther);
        match fault {
            Fault::Message => Verdict::DeadLetter(code),
            Fault::Publisher => self.later_or(code, settings),
            Fault::Nobody(aside) => Verdict::Hold(aside),
        }
    }

    /// The user still has old sessions after all rounds: later, or never.
    pub fn sessions_remain(&self, settings: &Settings) -> Verdict {
        self.later_or(Code::UserSessionsRemain, settings)
    }

    fn failed(&mut self, standing: Standing, settings: &Settings, jitter: f64) -> Verdict {
        if standing.outages != self.outages {
            self.outages = standing.outages;
            self.attempts = 0;
        }
        self.attempts = self.attempts.saturating_add(1);
        if self.attempts < settings.attempts {
            return Verdict::Hold(delay::wait(self.attempts, jitter));
        }
        self.later_or(Code::AttemptsExhausted, settings)
    }

    fn later_or(&self, code: Code, settings: &Settings) -> Verdict {
        let next = self.retries as usize;
        if next < settings.retry_delays.len() {
            Verdict::RetryLater(next)
        } else {
            Verdict::DeadLetter(code)
        }
    }
}
