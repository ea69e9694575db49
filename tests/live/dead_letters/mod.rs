//! `revoker dead-letters` with the real binary: looking loses nothing, and what is sent back is done.

mod killed;
mod listed;
mod purged;
mod replayed;
mod shown;
mod withheld;

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use lapin::types::AMQPValue;
use revoker::{
    broker::{
        Login, Settings, TopologyMode,
        headers::write,
        stream::{Stream, Tail},
    },
    campaign::{Order, Record, control::Letters},
    event::{History, Lane, Message, Properties, Route},
    settle::{
        code::Code,
        letter::Cause,
        report::{self, DeadLetter, Facts, Stored},
        seal::{self, KeyRing},
    },
    tls::Files,
};
use serde_json::{Value, json};

use crate::harness::{Event, PATIENCE, World, is_full, once::Ended, sandbox::PROJECT_ID, wait};

/// How long a replay of many may take on a machine that does other things as well.
const LONGEST: Duration = Duration::from_secs(600);

/// A dead letter as a worker writes it, that lay for so many minutes: for lists that no worker can be
/// made to fill.
struct Crafted {
    code: &'static str,
    lane: Lane,
    publisher: &'static str,
    campaign: Option<&'static str>,
    minutes: i64,
    session: String,
}

impl Crafted {
    fn new(code: &'static str, session: impl Into<String>) -> Self {
        Self {
            code,
            lane: Lane::Urgent,
            publisher: "live-test",
            campaign: None,
            minutes: 0,
            session: session.into(),
        }
    }

    /// As an event to be published straight to the dead letters; its id is the letter's.
    fn event(&self, ring: Option<(&KeyRing, &str)>) -> Event {
        let event = Event::new(match self.campaign {
            Some(campaign) => json!({"session_id": self.session, "campaign_id": campaign}),
            None => json!({"session_id": self.session}),
        });
        let Some(Cause::Known(code)) = Cause::named(self.code) else {
            panic!("{} is no code", self.code)
        };
        let (stored, queue) = stored(&event, ring);
        let facts = Facts {
            event_id: Some(event.id.clone()),
            campaign_id: self.campaign.map(str::to_owned),
            target_kind: Some("session"),
            target: Some(self.session.clone()),
            attempts: 6,
            ..Facts::default()
        };
        let at = Timestamp::now() - SignedDuration::from_mins(self.minutes);
        let letter = report::dead_letter(
            &self.message(&event),
            &facts,
            DeadLetter {
                code,
                text: Code::AttemptsExhausted.explanation(),
                queue: queue.as_deref(),
            },
            stored,
            at,
        );
        let mut event = event.in_exchange("dead").by(self.publisher);
        event.properties = write(&letter);
        event.body = letter.body.to_vec();
        event
    }

    fn message(&self, event: &Event) -> Message {
        Message {
            lane: self.lane,
            publisher: self.publisher.to_owned(),
            route: Route::Lane,
            publisher_verified: false,
            body: event.body.clone().into(),
            properties: Properties::default(),
            history: History {
                attempts: 6,
                retries: 2,
                ..History::default()
            },
            from_newer_worker: false,
            redelivered: false,
            delivery_count: 0,
        }
    }
}

fn stored(event: &Event, ring: Option<(&KeyRing, &str)>) -> (Stored, Option<String>) {
    let own = Properties {
        content_type: Some("application/json".into()),
        ..Properties::default()
    };
    match ring {
        None => (
            Stored {
                body: event.body.clone().into(),
                properties: own,
            },
            None,
        ),
        Some((ring, queue)) => {
            let stored = Stored {
                body: ring.seal(queue, &event.id, &own, &event.body).into(),
                properties: Properties {
                    content_type: Some(seal::CONTENT_TYPE.into()),
                    ..Properties::default()
                },
            };
            (stored, Some(queue.to_owned()))
        }
    }
}

