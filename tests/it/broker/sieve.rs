//! The sieve between socket and library: right frames are left alone, and whatever comes can be read.

use lapin::{protocol::basic::parse_properties, types::AMQPValue};
use revoker::broker::{
    headers::read,
    sieve::{self, FRAME_BYTES_MAX, Sieve},
};

use super::text;

/// The size of the body in every header here.
const SIZE: u64 = 300;

fn short(text: &[u8]) -> Vec<u8> {
    [&[text.len() as u8], text].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn entry(name: &[u8], kind: u8, value: &[u8]) -> Vec<u8> {
    [&short(name)[..], &[kind], value].concat()
}

/// A content header with these flags and properties.
fn content(flags: u16, properties: &[u8]) -> Vec<u8> {
    let head = [0, 60, 0, 0];
    [
        &head[..],
        &SIZE.to_be_bytes(),
        &flags.to_be_bytes(),
        properties,
    ]
    .concat()
}

/// A content header with these headers.
fn with_table(entries: &[u8]) -> Vec<u8> {
    content(1 << 13, &long(entries))
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, 1], &long(payload)[..], &[0xCE]].concat()
}

/// Headers within headers, so deep.
fn nested(kind: u8, levels: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..levels {
        let inner = match kind {
            b'A' => value,
            _ if value.is_empty() => value,
            _ => entry(b"", kind, &value),
        };
        value = match kind {
            b'A' if !inner.is_empty() => long(&[&[kind], &inner[..]].concat()),
            _ => long(&inner),
        };
    }
    entry(b"deep", kind, &value)
}

fn header(payload: &[u8]) -> Vec<u8> {
    let mut mended = Vec::new();
    sieve::header(payload, &mut mended);
    mended
}

fn method(payload: &[u8]) -> Vec<u8> {
    let mut mended = Vec::new();
    sieve::method(payload, &mut mended);
    mended
}

/// What the library makes of a mended header; on a stack that is a small part of its own.
fn parsed(payload: &[u8]) -> lapin::BasicProperties {
    let mended = header(payload);
    assert_eq!(mended[..12], payload[..12], "class, weight and size");
    let small = std::thread::Builder::new().stack_size(128 * 1024);
    let parse = move || {
        let (rest, properties) = parse_properties(&mended[12..]).expect("it can be read");
        assert!(rest.is_empty(), "and nothing is left: {rest:?}");
        properties
    };
    small.spawn(parse).unwrap().join().unwrap()
}

/// Every property and every type that RabbitMQ passes on.
fn full() -> Vec<u8> {
    let entries = [
        entry(b"bool", b't', &[1]),
        entry(b"i8", b'b', &[255]),
        entry(b"u8", b'B', &[255]),
        entry(b"i16", b's', &[0, 1]),
        entry(b"u16", b'u', &[255, 255]),
        entry(b"i32", b'I', &[0, 0, 0, 1]),
        entry(b"u32", b'i', &[255, 0, 0, 1]),
        entry(b"i64", b'l', &[0, 0, 0, 0, 0, 0, 0, 9]),
        entry(b"f32", b'f', &[0; 4]),
        entry(b"f64", b'd', &[0; 8]),
        entry(b"decimal", b'D', &[1, 0, 0, 0, 2]),
        entry(b"time", b'T', &[0; 8]),
        entry("nämlich".as_bytes(), b'S', &long(b"text or \xff")),
        entry(b"bytes", b'x', &long(&[0, 255])),
        entry(b"none", b'V', &[]),
    ];
    let properties = [
        short(b"application/json"),
        short(b"utf-8"),
        long(&entries.concat()),
        vec![2],
        vec![9],
        short(b"correlation"),
        short(b"reply"),
        short(b"60000"),
        short("nummer-ä".as_bytes()),
        vec![0, 0, 0, 0, 1, 2, 3, 4],
        short(b"type"),
        short(b"user"),
        short(b"app"),
        short(b"cluster"),
    ];
    content(0xFFFC, &properties.concat())
}

#[test]
fn right_frames_are_left_alone_in_whatever_pieces_they_come() {
    let deliver = [
        &[0, 60, 0, 60][..],
        &short(b"tag"),
        &[0, 0, 0, 0, 0, 0, 0, 7, 1],
        &short(b"revocation.urgent"),
        &short(b"accounts"),
    ]
    .concat();
    let start = [&[0, 10, 0, 10, 0, 9][..], &long(b"\xff\xfe anything")].concat();
    let wire = [
        frame(1, &start),
        frame(1, &deliver),
        frame(2, &full()),
        frame(3, &[0xFF; 300]),
        frame(2, &content(0, b"")),
        frame(3, b""),
        frame(8, b""),
        frame(1, &deliver),
    ]
    .concat();
    for piece in 1..wire.len() {
        let (mut sieve, mut out) = (Sieve::default(), Vec::new());
        wire.chunks(piece)
            .for_each(|bytes| sieve.strain(bytes, &mut out));
        assert_eq!(out, wire, "in pieces of {piece}");
    }
    assert_eq!(
        parsed(&full()).headers().as_ref().unwrap().inner().len(),
        15
    );
}

