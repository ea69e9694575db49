//! Properties that RabbitMQ passes on and a client library cannot read: each ended every worker's session
//! or process for ever, while the broker gave it out again and again. The event is as good as any.

use crate::harness::{
    Event, PATIENCE, World,
    raw::{Raw, entry, long, short},
    wait,
};

/// Arrays in arrays. A frame of RabbitMQ's holds 26,000, over which it takes seconds itself; a few
/// thousand overflow the stack of the client library.
const LEVELS: usize = 10_000;

fn nested() -> Vec<u8> {
    let mut value = Vec::new();
    // From the outside to the inside: each holds its kind, its length and the next one.
    for level in (0..LEVELS).rev() {
        let length = u32::try_from(level * 5).unwrap();
        value.push(b'A');
        value.extend_from_slice(&length.to_be_bytes());
    }
    [&short(b"deep")[..], &value].concat()
}

fn with_headers(entries: &[u8]) -> (u16, Vec<u8>) {
    (1 << 13, long(entries))
}

/// What a publisher may send, whether by mistake or not.
fn rows() -> Vec<(&'static str, (u16, Vec<u8>))> {
    let text = |bit: u32| (1 << bit, short(b"na\xefve\xff"));
    vec![
        ("content_encoding", (1 << 14, short(b""))),
        ("correlation_id", text(10)),
        ("reply_to", text(9)),
        ("message_id", text(7)),
        ("type", text(5)),
        ("app_id", text(3)),
        ("cluster_id", text(2)),
        (
            "name",
            with_headers(&entry(b"t\xe4nant", b'S', &long(b"eu"))),
        ),
        ("tables", with_headers(&nested())),
        (
            "types",
            with_headers(
                &[
                    entry(b"a", b's', &[0, 1]),
                    entry(b"b", b'D', &[1, 0, 0, 0, 1]),
                    entry(b"a", b'F', &long(&entry(b"\xff", b'V', b""))),
                ]
                .concat(),
            ),
        ),
        ("flags", (3, Vec::new())),
    ]
}

#[tokio::test]
async fn properties_that_cannot_be_read_stop_nobody() {
    let world = World::new("unreadable").await;
    let mut worker = world.worker().start().await;
    let rows = rows();
    let ids = world.sandbox.seed_sessions(2 * rows.len() + 1).await;
    let mut events = ids.iter().map(|id| Event::session(id));
    for (name, (flags, properties)) in rows {
        for lane in ["urgent", "bulk"] {
            let mut event = events.next().unwrap();
            event.exchange = lane.into();
            let raw = Raw {
                routing_key: name.into(),
                flags,
                properties: properties.clone(),
            };
            world.broker.publish_raw(&event, raw).await;
        }
    }
    let (flags, properties) = (1 << 15, short(b"application/json"));
    let raw = Raw {
        routing_key: b"caf\xe9".into(),
        flags,
        properties,
    };
    world.broker.publish_raw(&events.next().unwrap(), raw).await;
    wait::until("all are revoked", PATIENCE, async || {
        assert!(worker.process.ended().is_none(), "the worker ended");
        world.sandbox.revoked().await == ids.len() as u64
    })
    .await;
    let outcomes = world.broker.outcomes().await;
    let of = |publisher: &str| {
        let key = format!("urgent.revoked.{publisher}");
        outcomes.iter().filter(|o| o.routing_key == key).count()
    };
    assert_eq!((of("tables"), of("caf?")), (1, 1));
    world.check_unharmed(&mut worker).await;
}

/// What could not be read must not come back so from our own queues either.
#[tokio::test]
async fn what_was_mended_stays_mended_in_a_dead_letter() {
    let world = World::new("mended").await;
    let mut worker = world.worker().start().await;
    let entries = [entry(b"t\xe4nant", b'S', &long(b"eu")), nested()];
    let (flags, properties) = with_headers(&entries.concat());
    let raw = Raw {
        routing_key: b"mended".into(),
        flags: flags | 1 << 7,
        properties: [properties, short(b"m\xfcller")].concat(),
    };
    let refused = Event::session("session-live-00000000-0000-4000-8000-000000000000");
    world.broker.publish_raw(&refused, raw).await;
    let letter = world.letter_of("mended").await;
    assert_eq!(letter.ours("code"), "wrong_environment");
    assert_eq!(letter.ours("headers-dropped"), "1");
    world.check_unharmed(&mut worker).await;
}
