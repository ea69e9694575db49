//! A message in hand: what it came with, what was learnt of it, and how it is stored again.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::{Worker, job};
use crate::{
    event::{
        self, Event, History, Lane, Message, Properties, Rejection, Request, Route, Target,
        decode_message, trace,
    },
    gate::{News, Suspicion, dedupe::Key, trial::LASTS_MAX, unknown::Refusal},
    revoke::{Class, Reply, outcome::ApiCode},
    settle::{
        code::Code,
        report::{Facts, Stored},
        seal::{self, OpenError},
        verdict::Account,
    },
    telemetry::sets::Unmeasured,
};

/// The `target_kind` of a session by its id.
pub(super) const SESSION: &str = "session";
/// The text of a dead letter that came to its lane by no way that leads there.
const ASTRAY: &str = "lane_mismatch: the event came to this lane by a CC or BCC header, or through another lane's exchange; publish it to the exchange of its lane";
/// The `target_kind` of a user.
const USER: &str = "user";

/// One message from its delivery to its end.
pub(super) struct Life {
    /// As it was delivered.
    pub(super) message: Message,
    /// The lane in which it waits for its calls: urgent ones over their publisher's allowance wait with bulk.
    pub(super) lane: Lane,
    /// What goes into outcome, dead letter and log.
    pub(super) facts: Facts,
    /// Its attempts and delays.
    pub(super) account: Account,
    /// What its own 429s have shown.
    pub(super) suspicion: Suspicion,
    /// When it must be out of our hands, if there is a delay queue to put it into.
    pub(super) leave_at: Option<Instant>,
    /// Where its time went: waiting for the gate, for its own next attempt, on the wire.
    pub(super) spent: Spent,
    /// Why its exposure says nothing about us, if so.
    pub(super) unmeasured: Option<Unmeasured>,
    /// Whether its body goes into no queue in clear: until it is known to hold no credential, it may.
    secret: bool,
    /// Whether its body is sealed still: it could not be opened.
    still_sealed: bool,
}

/// Where an event's time went.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Spent {
    pub(super) gate: Duration,
    pub(super) backoff: Duration,
    pub(super) api: Duration,
}

/// Why a message could not be read.
pub(super) enum Unread {
    /// For the dead-letter queue, with a text that holds no value of the event.
    Dead(Code, String),
    /// Written by a newer worker: left for it.
    Newer,
}

impl Life {
    /// `stay` is how long it may be in hand.
    pub(super) fn new(
        mut message: Message,
        outages: u32,
        stay: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        message.history.first_received_at.get_or_insert(now);
        let account = Account {
            attempts: message.history.attempts,
            retries: message.history.retries,
            outages,
        };
        let facts = Facts {
            event_id: message.history.event_id.clone(),
            traceparent: trace::traceparent(&message.properties),
            attempts: message.history.attempts,
            ..Facts::default()
        };
        let stay = match message.history.on_trial {
            true => stay.map(|stay| stay.min(LASTS_MAX)),
            false => stay,
        };
        Self {
            lane: message.lane,
            message,
            facts,
            account,
            suspicion: Suspicion::default(),
            leave_at: stay.map(|stay| Instant::now() + stay),
            spent: Spent::default(),
            unmeasured: None,
            secret: true,
            still_sealed: false,
        }
    }

    /// One that ends without being read: what is sealed stays so.
    pub(super) fn unread(message: Message, outages: u32, now: Timestamp) -> Self {
        let mut life = Self::new(message, outages, None, now);
        life.still_sealed = life.is_sealed();
        life
    }

    /// Whether its body is sealed by us.
    fn is_sealed(&self) -> bool {
        let content_type = self.message.properties.content_type.as_deref();
        content_type == Some(seal::CONTENT_TYPE) && self.message.history.returned
    }

    /// Opens the body if we sealed it, and decodes it.
    pub(super) fn read<A>(&mut self, worker: &Worker<A>, now: Timestamp) -> Result<Event, Unread> {
        if self.message.from_newer_worker {
            return Err(Unread::Newer);
        }
        self.open(worker)?;
        let (message, expect) = (&self.message, &worker.expectations);
        let decoded = decode_message(&message.body, &message.properties, expect, now);
        let event = decoded.map_err(|rejection| self.reject(&rejection))?;
        let event = self.learn(event, worker);
        // Only now: the dead letter tells which event it was.
        match self.message.route {
            Route::Astray => Err(Unread::Dead(
                Code::Rejected(event::Code::LaneMismatch),
                ASTRAY.to_owned(),
            )),
            Route::Lane | Route::Past => Ok(event),
        }
    }

