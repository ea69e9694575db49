//! The second pass over a list: every target's event to the bulk lane, each once, with checkpoints.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::{
    sync::mpsc::{Receiver, channel},
    task::JoinHandle,
    time::Instant,
};

use crate::{
    broker::{self, Feed, PublishOne, topology::Names},
    campaign::{EventHash, Kind, Manifest, Order, Record, control::Checkpoint, id},
    cli::Failure,
    event::{Expectations, Lane},
};

use super::{first::FIRST, input::List, records, scan};

/// Rows that are read ahead.
const AHEAD: usize = 1_000;
/// A checkpoint is written after so many events, or after [`CHECKPOINT_AFTER`].
const CHECKPOINT_EVENTS: u64 = 10_000;
/// A checkpoint is written at least so often while events are published.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(5);
/// How long the broker may be away meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// What every event of a part has beside its target.
#[derive(Debug, Clone)]
pub struct Common {
    /// The part's manifest.
    pub manifest: Manifest,
    /// Users or sessions.
    pub kind: Kind,
    /// Who starts it.
    pub by: String,
    /// Why, for the audit trail.
    pub note: Option<String>,
}

/// A list on its way.
pub struct Publishing {
    rows: Receiver<(u64, String)>,
    reader: Option<JoinHandle<anyhow::Result<()>>>,
    feed: Feed,
    settings: broker::Settings,
    lane: String,
    common: Common,
    sorted: Vec<EventHash>,
    /// By place in `sorted`: given out already, or published by an earlier start.
    seen: Vec<bool>,
    exclude: Vec<EventHash>,
    /// Up to this line all is published already.
    from_line: u64,
    line: u64,
    /// Events of this part that are published, those of earlier starts included.
    pub published: u64,
    /// The first targets of the list.
    pub first: Vec<EventHash>,
    ended: bool,
    last_checkpoint: (u64, Instant),
}

#[derive(Serialize)]
struct EventV1<'a> {
    r#type: &'static str,
    id: &'a str,
    occurred_at: Timestamp,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cutoff: Option<Timestamp>,
    initiated_by: &'static str,
    actor: &'a str,
    campaign_id: &'a str,
    project_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

impl Common {
    /// One event.
    pub fn event(&self, event_id: &str, target: &str) -> Vec<u8> {
        let manifest = &self.manifest;
        let of = |kind: Kind| (self.kind == kind).then_some(target);
        let event = EventV1 {
            r#type: "session.revoke.v1",
            id: event_id,
            occurred_at: manifest.occurred_at,
            reason: &manifest.reason,
            user_id: of(Kind::User),
            session_id: of(Kind::Session),
            cutoff: (self.kind == Kind::User).then_some(manifest.cutoff),
            initiated_by: "admin",
            actor: &self.by,
            campaign_id: &manifest.campaign_id,
            project_id: &manifest.project_id,
            note: self.note.as_deref(),
        };
        serde_json::to_vec(&event).expect("strings and times are always JSON")
    }
}

impl Publishing {
    /// Begins after what an earlier start has published: `from` is its last line and its number of events.
    ///
    /// # Errors
    /// When the broker cannot be used.
    pub async fn begin(
        list: List,
        (sorted, exclude): (Vec<EventHash>, Vec<EventHash>),
        from: (u64, u64),
        common: Common,
        settings: &broker::Settings,
        expect: Expectations,
    ) -> Result<Self, Failure> {
        let feed = Feed::open(settings, PATIENCE).await?;
        let (rows, reader) = read(list, expect);
        Ok(Self {
            rows,
            reader: Some(reader),
            feed,
            lane: Names::new(&settings.prefix).lane(Lane::Bulk),
            settings: settings.clone(),
            common,
            seen: vec![false; sorted.len()],
            sorted,
            exclude,
            from_line: from.0,
            line: from.0,
            published: from.1,
            first: Vec::new(),
            ended: false,
            last_checkpoint: (from.1, Instant::now()),
        })
    }

