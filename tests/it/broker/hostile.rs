//! Headers of people who mean us no good, or do not know what they do: forged, huge, of wrong types.

use lapin::types::{AMQPValue, DecimalValue, FieldTable, LongString};
use revoker::{
    broker::headers::{Read, read, write},
    event::{HeaderValue, History, Properties},
};

use super::{outgoing, text, with_headers};

const OURS: [&str; 17] = [
    "revoker-version",
    "revoker-attempts",
    "revoker-retries",
    "revoker-first-received-at",
    "revoker-event-id",
    "revoker-queue",
    "revoker-code",
    "revoker-lane",
    "revoker-publisher",
    "revoker-dead-lettered-at",
    "revoker-text",
    "revoker-campaign-id",
    "revoker-target-kind",
    "revoker-target",
    "revoker-request-id",
    "revoker-error-type",
    "revoker-headers-dropped",
];

fn values() -> Vec<AMQPValue> {
    vec![
        AMQPValue::LongLongInt(99),
        AMQPValue::ShortShortUInt(99),
        text("99"),
        text("2026-11-22T06:30:00Z"),
        text("revocation.dead"),
        AMQPValue::Boolean(true),
    ]
}

/// Whoever may publish could otherwise use up a message's attempts, or have a body opened as sealed.
#[test]
fn nothing_of_ours_is_believed_from_a_publisher() {
    for value in values() {
        let forged = with_headers(OURS.map(|name| (name, value.clone())));
        assert_eq!(read(&forged, false), Read::default(), "{value:?}");
    }
    let mixed = with_headers([
        ("revoker-attempts", AMQPValue::LongLongInt(99)),
        ("tenant", text("eu")),
        ("revokerish", text("theirs")),
    ]);
    let back = read(&mixed, false);
    assert_eq!(back.history, History::default());
    let kept: Vec<&str> = back
        .properties
        .headers
        .iter()
        .map(|(n, _)| n.as_str())
        .collect();
    assert_eq!(kept, ["revokerish", "tenant"]);
}

/// `x-death` counts are forged as easily, and no queue of ours depends on them.
#[test]
fn x_death_says_nothing_about_attempts() {
    let mut death = FieldTable::default();
    death.insert("count".into(), AMQPValue::LongLongInt(50));
    death.insert("queue".into(), text("r.urgent.retry.1m"));
    let deaths = AMQPValue::FieldArray(vec![AMQPValue::FieldTable(death)].into());
    for trusted in [false, true] {
        let back = read(&with_headers([("x-death", deaths.clone())]), trusted);
        assert_eq!((back.history.attempts, back.history.retries), (0, 0));
        assert_eq!(back.properties, Properties::default());
    }
}

/// One of every AMQP type, and of every size of integer.
fn zoo() -> Vec<AMQPValue> {
    let decimal = DecimalValue { scale: 1, value: 2 };
    vec![
        AMQPValue::Boolean(true),
        AMQPValue::ShortShortInt(-1),
        AMQPValue::ShortShortUInt(200),
        AMQPValue::ShortInt(-300),
        AMQPValue::ShortUInt(60_000),
        AMQPValue::LongInt(-70_000),
        AMQPValue::LongUInt(4_000_000_000),
        AMQPValue::LongLongInt(i64::MAX),
        AMQPValue::LongLongInt(-1),
        AMQPValue::Float(1.5),
        AMQPValue::Double(f64::NAN),
        AMQPValue::DecimalValue(decimal),
        AMQPValue::ShortString("short".into()),
        text(""),
        text("no time, no number"),
        AMQPValue::LongString(LongString::from(vec![0xff, 0xfe])),
        AMQPValue::FieldArray(vec![text("a")].into()),
        AMQPValue::Timestamp(u64::MAX),
        AMQPValue::FieldTable(FieldTable::default()),
        AMQPValue::ByteArray(vec![0, 159].into()),
        AMQPValue::Void,
    ]
}

