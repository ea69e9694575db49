//! Trying again for somebody who waits at the terminal: each wait is told, and all of it ends.
//!
//! Not the worker's retries: those have queues for what takes longer, here a person decides what comes next.
//! What time failures may take is given once, for all calls together; a call that does its work costs none of it.

use std::{
    io::{Write, stderr},
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    revoke::{
        Class, Reply,
        outcome::{Blame, Failure},
    },
    settle::delay,
};

/// How long failures and the waits after them may last.
#[derive(Debug)]
pub struct Patience {
    whole: Duration,
    left: Duration,
    /// Since the last call that did its work.
    failures: u32,
    unanswered: u32,
}

/// Why it is not tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GaveUp {
    /// What kind of end it is.
    pub why: Why,
    /// What happened, and what to do where that is known.
    pub text: String,
    /// Stytch's `request_id` of the last answer.
    pub request_id: Option<String>,
}

/// What kind of end it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Our secret, project or base URL: no call can succeed.
    Credentials,
    /// This call can never succeed.
    Refused,
    /// It failed for as long as it may.
    Exhausted,
}

impl Patience {
    /// With so much time to lose.
    pub const fn new(whole: Duration) -> Self {
        Self {
            whole,
            left: whole,
            failures: 0,
            unanswered: 0,
        }
    }

    /// How long to wait before the next try; `jitter` is in 0..1.
    ///
    /// A 429 is news about the rate: it waits as long as Stytch says, else the exponential step whole. What else
    /// may pass takes a random part of that step.
    ///
    /// # Errors
    /// That there is no next try, and why.
    pub fn after(&mut self, reply: &Reply, jitter: f64) -> Result<Duration, GaveUp> {
        let text = told(reply);
        let gave_up = |why, text| GaveUp {
            why,
            text,
            request_id: reply.request_id.clone(),
        };
        self.failures = self.failures.saturating_add(1);
        self.left = self.left.saturating_sub(reply.elapsed);
        let wait = match &reply.class {
            Class::Credentials(code) => {
                let todo = code.blames().map_or("ask Stytch's support", remedy);
                return Err(gave_up(Why::Credentials, format!("{text}; {todo}")));
            }
            Class::Permanent(_) | Class::Revoked | Class::AlreadyGone => {
                let todo = "look its word up in Stytch's documents, and give the request id to its support";
                return Err(gave_up(Why::Refused, format!("{text}; {todo}")));
            }
            Class::RateLimited | Class::OwnLimit => match reply.retry_after {
                Some(asked) if asked > self.left => {
                    let text = format!("{text}, and asks for a wait of {}", shown(asked));
                    return Err(gave_up(Why::Exhausted, text));
                }
                Some(asked) => asked.max(delay::STEP_FIRST),
                None => delay::step(self.failures),
            },
            Class::Retryable(_) => {
                self.unanswered = self.unanswered.saturating_add(1);
                delay::wait(self.failures, jitter)
            }
        };
        if self.left.is_zero() {
            let text = format!("{text}; it failed for {} in all", shown(self.whole));
            return Err(gave_up(Why::Exhausted, text));
        }
        let wait = wait.min(self.left);
        self.left -= wait;
        Ok(wait)
    }

    /// How long to wait in the `nth` idle round, from 1, of what is no failure of a call; zero when no time is left.
    pub fn idle(&mut self, nth: u32) -> Duration {
        let wait = delay::step(nth).min(self.left);
        self.left -= wait;
        wait
    }

    /// How many calls so far may have been done although nobody said so.
    pub const fn unanswered(&self) -> u32 {
        self.unanswered
    }
}

/// Makes a call until it does its work.
///
/// # Errors
/// When it is not worth another try, or there is no time for one.
pub(super) async fn until_done<T>(
    patience: &mut Patience,
    mut call: impl AsyncFnMut() -> Result<T, Reply>,
) -> Result<T, GaveUp> {
    loop {
        match call().await {
            Ok(done) => {
                patience.failures = 0;
                return Ok(done);
            }
            Err(reply) => {
                let wait = patience.after(&reply, fastrand::f64())?;
                note(&format!("{}; next try in {}", told(&reply), shown(wait)));
                sleep(wait).await;
            }
        }
    }
}

/// A line for the person who waits. With standard error closed nobody does.
pub(super) fn note(line: &str) {
    let _ = writeln!(stderr().lock(), "{line}");
}

/// What happened, with Stytch's own words for it.
fn told(reply: &Reply) -> String {
    let said = match &reply.class {
        Class::RateLimited => "Stytch limits our rate",
        Class::OwnLimit => "Stytch limits calls about this target",
        Class::Retryable(Failure::ServerError) => "Stytch failed",
        Class::Retryable(Failure::Timeout) => "Stytch did not answer in time",
        Class::Retryable(Failure::Network) => "Stytch cannot be reached",
        Class::Retryable(Failure::InvalidResponse) => {
            "what answers in Stytch's place is not its API"
        }
        Class::Credentials(code) => match code.blames() {
            Some(Blame::Project) => "Stytch refuses our project",
            Some(Blame::BaseUrl) => "what answers is not the API that we speak to",
            Some(Blame::Secret) | None => "Stytch refuses our API secret",
        },
        Class::Permanent(_) | Class::Revoked | Class::AlreadyGone => "Stytch refuses this call",
    };
    let Some(status) = reply.status else {
        return said.to_owned();
    };
    let error_type = reply.error_type.as_deref().map(|word| format!(" {word}"));
    let request_id = reply.request_id.as_deref().map(|id| format!(", {id}"));
    format!(
        "{said} (HTTP {status}{}{})",
        error_type.unwrap_or_default(),
        request_id.unwrap_or_default()
    )
}

const fn remedy(blame: Blame) -> &'static str {
    match blame {
        Blame::Secret => {
            "give the project's current one (REVOKER_STYTCH_SECRET or REVOKER_STYTCH_SECRET_FILE)"
        }
        Blame::Project => "check REVOKER_STYTCH_PROJECT_ID, and that the secret is that project's",
        Blame::BaseUrl => "check REVOKER_STYTCH_BASE_URL; left out, it is Stytch's own",
    }
}

/// Seconds as people read them: `0.25 s`, `90 s`.
fn shown(wait: Duration) -> String {
    match wait.as_secs() {
        0..10 => format!("{:.2} s", wait.as_secs_f64()),
        seconds => format!("{seconds} s"),
    }
}
