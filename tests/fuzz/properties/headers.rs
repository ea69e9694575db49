//! The properties of a message in their AMQP form, as the broker hands them over: a publisher's, or our own.

use lapin::{BasicProperties, protocol::basic::parse_properties};
use revoker::{
    broker::{headers, sieve},
    event::{HeaderValue, History, Lane, Message, Properties, Route, decode},
    settle::{
        Outgoing,
        report::{self, Stored},
    },
};

use super::{event, now, withheld};

pub(super) fn check(input: &[u8]) {
    let Some(wire) = parse(input) else { return };
    let (theirs, ours) = (headers::read(&wire, false), headers::read(&wire, true));
    assert_eq!(
        theirs.history,
        History::default(),
        "a publisher's word is believed"
    );
    assert!(!theirs.publisher_verified && !theirs.newer && ours.history.returned);
    for read in [&theirs, &ours] {
        kept(&wire, read);
        says_nothing(&read.properties);
    }
    // Through a delay queue and back, it is the same.
    let sent = write(&ours);
    let again = headers::read(&sent, true);
    assert_eq!(text(&again.history), text(&ours.history));
    assert_eq!(again.newer, ours.newer);
    assert_eq!(again.publisher_verified, ours.publisher_verified);
    // NaN is not equal to itself.
    let (kept, before) = (
        text(&again.properties.headers),
        text(&ours.properties.headers),
    );
    assert!(
        kept == before || has_long_names(&ours.properties),
        "{before} became {kept}"
    );
    assert_eq!(
        text(&write(&again)),
        text(&sent),
        "what was sent once is sent so again"
    );
}

/// As the library parses it, which gets it from the sieve.
fn parse(input: &[u8]) -> Option<BasicProperties> {
    let mut mended = Vec::new();
    sieve::header(&[&[0; 12], input].concat(), &mut mended);
    let (rest, wire) = parse_properties(mended.get(12..)?).ok()?;
    rest.is_empty().then_some(wire)
}

fn kept(wire: &BasicProperties, read: &headers::Read) {
    let kept = &read.properties.headers;
    let sent = wire
        .headers()
        .as_ref()
        .map_or(0, |table| table.inner().len());
    assert!(kept.len() + read.properties.headers_dropped <= sent);
    let steers = |name: &str| name.starts_with("x-") || ["CC", "BCC"].contains(&name);
    let mut bytes = 0;
    for (name, value) in kept
        .iter()
        .filter(|(name, _)| !name.starts_with("revoker-"))
    {
        assert!(!steers(name), "{name} steers the broker");
        bytes += name.len()
            + match value {
                HeaderValue::Text(text) => text.len(),
                HeaderValue::Bytes(bytes) => bytes.len(),
                _ => 8,
            };
    }
    assert!(bytes <= Properties::HEADER_BYTES_MAX);
    let ours = kept
        .iter()
        .filter(|(name, _)| name.starts_with("revoker-"))
        .count();
    assert!(ours == 0 || read.newer, "ours among the publisher's");
    assert!(kept.len() - ours <= Properties::HEADERS_MAX);
}

/// A refusal for what the properties say of the body repeats nothing of them.
fn says_nothing(properties: &Properties) {
    let [content_type, content_encoding] =
        [&properties.content_type, &properties.content_encoding].map(Option::as_deref);
    if let Err(rejection) = decode(
        b"{}",
        content_type,
        content_encoding,
        &event::worker(),
        now(),
    ) {
        for value in [content_type, content_encoding].into_iter().flatten() {
            withheld::check(&rejection.to_string(), value.as_bytes());
        }
    }
}

/// The same message as the worker sends it to a delay queue.
fn write(read: &headers::Read) -> BasicProperties {
    let message = Message {
        lane: Lane::Bulk,
        publisher: "fuzz".into(),
        route: Route::Lane,
        publisher_verified: read.publisher_verified,
        body: "{}".into(),
        properties: read.properties.clone(),
        history: read.history.clone(),
        from_newer_worker: read.newer,
        redelivered: false,
        delivery_count: 0,
    };
    let stored = Stored {
        body: "{}".into(),
        properties: read.properties.clone(),
    };
    let delay = std::time::Duration::from_secs(60);
    let mut outgoing: Outgoing = report::retry(&message, &read.history, delay, stored);
    if read.newer {
        outgoing.headers.clear();
    }
    headers::write(&outgoing)
}

fn has_long_names(properties: &Properties) -> bool {
    properties.headers.iter().any(|(name, _)| name.len() > 255)
}

fn text(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}