/// Even in our own queue an operator's tool may rewrite headers: wrong types are as if absent.
#[test]
fn wrong_types_are_as_if_absent() {
    let names = OURS
        .iter()
        .chain(&["x-delivery-count", "x-first-death-queue", "mine"]);
    for name in names {
        for value in zoo() {
            for trusted in [false, true] {
                let back = read(&with_headers([(*name, value.clone())]), trusted);
                let at = back.history.first_received_at;
                assert_eq!(at, None, "{name} {value:?}");
                write(&outgoing(back.properties, Vec::new()));
            }
        }
    }
    let count = |value| read(&with_headers([("revoker-attempts", value)]), true);
    for (value, attempts) in [
        (AMQPValue::ShortShortUInt(200), 200),
        (AMQPValue::LongUInt(4_000_000_000), 4_000_000_000),
        (AMQPValue::LongLongInt(-1), 0),
        (AMQPValue::LongLongInt(i64::MAX), 0),
        (text("7"), 0),
        (AMQPValue::Double(7.0), 0),
    ] {
        assert_eq!(count(value.clone()).history.attempts, attempts, "{value:?}");
    }
    let again = |value| read(&with_headers([("x-delivery-count", value)]), false).delivery_count;
    assert_eq!(again(AMQPValue::LongLongInt(-1)), 0);
    assert_eq!(again(AMQPValue::LongLongInt(i64::MAX)), i64::MAX as u64);
}

#[test]
fn values_that_cannot_be_carried_are_counted() {
    let back = read(
        &with_headers([
            ("array", AMQPValue::FieldArray(vec![text("a")].into())),
            ("table", AMQPValue::FieldTable(FieldTable::default())),
            ("void", AMQPValue::Void),
            (
                "bytes",
                AMQPValue::LongString(LongString::from(vec![0xff, 0xfe])),
            ),
        ]),
        false,
    );
    assert_eq!(back.properties.headers_dropped, 3);
    let bytes = HeaderValue::Bytes(vec![0xff, 0xfe]);
    assert_eq!(back.properties.headers, [("bytes".to_owned(), bytes)]);
}

/// Many and big ones at once: what is kept has a bound, and what is not is counted.
#[test]
fn five_thousand_headers_are_cut_to_a_bound() {
    let many = |length: usize| {
        let mut table = FieldTable::default();
        for n in 0..5_000 {
            table.insert(
                format!("header-{n:04}").into(),
                text(&"v".repeat(length + n % 7)),
            );
        }
        lapin::BasicProperties::default().with_headers(table)
    };
    for (length, kept) in [(0, 64), (1, 64), (1_000, 8), (10_000, 0)] {
        let back = read(&many(length), false).properties;
        assert_eq!(back.headers.len(), kept, "values of {length} bytes");
        assert_eq!(back.headers_dropped, 5_000 - kept);
        let bytes = |(name, value): &(String, HeaderValue)| match value {
            HeaderValue::Text(text) => name.len() + text.len(),
            other => panic!("{other:?}"),
        };
        let sum: usize = back.headers.iter().map(bytes).sum();
        assert!(sum <= Properties::HEADER_BYTES_MAX, "{sum} bytes");
    }
    assert_eq!(Properties::HEADERS_MAX, 64);
}

/// A newer worker's own headers are few and must all go on, whatever the publisher put beside them.
#[test]
fn a_publishers_headers_leave_room_for_a_newer_workers() {
    let mut table = FieldTable::default();
    for n in 0..Properties::HEADERS_MAX {
        let before_or_after_ours = if n % 2 == 0 { "a" } else { "z" };
        table.insert(
            format!("{before_or_after_ours}-{n}").into(),
            text(&"v".repeat(100)),
        );
    }
    table.insert("revoker-version".into(), AMQPValue::LongLongInt(2));
    table.insert("revoker-queue".into(), text("revocation.urgent.retry.1m"));
    let back = read(
        &lapin::BasicProperties::default().with_headers(table.clone()),
        true,
    );
    assert!(back.newer);
    let wire = write(&outgoing(back.properties, Vec::new()));
    let carried = wire.headers().clone().unwrap();
    assert_eq!(carried, table);
}
