//! What is stored and published again is still the same event, in whichever dialect it came.

use revoker::{
    broker::headers::{read, write},
    settle::{
        Outgoing, To,
        seal::{KeyRing, new_key_line},
    },
};

use super::*;

/// Through the broker and back: in clear, as in a delay queue or among the dead letters.
fn carried(properties: &Properties, trusted: bool) -> Properties {
    let stored = Outgoing {
        to: To::Dead,
        routing_key: "accounts".into(),
        body: "{}".into(),
        properties: properties.clone(),
        headers: vec![("revoker-attempts", HeaderValue::Int(1))],
    };
    read(&write(&stored), trusted).properties
}

#[test]
fn a_stored_message_is_the_same_event() {
    let ring = KeyRing::parse(&new_key_line()).unwrap();
    for mut case in all() {
        let first = decoded(&case);
        let original = case.properties.clone();
        for trusted in [true, false] {
            case.properties = carried(&original, trusted);
            assert_eq!(case.properties.headers, original.headers, "{}", case.name);
            assert_eq!(decoded(&case), first, "{}", case.name);
        }
        let sealed = ring.seal("revocation.dead", "reset-1", &original, &case.body);
        let (opened, body) = ring.open("revocation.dead", "reset-1", &sealed).unwrap();
        assert_eq!(body, case.body);
        case.properties = carried(&opened, true);
        assert_eq!(decoded(&case), first, "{}: sealed", case.name);
    }
}

/// However much else a publisher writes: without its attributes the event would be none.
#[test]
fn other_headers_take_no_room_of_the_attributes() {
    let cases = cases("accepted");
    let case = cases
        .iter()
        .find(|case| case.name == "binary: headers cloudEvents:")
        .unwrap();
    let mut many = case.properties.clone();
    for n in 0..2 * Properties::HEADERS_MAX {
        let name = format!("a-{n:03}");
        many.headers.push((name, HeaderValue::Text("x".into())));
    }
    let kept = carried(&many, false);
    assert!(kept.headers_dropped > 0);
    for header in &case.properties.headers {
        assert!(kept.headers.contains(header), "{header:?}");
    }
}
