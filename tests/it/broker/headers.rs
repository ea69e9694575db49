//! AMQP properties to ours and back: what a message keeps on its way through our queues.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use revoker::{
    broker::headers::{Read, found, read, write},
    event::{HeaderValue, History, Lane, Message, Properties, Route},
    settle::report::{self, Stored},
};

use super::{outgoing, text, with_headers};

fn full() -> Properties {
    Properties {
        content_type: Some("application/json".into()),
        content_encoding: Some("utf-8".into()),
        message_id: Some("m-1".into()),
        correlation_id: Some("c-1".into()),
        kind: Some("session.revoke.v1".into()),
        app_id: Some("accounts".into()),
        timestamp: Some(1_795_000_000),
        headers: vec![
            ("a".into(), HeaderValue::Text("ü".into())),
            ("b".into(), HeaderValue::Int(i64::MIN)),
            ("c".into(), HeaderValue::Float(0.1)),
            ("d".into(), HeaderValue::Bool(false)),
            ("e".into(), HeaderValue::Timestamp(u64::MAX)),
            ("f".into(), HeaderValue::Bytes(vec![0, 255])),
        ],
        headers_dropped: 0,
    }
}

fn history() -> History {
    History {
        attempts: 7,
        retries: 2,
        first_received_at: Some("2026-11-22T06:30:00.123456789Z".parse().unwrap()),
        event_id: Some("reset-1".into()),
        queue: Some("revocation.urgent.retry.10m".into()),
        on_trial: true,
        replays: 3,
        returned: false,
    }
}

fn message(properties: Properties) -> Message {
    Message {
        lane: Lane::Urgent,
        publisher: "accounts".into(),
        route: Route::Lane,
        publisher_verified: true,
        body: "{}".into(),
        properties,
        history: History::default(),
        from_newer_worker: false,
        redelivered: false,
        delivery_count: 0,
    }
}

/// A message as our delay queue gives it back.
fn sent_round(history: &History, properties: Properties) -> BasicProperties {
    let stored = Stored {
        body: "{}".into(),
        properties: properties.clone(),
    };
    let delay = std::time::Duration::from_secs(60);
    write(&report::retry(&message(properties), history, delay, stored))
}

#[test]
fn a_delay_queue_gives_everything_back() {
    for history in [history(), History::default()] {
        for properties in [full(), Properties::default()] {
            let back = read(&sent_round(&history, properties.clone()), true);
            let wanted = Read {
                properties,
                history: History {
                    returned: true,
                    ..history.clone()
                },
                publisher_verified: true,
                ..Read::default()
            };
            assert_eq!(back, wanted);
        }
    }
}

/// However often it goes round: nothing is added, nothing wears off.
#[test]
fn ten_rounds_leave_the_same_message() {
    let first = sent_round(&history(), full());
    let mut wire = first.clone();
    for _ in 0..10 {
        let back = read(&wire, true);
        wire = sent_round(&back.history, back.properties);
    }
    assert_eq!(wire, first);
}

#[test]
fn every_message_of_ours_is_persistent() {
    for properties in [full(), Properties::default()] {
        let wire = write(&outgoing(properties, Vec::new()));
        assert_eq!(*wire.delivery_mode(), Some(2));
    }
}

/// Somebody else's `user_id` closes the channel, an `expiration` loses the message, CC and BCC send it
/// elsewhere, `x-*` steers the broker.
#[test]
fn nothing_that_steers_the_broker_is_published_again() {
    let steering = [
        ("CC", AMQPValue::FieldArray(vec![text("other")].into())),
        ("BCC", text("other")),
        ("x-death", AMQPValue::FieldArray(Vec::new().into())),
        ("x-delay", AMQPValue::LongInt(5)),
        ("x-match", text("all")),
        ("x-delivery-count", AMQPValue::LongLongInt(3)),
        ("x-first-death-queue", text("r.urgent")),
        ("x-stream-offset", AMQPValue::LongLongInt(1)),
        ("tenant", text("eu")),
    ];
    let from = with_headers(steering)
        .with_user_id("somebody".into())
        .with_expiration("1000".into())
        .with_reply_to("amq.rabbitmq.reply-to".into())
        .with_cluster_id("c".into())
        .with_priority(9)
        .with_delivery_mode(1);
    for trusted in [false, true] {
        let back = read(&from, trusted);
        assert_eq!(back.delivery_count, 3);
        assert_eq!(back.first_death_queue.as_deref(), Some("r.urgent"));
        assert_eq!(back.properties.headers_dropped, 0, "they are not carried");
        let wire = write(&outgoing(back.properties, Vec::new()));
        let wanted = with_headers([("tenant", text("eu"))]).with_delivery_mode(2);
        assert_eq!(wire, wanted, "nothing else is set");
    }
}

