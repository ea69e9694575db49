//! Why the worker is in a state: a closed set of reasons, each with a word for metrics and a sentence for
//! people that says what is wrong and what to do.
//!
//! Fixed at compile time, so that no secret, name or address can get into an answer of the admin port;
//! the error itself stands in the log. What RabbitMQ and Stytch say is classified by their stages.

use super::state::State;
use crate::{
    broker::Trouble,
    revoke::outcome::{Blame, Failure},
};

/// Why the worker is in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Nothing stands in the way.
    AllWell,
    /// Stytch answers 429.
    RateLimited,
    /// Outcomes are not confirmed.
    OutcomesUnrecorded,
    /// What the operator has ordered is not known.
    OrdersUnread,
    /// How the canary of an outage failed.
    Outage(Failure),
    /// What of ours Stytch refuses.
    Credentials(Blame),
    /// Stytch refuses all messages in a way that nobody knows.
    UnknownRefusal,
    /// Why RabbitMQ cannot be used.
    Broker(Trouble),
    /// A signal asked the worker to end.
    AskedToStop,
}

impl Why {
    /// The state it is a reason for.
    pub const fn state(self) -> State {
        match self {
            Self::AllWell => State::Running,
            Self::RateLimited => State::Throttled,
            Self::OutcomesUnrecorded | Self::OrdersUnread => State::Audit,
            Self::Outage(_) => State::Outage,
            Self::Credentials(_) | Self::UnknownRefusal => State::Credentials,
            Self::Broker(_) => State::Broker,
            Self::AskedToStop => State::Draining,
        }
    }

    /// The complete closed set.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::AllWell, Self::RateLimited]
            .into_iter()
            .chain([Self::OutcomesUnrecorded, Self::OrdersUnread])
            .chain(Failure::ALL.iter().map(|f| Self::Outage(*f)))
            .chain(Blame::ALL.iter().map(|b| Self::Credentials(*b)))
            .chain(Trouble::ALL.iter().map(|t| Self::Broker(*t)))
            .chain([Self::UnknownRefusal, Self::AskedToStop])
    }

    /// The word used in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllWell => "all_well",
            Self::RateLimited => "rate_limited",
            Self::OutcomesUnrecorded => "outcomes_unrecorded",
            Self::OrdersUnread => "orders_unread",
            Self::Outage(failure) => failure.as_str(),
            Self::Credentials(blame) => blame.as_str(),
            Self::UnknownRefusal => "unknown_refusal",
            Self::Broker(trouble) => trouble.as_str(),
            Self::AskedToStop => "asked_to_stop",
        }
    }

    /// What is wrong; what to do.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AllWell => "nothing stands in the way",
            Self::RateLimited => "Stytch answers 429: calls go as fast as it allows",
            Self::OutcomesUnrecorded => {
                "outcomes cannot be recorded, so bulk waits; see the log for why, and mend the exchange or stream of outcomes"
            }
            Self::OrdersUnread => {
                "the operator's stream cannot be read, so bulk waits; see the log for why, and mend it or our right to read it; if it is gone, a worker that starts with REVOKER_TOPOLOGY=declare makes an empty one"
            }
            Self::Outage(failure) => outage(failure),
            Self::Credentials(blame) => credentials(blame),
            Self::UnknownRefusal => {
                "Stytch refuses whatever is sent with an error_type that this version does not know; see error_type in the log, Stytch's changelog, and whether there is a newer version"
            }
            Self::Broker(trouble) => broker(trouble),
            Self::AskedToStop => "asked to stop: what is in hand is finished or given back",
        }
    }
}

const fn outage(failure: Failure) -> &'static str {
    match failure {
        Failure::ServerError => "Stytch answers with errors of its own (5xx); see its status page",
        Failure::Timeout => {
            "Stytch does not answer in time; see its status page, and the network between"
        }
        Failure::Network => {
            "Stytch cannot be reached; check the network, DNS and TLS between, of which the log tells more, REVOKER_STYTCH_BASE_URL and REVOKER_STYTCH_CA_FILE"
        }
        Failure::InvalidResponse => {
            "what answers in Stytch's place is not its API; check what stands between (a proxy, a captive portal)"
        }
    }
}

const fn credentials(blame: Blame) -> &'static str {
    match blame {
        Blame::Secret => {
            "Stytch refuses our API secret; put the project's current one into REVOKER_STYTCH_SECRET_FILE, no restart is needed"
        }
        Blame::Project => {
            "Stytch refuses our project; check REVOKER_STYTCH_PROJECT_ID, and that secret and base URL are that project's"
        }
        Blame::BaseUrl => {
            "what answers is not the API that we speak to; check REVOKER_STYTCH_BASE_URL"
        }
    }
}

const fn broker(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::NotConnected => "not connected to RabbitMQ yet",
        Trouble::SessionLost => "the session with RabbitMQ was lost",
        Trouble::Unreachable => {
            "RabbitMQ cannot be reached; check that it runs, the network, and REVOKER_AMQP_URL"
        }
        Trouble::NoAnswer => {
            "RabbitMQ does not answer in time; check its load and its alarms, and the network"
        }
        Trouble::LoginRefused => {
            "RabbitMQ refuses our user: its name or password is wrong; check REVOKER_AMQP_URL and REVOKER_AMQP_PASSWORD_FILE, or the user in RabbitMQ"
        }
        Trouble::VhostRefused => {
            "RabbitMQ refuses our user in this vhost: there is no such vhost, it may not use it, or too many use it; check REVOKER_AMQP_URL and the user's permissions"
        }
        Trouble::RightMissing => {
            "RabbitMQ refuses our user: it lacks a right on an exchange or queue, which the log names; give it that permission"
        }
        Trouble::PasswordFile => {
            "the file of RabbitMQ's password cannot be read; check REVOKER_AMQP_PASSWORD_FILE"
        }
        Trouble::TlsFile => {
            "a file for RabbitMQ's TLS cannot be used, which the log names; check REVOKER_AMQP_CA_FILE, REVOKER_AMQP_CLIENT_CERT_FILE and REVOKER_AMQP_CLIENT_KEY_FILE"
        }
        Trouble::CertificateRefused => {
            "RabbitMQ's certificate is not to be trusted: signed by another CA, for another name, or expired, as the log says; check REVOKER_AMQP_CA_FILE, and the host in REVOKER_AMQP_URL"
        }
        Trouble::ClientCertificateRefused => {
            "RabbitMQ wants a certificate of ours, or takes the one we have for no user's; check REVOKER_AMQP_CLIENT_CERT_FILE, and that RabbitMQ has a user of its name"
        }
        Trouble::TlsFailed => {
            "TLS with RabbitMQ cannot be agreed on; check that REVOKER_AMQP_URL names its TLS port, and that it offers TLS 1.2 or 1.3"
        }
        Trouble::UrlWrong => "RabbitMQ's URL cannot be used; check REVOKER_AMQP_URL",
        Trouble::TopologyMissing => {
            "an exchange or queue of ours is missing, which the log names; declare it, or run one worker with REVOKER_TOPOLOGY=declare"
        }
        Trouble::TopologyDiffers => {
            "an exchange or queue of ours has other arguments, which the log names; revoker check says what to do"
        }
        Trouble::OtherProject => {
            "the queues belong to another Stytch project; use another vhost or REVOKER_PREFIX"
        }
        Trouble::PublishingBlocked => {
            "RabbitMQ blocks publishing: a memory or disk alarm; free memory or disk on its nodes, which rabbitmq-diagnostics alarms names"
        }
    }
}
