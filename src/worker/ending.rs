//! How a message's life ends, and what is confirmed before it is acked.

use std::borrow::Cow;

use super::{Worker, life::Life};
use crate::{
    failpoint::{self, Point},
    settle::{
        Outbox, Outgoing, Receipt,
        code::Code,
        outcome::Outcome,
        perform::{LinkDown, Recorded, until_confirmed},
        report::{self, DeadLetter, Stored},
        verdict::Verdict,
    },
    telemetry::sets::RetryCause,
};

/// How a life ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The work is done, or there was none.
    Done(Outcome),
    /// To the delay queue with this index.
    RetryLater(usize, RetryCause),
    /// To the first delay queue, without an attempt: it has been in hand for too long.
    HeldTooLong,
    /// To the delay queue with this index, without an attempt: its campaign is paused.
    PutAside(usize),
    /// To the first delay queue unread, without an attempt: it is, or goes, on trial.
    OnTrial,
    /// To the last delay queue as it is: a newer worker understands it.
    ForNewer,
    /// To the dead-letter queue, with what is wrong if there is more to say than the code.
    DeadLetter(Code, Option<String>),
    /// Back to its queue, unacked: we shut down, or the delivery is no longer ours.
    Return,
}

/// How the settling went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// What follows is confirmed and the ack is written.
    Acked(Recorded),
    /// The message comes again.
    Returned,
}

impl Ending {
    /// The end that a verdict stands for.
    pub(super) fn of(verdict: Verdict, cause: RetryCause) -> Self {
        match verdict {
            Verdict::Done(outcome) => Self::Done(outcome),
            Verdict::RetryLater(index) => Self::RetryLater(index, cause),
            Verdict::DeadLetter(code) => Self::DeadLetter(code, None),
            // Not ends; a message that stays in memory when it should not is safest in its queue.
            Verdict::Again | Verdict::Hold(_) => Self::Return,
        }
    }
}

impl<A> Worker<A> {
    /// Publishes what follows, waits for the confirm, and only then acks.
    pub(super) async fn settle<O: Outbox, R: Receipt>(
        &self,
        life: &Life,
        ending: &Ending,
        outbox: &O,
        receipt: R,
    ) -> Settled {
        let prepared = match ending {
            Ending::Return => return Settled::Returned,
            Ending::Done(outcome) => self.record_outcome(life, *outcome, None, outbox).await,
            Ending::RetryLater(index, _) => {
                let retries = u32::try_from(index + 1).unwrap_or(u32::MAX);
                confirmed(outbox, &self.retry(life, *index, retries)).await
            }
            Ending::PutAside(index) => {
                confirmed(outbox, &self.retry(life, *index, life.account.retries)).await
            }
            Ending::HeldTooLong | Ending::OnTrial => {
                confirmed(outbox, &self.retry(life, 0, life.account.retries)).await
            }
            Ending::ForNewer => match self.for_newer(life) {
                Some(message) => confirmed(outbox, &message).await,
                None => return Settled::Returned,
            },
            Ending::DeadLetter(code, text) => {
                match until_confirmed(outbox, &self.dead_letter(life, *code, text.as_deref())).await
                {
                    Ok(()) => {
                        self.record_outcome(life, Outcome::DeadLettered, Some(*code), outbox)
                            .await
                    }
                    Err(down) => Err(down),
                }
            }
        };
        let Ok(recorded) = prepared else {
            return Settled::Returned;
        };
        failpoint::pass(Point::Confirmed);
        match receipt.ack().await {
            true => Settled::Acked(recorded),
            false => Settled::Returned,
        }
    }

    async fn record_outcome<O: Outbox>(
        &self,
        life: &Life,
        outcome: Outcome,
        code: Option<Code>,
        outbox: &O,
    ) -> Result<Recorded, LinkDown> {
        if !self.settings.outcomes {
            return Ok(Recorded::Yes);
        }
        let message = report::outcome(&life.message, &life.facts, outcome, code, (self.wall)());
        self.audit.record(outbox, life.message.lane, &message).await
    }

    fn retry(&self, life: &Life, index: usize, retries: u32) -> Outgoing {
        let delay = self.settings.retry_delays[index];
        let (stored, queue) = life.stored(self, &self.names.retry(life.message.lane, delay));
        report::retry(
            &life.message,
            &life.history(retries, queue.as_deref()),
            delay,
            stored,
        )
    }

    fn dead_letter(&self, life: &Life, code: Code, text: Option<&str>) -> Outgoing {
        let (stored, queue) = life.stored(self, &self.names.dead());
        let explanation = || format!("{}: {}", code.as_str(), code.explanation()).into();
        let why = DeadLetter {
            code,
            text: &text.map_or_else(explanation, Cow::Borrowed),
            queue: queue.as_deref(),
        };
        report::dead_letter(&life.message, &life.facts, why, stored, (self.wall)())
    }

    /// A newer worker's message as it came, for the longest delay; `None` without delays. Its headers
    /// stand among the properties if they are newer than ours, else in the history.
    fn for_newer(&self, life: &Life) -> Option<Outgoing> {
        let delay = self.settings.retry_delays.iter().max()?;
        let message = &life.message;
        let stored = Stored {
            body: message.body.clone(),
            properties: message.properties.clone(),
        };
        let mut outgoing = report::retry(message, &message.history, *delay, stored);
        if message.from_newer_worker {
            outgoing.headers.clear();
        }
        Some(outgoing)
    }
}

async fn confirmed<O: Outbox>(outbox: &O, message: &Outgoing) -> Result<Recorded, LinkDown> {
    until_confirmed(outbox, message)
        .await
        .map(|()| Recorded::Yes)
}
