//! The queues, asked at the broker itself.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use crate::broker::{
    self, Error, Settings,
    survey::{Purpose, Standing, Surveyed, survey},
};

/// How long the broker may take in all.
const TIME_MAX: Duration = Duration::from_secs(8);

/// What the broker said.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Broker {
    /// `REVOKER_AMQP_URL` is not set.
    NotAsked,
    /// It did not answer, or refuses us.
    Problem {
        /// Why, and what to do.
        text: String,
        /// Whether it did not answer.
        unreachable: bool,
    },
    /// Every queue.
    Queues(Vec<Row>),
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// `urgent`, `bulk`, `retry`, `unhandled` or `dead`.
    pub purpose: &'static str,
    /// The queue's name.
    pub name: String,
    /// What stands in it; none if there is no such queue.
    pub standing: Option<Standing>,
}

impl From<Surveyed> for Row {
    fn from(surveyed: Surveyed) -> Self {
        Self {
            purpose: match surveyed.purpose {
                Purpose::Lane(lane) => lane.as_str(),
                Purpose::Retry(..) => "retry",
                Purpose::Unhandled => "unhandled",
                Purpose::Dead => "dead",
            },
            name: surveyed.name,
            standing: surveyed.standing,
        }
    }
}

/// Asks the broker, if there is one.
pub(super) async fn ask(settings: Option<&Settings>) -> Broker {
    let Some(settings) = settings else {
        return Broker::NotAsked;
    };
    let surveyed = timeout(TIME_MAX, survey(settings)).await;
    match surveyed.unwrap_or(Err(Error::TimedOut("status"))) {
        Ok(queues) => Broker::Queues(queues.into_iter().map(Row::from).collect()),
        Err(error) => Broker::Problem {
            text: error.to_string(),
            unreachable: matches!(
                error,
                broker::Error::Unreachable(_) | broker::Error::TimedOut(_)
            ),
        },
    }
}
