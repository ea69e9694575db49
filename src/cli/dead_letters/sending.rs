//! Sending dead letters back, step by step, listening for what becomes of them.
//!
//! Each is confirmed by the broker before it is removed from the dead letters: killed at any moment, an event
//! is dead, queued, or both, and never neither. What does not match is held meanwhile, and nobody sees it; so
//! all of it ends in good time before the broker would take it back.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    failure,
    filter::Filter,
    ramp::{Heard, Ramp},
};
use crate::{
    broker::{
        self,
        browse::{Browse, LETTERS_MAX, Taken},
        replay::WayBack,
        stream::{Entry, Stream, Tail},
    },
    campaign::Outcome,
    cli::{
        Failure,
        campaign::{records, tell},
        status::text::number,
    },
    settle::{
        letter::{Letter, Replay},
        outcome,
    },
    shutdown,
};

/// How long letters are held at most: the broker takes back what is held for 30 minutes (`consumer_timeout`).
const HOLD_MAX: Duration = Duration::from_secs(20 * 60);

/// What a replay keeps to.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Letters a second.
    pub rate: u32,
    /// How long a step waits for its outcomes.
    pub wait: Duration,
    /// Letters in all.
    pub limit: u64,
    /// Whether to replay what was replayed too often.
    pub force: bool,
}

/// Why a replay stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The cause is not mended.
    #[error(
        "stopped: more than a tenth of what was sent came back dead, so the cause is not mended"
    )]
    ComesBack,
    /// A signal.
    #[error("interrupted")]
    Interrupted,
    /// Held for long enough.
    #[error("stopped after 20 minutes, as long as letters are held; the same command goes on")]
    HeldLong,
    /// The broker cannot be used, or refuses.
    #[error(transparent)]
    Broker(#[from] Failure),
}

impl Stopped {
    /// For programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ComesBack => "comes_back",
            Self::Interrupted => "interrupted",
            Self::HeldLong => "held_long",
            Self::Broker(_) => "broker",
        }
    }
}

impl From<broker::Error> for Stopped {
    fn from(error: broker::Error) -> Self {
        Self::Broker(failure(error))
    }
}

/// What was heard so far, in words.
pub(super) fn said(heard: Heard) -> String {
    let silent = match heard.sent == heard.unheard() {
        true => ": is a worker running, with REVOKER_OUTCOMES=on?",
        false => "",
    };
    format!(
        "{} replayed: {} done, {} dead again, {} not heard of yet{silent}",
        number(heard.sent),
        number(heard.done),
        number(heard.dead),
        number(heard.unheard())
    )
}

/// A replay under way.
pub struct Sending<'a> {
    filter: &'a Filter,
    bounds: Bounds,
    browse: Browse,
    back: WayBack,
    audit: Tail,
    ramp: Ramp,
    codes: BTreeMap<String, u64>,
    began: (Timestamp, Instant),
    pace: Interval,
    stop: CancellationToken,
}

impl<'a> Sending<'a> {
    /// Connects, and takes the dead letters for itself.
    ///
    /// # Errors
    /// When somebody else looks at them, or the broker cannot be used.
    pub async fn open(
        settings: &broker::Settings,
        filter: &'a Filter,
        bounds: Bounds,
    ) -> Result<Self, Failure> {
        let stop = shutdown::on_signal().map_err(|error| Failure::Failed(error.into()))?;
        let browse = Browse::open(settings, LETTERS_MAX).await.map_err(failure)?;
        let audit = Tail::open_near_end(settings, Stream::Audit, 0).await;
        let mut pace = interval(Duration::from_secs(1) / bounds.rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            filter,
            bounds,
            browse,
            audit: audit.map_err(records::failure)?,
            back: WayBack::open(settings).await.map_err(records::failure)?,
            ramp: Ramp::default(),
            codes: BTreeMap::new(),
            began: (Timestamp::now(), Instant::now()),
            pace,
            stop,
        })
    }

    /// Sends step by step, until all are sent or something stops it.
    ///
    /// # Errors
    /// What stopped it. What was sent by then is sent.
    pub async fn run(&mut self) -> Result<(), Stopped> {
        loop {
            let (size, mut sent) = (self.ramp.next_step(), 0);
            while sent < size && self.send_next().await? {
                sent += 1;
            }
            if sent > 0 {
                self.listen().await?;
                tell(&said(self.ramp.total()));
            }
            if sent < size {
                return Ok(());
            }
        }
    }

    /// Gives back what is held, and tells what was done: by code too.
    pub async fn close(self) -> (Heard, BTreeMap<String, u64>) {
        self.browse.close().await;
        self.back.close().await;
        self.audit.close().await;
        (self.ramp.total(), self.codes)
    }

    /// Sends the next letter that matches; `false` if there is none.
    async fn send_next(&mut self) -> Result<bool, Stopped> {
        if self.ramp.total().sent >= self.bounds.limit {
            return Ok(false);
        }
        loop {
            self.may_go_on()?;
            let Some(taken) = self.browse.next().await? else {
                return Ok(false);
            };
            let letter = Letter::read(&taken.found, &taken.body, None);
            if !self.is_meant(&letter) {
                continue;
            }
            if let Ok(replay) = letter.replay(&taken.found, self.bounds.force) {
                self.send(&letter, &replay, taken).await?;
                return Ok(true);
            }
        }
    }

    /// Not what came back dead of what was sent just now.
    fn is_meant(&self, letter: &Letter) -> bool {
        let (now, _) = self.began;
        letter.dead_lettered_at.is_none_or(|at| at <= now) && self.filter.matches(letter, now)
    }

    async fn send(
        &mut self,
        letter: &Letter,
        replay: &Replay,
        taken: Taken,
    ) -> Result<(), Stopped> {
        tokio::select! {
            _ = self.pace.tick() => {}
            () = self.stop.cancelled() => return Err(Stopped::Interrupted),
        }
        self.back.send(replay, &taken.body).await?;
        // It is queued: counted even if it stays among the dead letters as well.
        self.ramp.sent(letter.event_id.as_deref());
        *self
            .codes
            .entry(letter.cause.as_str().to_owned())
            .or_default() += 1;
        Ok(self.browse.remove(taken.hold).await?)
    }

    /// Reads outcomes until the step is heard of, or for as long as it waits.
    async fn listen(&mut self) -> Result<(), Stopped> {
        let until = Instant::now() + self.bounds.wait;
        while !self.ramp.is_heard() {
            let next = tokio::select! {
                next = timeout_at(until, self.audit.next()) => next,
                () = self.stop.cancelled() => return Err(Stopped::Interrupted),
            };
            let Ok(next) = next else {
                break;
            };
            self.take(&next?);
            self.may_go_on()?;
        }
        self.may_go_on()
    }

    fn take(&mut self, entry: &Entry) {
        if Some(entry.offset) <= self.audit.end {
            return;
        }
        if let Some(outcome) = Outcome::read(&entry.body)
            && let Some(id) = &outcome.event_id
        {
            let dead = outcome.outcome == outcome::Outcome::DeadLettered.as_str();
            self.ramp.heard(id, dead);
        }
    }

    fn may_go_on(&self) -> Result<(), Stopped> {
        match self.began.1.elapsed() {
            _ if self.stop.is_cancelled() => Err(Stopped::Interrupted),
            _ if self.ramp.is_failing() => Err(Stopped::ComesBack),
            held if held >= HOLD_MAX => Err(Stopped::HeldLong),
            _ => Ok(()),
        }
    }
}