/// What no worker of this version writes: its cause, and the letter.
fn strange(ring: &KeyRing, dead: &str) -> Vec<(&'static str, &'static str, Event)> {
    let int = AMQPValue::LongLongInt;
    let newer = [
        ("revoker-version", int(2)),
        ("revoker-code", AMQPValue::LongString("bored".into())),
        ("revoker-event-id", AMQPValue::LongString("e-newer".into())),
    ];
    let odd = [
        ("revoker-version", int(1)),
        ("revoker-code", int(7)),
        ("revoker-lane", AMQPValue::LongString("fast".into())),
        ("revoker-dead-lettered-at", AMQPValue::Void),
        ("revoker-event-id", AMQPValue::LongString("e-odd".into())),
    ];
    let to_dead = |event: Event| event.in_exchange("dead").by("stranger");
    let stranger = KeyRing::parse(&seal::new_key_line()).unwrap();
    let sealed = |ring, change: fn(&mut Vec<u8>)| {
        let mut event = Crafted::new("attempts_exhausted", "s").event(Some((ring, dead)));
        change(&mut event.body);
        event
    };
    vec![
        ("unknown", "clear", to_dead(Event::raw("\u{1b}[2Jhello"))),
        ("unknown", "clear", to_dead(Event::raw(vec![0xff, 0]))),
        ("newer", "clear", to_dead(Event::raw("?")).headers(newer)),
        ("unknown", "clear", to_dead(Event::raw("?")).headers(odd)),
        ("attempts_exhausted", "sealed", sealed(ring, |_| {})),
        (
            "attempts_exhausted",
            "key_unknown",
            sealed(&stranger, |_| {}),
        ),
        (
            "attempts_exhausted",
            "sealed",
            sealed(ring, |body| *body.last_mut().unwrap() ^= 1),
        ),
        (
            "attempts_exhausted",
            "damaged",
            sealed(ring, |body| body.truncate(20)),
        ),
        ("attempts_exhausted", "damaged", sealed(ring, Vec::clear)),
        (
            "attempts_exhausted",
            "newer",
            sealed(ring, |body| body[0] = 2),
        ),
    ]
}

/// For what we do ourselves as a command would.
fn broker_settings(world: &World) -> Settings {
    Settings {
        url: world.broker.url.clone().into(),
        password_file: None,
        login: Login::Password,
        tls: Files::default(),
        prefix: world.broker.prefix.clone(),
        topology: TopologyMode::Verify,
        project_id: PROJECT_ID.to_owned(),
        retry_delays: Vec::new(),
    }
}

impl World {
    /// `revoker dead-letters` with a worker's settings and these arguments.
    async fn dead_letters(&self, arguments: &[&str]) -> Ended {
        let arguments = [&["dead-letters"], arguments].concat();
        self.worker().once(&arguments).await
    }

    /// The same, which must end well; what it says, as JSON.
    async fn dead_letters_json(&self, arguments: &[&str]) -> Value {
        let ended = self.dead_letters(&[arguments, &["--json"]].concat()).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    }

    /// How many dead letters there are, by event id.
    async fn dead_ids(&self) -> BTreeMap<String, usize> {
        let mut ids = BTreeMap::new();
        for letter in self.broker.dead_letters().await {
            *ids.entry(letter.ours("event-id").to_owned()).or_default() += 1;
        }
        ids
    }

    /// Waits until so many dead letters are there and nobody holds one: the broker tells of what was given
    /// back a little later.
    async fn until_dead(&self, count: usize) {
        let count = u32::try_from(count).unwrap();
        wait::until("the dead letters are back", PATIENCE, async || {
            self.broker.depth("dead").await == Some(count)
        })
        .await;
    }

    /// The operator's records about dead letters.
    async fn records(&self) -> Vec<(String, String, Option<String>, Letters)> {
        let settings = broker_settings(self);
        let mut tail = Tail::open(&settings, Stream::Control, 0).await.unwrap();
        let (mut read, mut records) = (None, Vec::new());
        while tail.has_more(read) {
            let entry = tail.next().await.unwrap();
            read = Some(entry.offset);
            let record = Record::read(&entry.body).expect("only records stand there");
            let kind = record.order.words().0.to_owned();
            if let Order::DeadLettersReplayed(letters) | Order::DeadLettersPurged(letters) =
                record.order
            {
                records.push((kind, record.by, record.why, letters));
            }
        }
        tail.close().await;
        records
    }
}
