//! The closed sets that only metrics need; those of a stage live with that stage.
//!
//! Callers pass these enums, never strings: a label value that no enum holds cannot be exported, so
//! no id, token, URL or error text can get into a metric, and the number of series is known before
//! the first event.

use crate::{closed_set, revoke::outcome::Failure};

pub use crate::broker::{Depth as Queue, Role};

closed_set! {
    /// How a message came to us.
    DeliveryKind {
        /// Never given out before: the denominator of every share.
        First => "first",
        /// Back from one of our own delay queues.
        Retry => "retry",
        /// Given out before and returned, or lost with a connection.
        Redelivered => "redelivered",
    }
}

closed_set! {
    /// Why an exposure says nothing about us and is kept out of the objective.
    Unmeasured {
        /// `occurred_at` lies in the future.
        Future => "future",
        /// It had occurred long before it was published: more than 15 minutes before its lane was last seen empty.
        Backdated => "backdated",
        /// Replayed out of the dead-letter queue.
        Replay => "replay",
    }
}

closed_set! {
    /// Where an event's time goes.
    Stage {
        /// From `occurred_at` to our hands.
        Queue => "queue",
        /// Waiting for a slot, the pace or the breaker.
        Gate => "gate",
        /// Waiting for its own next attempt.
        Backoff => "backoff",
        /// On the wire.
        Api => "api",
        /// Until what follows is confirmed and the ack is written.
        Settle => "settle",
    }
}

closed_set! {
    /// Why an event must wait for another try.
    RetryCause {
        /// 5xx, 408, 499.
        ServerError => "server_error",
        /// The deadline passed.
        Timeout => "timeout",
        /// Refused, reset, TLS.
        Network => "network",
        /// Not the API's documented answer.
        InvalidResponse => "invalid_response",
        /// A 429 as news about the shared rate; no attempt.
        RateLimited => "rate_limited",
        /// A 429 about this target only.
        OwnLimit => "own_limit",
        /// Refused with an error type that nobody knows, as many before it; no attempt.
        UnknownError => "unknown_error",
        /// A user still had sessions after the last round.
        UserSessionsRemain => "user_sessions_remain",
        /// Held in memory for half the hold limit; no attempt.
        HeldTooLong => "held_too_long",
        /// Given out too often without an end, and not to be handled beside others; no attempt.
        OnTrial => "on_trial",
        /// Its campaign is paused; no attempt.
        Paused => "paused",
        /// Written by a newer version of this worker; no attempt.
        NewerFormat => "newer_format",
    }
}

impl RetryCause {
    /// Whether it is a failure of the API or of the way to it, or may be.
    pub const fn is_of_the_api(self) -> bool {
        matches!(
            self,
            Self::ServerError | Self::Timeout | Self::Network | Self::InvalidResponse
        )
    }
}

impl From<Failure> for RetryCause {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::ServerError => Self::ServerError,
            Failure::Timeout => Self::Timeout,
            Failure::Network => Self::Network,
            Failure::InvalidResponse => Self::InvalidResponse,
        }
    }
}

closed_set! {
    /// The states of the breaker.
    Breaker {
        /// Calls are sent.
        Flowing => "flowing",
        /// Nothing is sent.
        Paused => "paused",
        /// One canary is on its way.
        Probing => "probing",
    }
}

closed_set! {
    /// What saved a call.
    Dedupe {
        /// The same target was on the wire.
        InFlight => "in_flight",
        /// The same target was revoked in the last minutes.
        Recent => "recent",
    }
}

closed_set! {
    /// Where we publish.
    To {
        /// A delay queue.
        Retry => "retry",
        /// The dead-letter queue.
        Dead => "dead",
        /// The outcomes.
        Outcome => "outcome",
        /// The operator's stream.
        Control => "control",
    }
}

closed_set! {
    /// How a publish ended.
    PublishResult {
        /// Confirmed.
        Ack => "ack",
        /// Refused by the broker.
        Nack => "nack",
        /// No queue is bound.
        Returned => "returned",
        /// Not confirmed in time: unknown, so it may arrive twice.
        Timeout => "timeout",
    }
}

closed_set! {
    /// Log levels.
    Level {
        /// Somebody must act.
        Error => "error",
        /// Somebody may have to act.
        Warn => "warn",
        /// The normal course.
        Info => "info",
        /// For the developer.
        Debug => "debug",
        /// For the desperate.
        Trace => "trace",
    }
}