#[test]
fn our_headers_win_over_those_of_the_same_name() {
    let theirs = HeaderValue::Text("theirs".into());
    let properties = Properties {
        headers: vec![
            ("revoker-code".into(), theirs.clone()),
            ("tenant".into(), theirs),
        ],
        ..Properties::default()
    };
    let ours = vec![("revoker-code", HeaderValue::Text("expired".into()))];
    let wire = write(&outgoing(properties, ours));
    let table = wire.headers().clone().unwrap();
    assert_eq!(table.inner().get("revoker-code"), Some(&text("expired")));
    assert_eq!(table.inner().get("tenant"), Some(&text("theirs")));
}

/// What does not fit an AMQP short string can only have come from a sealed body: it is left out, never cut.
#[test]
fn what_cannot_be_written_is_left_out() {
    let long = "x".repeat(256);
    let properties = Properties {
        content_type: Some(long.clone()),
        message_id: Some(long.clone()),
        app_id: Some("a".repeat(255)),
        headers: vec![
            (long, HeaderValue::Int(1)),
            ("ok".into(), HeaderValue::Int(2)),
        ],
        ..Properties::default()
    };
    let wire = write(&outgoing(properties, Vec::new()));
    let wanted = with_headers([("ok", AMQPValue::LongLongInt(2))])
        .with_delivery_mode(2)
        .with_app_id("a".repeat(255).as_str().into());
    assert_eq!(wire, wanted);
}

#[test]
fn a_message_without_headers_has_no_history() {
    for from in [
        BasicProperties::default(),
        BasicProperties::default().with_headers(FieldTable::default()),
    ] {
        assert_eq!(read(&from, false), Read::default());
        let back = read(&from, true);
        assert_eq!((back.newer, back.delivery_count), (false, 0));
        assert_eq!(
            back.history,
            History {
                returned: true,
                ..History::default()
            }
        );
    }
}

/// A newer worker's message goes on as it is, so that the newer one finds all it wrote.
#[test]
fn a_newer_version_is_flagged_and_carried_on_unchanged() {
    let newer = || {
        [
            ("revoker-version", AMQPValue::LongLongInt(2)),
            ("revoker-attempts", text("a word by then")),
            ("revoker-unheard-of", AMQPValue::Boolean(true)),
            ("tenant", text("eu")),
        ]
    };
    let back = read(&with_headers(newer()), true);
    assert!(back.newer);
    assert_eq!(back.history.attempts, 0, "not read with today's meaning");
    let wire = write(&outgoing(back.properties, Vec::new()));
    assert_eq!(wire, with_headers(newer()).with_delivery_mode(2));

    let forged = read(&with_headers(newer()), false);
    assert!(!forged.newer, "only our own exchange may say so");
    for version in [1, 0, -1] {
        let back = read(
            &with_headers([("revoker-version", AMQPValue::LongLongInt(version))]),
            true,
        );
        assert!(!back.newer, "{version}");
    }
    let at: Timestamp = "2026-11-22T06:30:00Z".parse().unwrap();
    let old = History {
        first_received_at: Some(at),
        ..History::default()
    };
    assert!(!read(&sent_round(&old, full()), true).newer);
}

/// For whoever looks at a dead letter.
#[test]
fn headers_of_ours_are_told_from_the_publishers() {
    let ours = [("revoker-code", "expired"), ("revoker-new", "x")];
    let all = [ours[0], ours[1], ("tenant", "eu"), ("x-death", "many")];
    let found = found(
        &with_headers(all.map(|(name, value)| (name, text(value)))),
        "a",
    );
    let names = |headers: &[(String, HeaderValue)]| -> BTreeSet<String> {
        headers.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(
        names(&found.ours),
        ours.map(|(name, _)| name.to_owned()).into()
    );
    assert_eq!(
        names(&found.properties.headers),
        ["tenant".to_owned()].into()
    );
}