    fn open<A>(&mut self, worker: &Worker<A>) -> Result<(), Unread> {
        if !self.is_sealed() {
            return Ok(());
        }
        let history = &self.message.history;
        let queue = history.queue.as_deref().unwrap_or_default();
        let event_id = history.event_id.as_deref().unwrap_or_default();
        match worker.ring.open(queue, event_id, &self.message.body) {
            Ok((properties, body)) => {
                self.facts.traceparent = trace::traceparent(&properties);
                self.message.properties = properties;
                self.message.body = body;
                Ok(())
            }
            Err(OpenError::UnknownVersion { newer: true }) => Err(Unread::Newer),
            Err(error) => {
                self.still_sealed = true;
                Err(Unread::Dead(Code::SealKeyUnknown, error.to_string()))
            }
        }
    }

    fn reject(&mut self, rejection: &Rejection) -> Unread {
        self.facts.event_id = rejection.event_id.clone();
        Unread::Dead(Code::Rejected(rejection.code()), rejection.to_string())
    }

    fn learn<A>(&mut self, event: Event, worker: &Worker<A>) -> Event {
        self.secret = event.holds_credential;
        let facts = &mut self.facts;
        facts.event_id = Some(event.id.clone());
        facts.campaign_id.clone_from(&event.campaign_id);
        facts.occurred_at = Some(event.occurred_at);
        let (kind, target) = match &event.request {
            Request::Verify => return event,
            Request::Revoke(Target::Session(id)) => (SESSION, id.clone()),
            Request::Revoke(Target::Token(token)) => ("token", worker.ring.hmac(token)),
            Request::Revoke(Target::User {
                user_id, cutoff, ..
            }) => {
                facts.cutoff = Some(*cutoff);
                (USER, user_id.clone())
            }
        };
        facts.target_kind = Some(kind);
        facts.target = Some(target);
        event
    }

    /// Its history as the next queue shall remember it.
    pub(super) fn history(&self, retries: u32, queue: Option<&str>) -> History {
        History {
            attempts: self.account.attempts,
            retries,
            first_received_at: self.message.history.first_received_at,
            event_id: self.facts.event_id.clone(),
            queue: queue.map(str::to_owned),
            on_trial: self.message.history.on_trial,
            replays: self.message.history.replays,
            returned: false,
        }
    }

    /// Body and properties for this queue: the publisher's own, or sealed. The queue's name comes
    /// back if the body is bound to it.
    pub(super) fn stored<A>(&self, worker: &Worker<A>, queue: &str) -> (Stored, Option<String>) {
        let message = &self.message;
        if self.still_sealed {
            let stored = Stored {
                body: message.body.clone(),
                properties: sealed_properties(),
            };
            return (stored, message.history.queue.clone());
        }
        if !self.secret {
            return (
                Stored {
                    body: message.body.clone(),
                    properties: message.properties.clone(),
                },
                None,
            );
        }
        let event_id = self.facts.event_id.as_deref().unwrap_or_default();
        let body = worker
            .ring
            .seal(queue, event_id, &message.properties, &message.body);
        (
            Stored {
                body: Bytes::from(body),
                properties: sealed_properties(),
            },
            Some(queue.to_owned()),
        )
    }

    /// The target, if one call is all it needs; events with the same one share the call.
    pub(super) fn session_key(&self) -> Option<Key> {
        let kind = self.facts.target_kind.filter(|kind| *kind != USER)?;
        Some(Key::new(kind, self.facts.target.as_deref()?))
    }

    /// The event itself: its id is unique for its publisher.
    pub(super) fn event_key(&self) -> Key {
        let id = self.facts.event_id.as_deref().unwrap_or_default();
        Key::new(&self.message.publisher, id)
    }

    /// The user and the cutoff, if that is what the event is about.
    pub(super) fn user_key(&self, event: &Event) -> Option<(Key, Timestamp)> {
        match &event.request {
            Request::Revoke(Target::User {
                user_id, cutoff, ..
            }) => Some((Key::new(USER, user_id), *cutoff)),
            _ => None,
        }
    }

    /// Waits until it has been in hand for too long.
    pub(super) async fn too_long(&self) {
        match self.leave_at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// What the gate learns from the answer to a call of its own.
    pub(super) fn news(&self, reply: &Reply) -> News {
        match reply.class {
            Class::Permanent(ApiCode::ApiOther) => {
                let word = reply.error_type.as_deref().unwrap_or_default();
                News::Unknown(Refusal::new(word, &self.message.publisher))
            }
            _ => job::news(reply),
        }
    }

    /// Whether a dead letter of it holds a credential of a session that still lives.
    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }
}

/// Nothing of the publisher's stays readable beside a sealed body.
fn sealed_properties() -> Properties {
    Properties {
        content_type: Some(seal::CONTENT_TYPE.to_owned()),
        ..Properties::default()
    }
}