#[test]
fn what_is_not_utf_8_becomes_readable() {
    let rows: [(u16, &[u8], &str); 9] = [
        (15, b"application/json\xff", "application/json?"),
        (14, b"\xc3", "?"),
        (10, b"\xed\xa0\x80", "???"),
        (9, b"a\xc0\xafb", "a??b"),
        (8, b"\xfe", "?"),
        (7, b"m\xfcller", "m?ller"),
        (5, b"\xf0\x9f\x98", "???"),
        (4, b"\x80\xe4\xb8\xad", "?中"),
        (3, b"\xff", "?"),
    ];
    for (bit, wrong, wanted) in rows {
        let properties = parsed(&content(1 << bit, &short(wrong)));
        let all = [
            properties.content_type(),
            properties.content_encoding(),
            properties.correlation_id(),
            properties.reply_to(),
            properties.expiration(),
            properties.message_id(),
            properties.kind(),
            properties.user_id(),
            properties.app_id(),
        ];
        let texts: Vec<_> = all.into_iter().flatten().map(|t| t.as_str()).collect();
        assert_eq!(texts, [wanted], "bit {bit}");
    }
    let entries = [
        entry(b"t\xe4nant", b'S', &long(b"eu")),
        entry(b"x-delivery-count", b'l', &[0, 0, 0, 0, 0, 0, 0, 9]),
    ];
    let read = read(&parsed(&with_table(&entries.concat())), false);
    assert_eq!(read.delivery_count, 9);
    assert_eq!(read.properties.headers[0].0, "t?nant");
}

#[test]
fn names_that_a_publisher_chose_become_readable() {
    let tag = [0, 0, 0, 0, 0, 0, 0, 7, 1];
    let names = |routing_key: &[u8]| [short(b"revocation.urgent"), short(routing_key)].concat();
    let deliver = |key: &[u8]| [&[0, 60, 0, 60][..], &short(b"c"), &tag, &names(key)].concat();
    let got = |key: &[u8]| [&[0, 60, 0, 71][..], &tag, &names(key), &[0; 4]].concat();
    let returned =
        |key: &[u8]| [&[0, 60, 0, 50, 1, 56][..], &short(b"NO_ROUTE"), &names(key)].concat();
    for method_of in [&deliver as &dyn Fn(&[u8]) -> Vec<u8>, &got, &returned] {
        assert_eq!(method(&method_of(b"\xff\xfekey")), method_of(b"??key"));
        let whole = method_of(b"key");
        for len in 0..whole.len() {
            assert_eq!(method(&whole[..len]), whole[..len], "cut at {len}");
        }
    }
}

/// A publisher's frame of 128 KiB holds 26,000 levels: they ended every worker that was given it.
#[test]
fn tables_within_tables_are_no_deeper_than_one() {
    for (kind, levels) in [(b'A', 26_000), (b'F', 18_000), (b'A', 1), (b'F', 2)] {
        let entries = [nested(kind, levels), entry(b"tenant", b'S', &long(b"eu"))].concat();
        let properties = parsed(&with_table(&entries));
        let headers = properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers.get("deep"), Some(&AMQPValue::Void));
        assert_eq!(headers.get("tenant"), Some(&text("eu")));
        let read = read(&properties, false);
        assert_eq!(read.properties.headers_dropped, 1, "it counts as dropped");
    }
}

#[test]
fn what_cannot_be_read_is_left_out_with_what_stands_behind_it() {
    let (first, last) = (
        entry(b"a", b'S', &long(b"kept")),
        entry(b"z", b'S', &long(b"lost")),
    );
    let wrong = [
        entry(b"n", b'?', b""),
        entry(b"n", b'S', &[0, 0, 1, 0]),
        entry(b"n", b'A', &[255; 4]),
        vec![200, b'n'],
    ];
    for wrong in wrong {
        let entries = [&first[..], &wrong, &last].concat();
        let properties = parsed(&with_table(&entries));
        let headers = properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers.get("a"), Some(&text("kept")));
        assert_eq!(headers.get("z"), None, "{wrong:?}");
    }
    // Properties that end too early, are too many, or have flags that nobody knows.
    let content_type = short(b"text/plain");
    for (flags, bytes) in [
        (0xFFFC, &content_type[..]),
        (1 << 15, &[&content_type[..], b"more"].concat()),
        (1 << 15 | 3, &[&content_type[..], &[0; 2]].concat()),
        (1 << 15 | 1 << 6, &[&content_type[..], &[0; 7]].concat()),
        (
            1 << 15 | 1 << 13,
            &[&content_type[..], &[0, 0, 0, 9]].concat(),
        ),
    ] {
        let properties = parsed(&content(flags, bytes));
        let wanted = lapin::BasicProperties::default().with_content_type("text/plain".into());
        assert_eq!(properties, wanted, "{flags:x}");
    }
    for len in 0..14 {
        let short = &full()[..len];
        assert_eq!(header(short), short, "no header at all");
    }
}

#[test]
fn what_is_no_frame_is_passed_on() {
    let too_long = (FRAME_BYTES_MAX as u32 + 1).to_be_bytes();
    for bytes in [
        &b"AMQP\0\0\x09\x01"[..],
        &[&[2, 0, 1], &too_long[..], b"and more"].concat(),
        &[1, 0, 1, 255, 255, 255, 255, 0],
    ] {
        for piece in 1..bytes.len() {
            let (mut sieve, mut out) = (Sieve::default(), Vec::new());
            bytes
                .chunks(piece)
                .for_each(|bytes| sieve.strain(bytes, &mut out));
            assert_eq!(out, bytes);
        }
    }
}