    /// Publishes until so many events of the part are, or the list ends. `tell` hears the number.
    ///
    /// # Errors
    /// When the list has changed since it was checked, or the broker does not take the events.
    pub async fn up_to(&mut self, count: u64, mut tell: impl FnMut(u64)) -> Result<(), Failure> {
        // Those of an earlier start are read again, so that the first are known.
        let first = count.min(FIRST);
        while (self.published < count || (self.first.len() as u64) < first) && !self.ended {
            let Some((line, target)) = self.rows.recv().await else {
                self.finish().await?;
                break;
            };
            let published_before = line <= self.from_line;
            self.line = self.line.max(line);
            if let Some(hash) = self.take(line, &target)?
                && !published_before
            {
                self.send(hash, &target).await?;
                tell(self.published);
            }
            let (events, at) = self.last_checkpoint;
            if self.published - events >= CHECKPOINT_EVENTS
                || (self.published > events && at.elapsed() >= CHECKPOINT_AFTER)
            {
                self.checkpoint().await?;
            }
        }
        self.checkpoint().await
    }

    /// The part's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.common.manifest
    }

    /// Events of this part.
    pub fn expected(&self) -> u64 {
        self.sorted.len() as u64
    }

    /// Leaves.
    pub async fn close(self) {
        self.feed.close().await;
    }

    /// The target's hash, unless it was given out already or is excluded.
    fn take(&mut self, line: u64, target: &str) -> Result<Option<EventHash>, Failure> {
        let (campaign_id, kind) = (&self.common.manifest.campaign_id, self.common.kind);
        let hash = EventHash::new(campaign_id, kind, target);
        if self.exclude.binary_search(&hash).is_ok() {
            return Ok(None);
        }
        match self.sorted.binary_search(&hash) {
            Ok(at) if std::mem::replace(&mut self.seen[at], true) => Ok(None),
            Ok(_) => {
                if (self.first.len() as u64) < FIRST {
                    self.first.push(hash);
                }
                Ok(Some(hash))
            }
            Err(_) => Err(changed(line)),
        }
    }

    async fn send(&mut self, hash: EventHash, target: &str) -> Result<(), Failure> {
        let manifest = &self.common.manifest;
        let event_id = id::event_id(&manifest.campaign_id, manifest.part, hash);
        let message = PublishOne {
            exchange: self.lane.clone(),
            routing_key: manifest.publisher.clone(),
            body: Bytes::from(self.common.event(&event_id, target)),
            content_type: "application/json".to_owned(),
            message_id: event_id,
        };
        self.feed.publish(message).await.map_err(records::failure)?;
        self.published += 1;
        Ok(())
    }

    /// The end of the list: every target must have come.
    async fn finish(&mut self) -> Result<(), Failure> {
        if let Some(reader) = self.reader.take() {
            let read = reader.await.map_err(anyhow::Error::from)?;
            read?;
        }
        match self.seen.iter().all(|seen| *seen) {
            true => {
                self.ended = true;
                Ok(())
            }
            false => Err(changed(self.line)),
        }
    }

    /// Waits for every confirm, and only then writes how far it is.
    async fn checkpoint(&mut self) -> Result<(), Failure> {
        self.feed.flush().await.map_err(records::failure)?;
        let manifest = &self.common.manifest;
        let order = Order::CampaignPublished(Checkpoint {
            campaign_id: manifest.campaign_id.clone(),
            part: manifest.part,
            line: self.line,
            published: self.published,
            done: self.ended,
        });
        let record = Record::new(order, self.common.by.clone(), None, Timestamp::now());
        let message = records::message(&self.settings, &record);
        self.feed.publish(message).await.map_err(records::failure)?;
        self.feed.flush().await.map_err(records::failure)?;
        self.last_checkpoint = (self.published, Instant::now());
        Ok(())
    }
}

fn changed(line: u64) -> Failure {
    Failure::Failed(anyhow::anyhow!(
        "the list has changed since it was checked (line {line}); what was published stays; \
         run the same command again with a list that nobody writes to"
    ))
}

/// Reads the valid rows of a list on a thread of its own.
fn read(
    mut list: List,
    expect: Expectations,
) -> (Receiver<(u64, String)>, JoinHandle<anyhow::Result<()>>) {
    let (give, rows) = channel(AHEAD);
    let reader = tokio::task::spawn_blocking(move || {
        let kind = list.kind();
        list.read(|(line, cell)| {
            if let Ok((id, _)) = cell.and_then(|id| scan::check(kind, id, &expect)) {
                // Whoever asks no more has said why.
                let _ = give.blocking_send((line, id.to_owned()));
            }
            Ok(())
        })
    });
    (rows, reader)
}
