//! Tests of settle::seal: what is sealed opens, only there and only with its key, for ever.

use std::{fs, path::Path, process::Command};

use revoker::{
    event::message::{HeaderValue, Properties},
    settle::seal::{KEYS_MAX, KeyRing, KeyRingError, OpenError, new_key_line},
};
use secrecy::SecretString;

const QUEUE: &str = "revocation.urgent.retry.1m";
const BODY: &[u8] =
    b"{\"session_token\":\"mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q\"}\n\x00\xff";

fn ring(lines: &[&str]) -> KeyRing {
    KeyRing::parse(&lines.join("\n")).unwrap()
}

fn full() -> Properties {
    Properties {
        content_type: Some("application/json".into()),
        content_encoding: Some("utf-8".into()),
        message_id: Some("a \"quoted\"\nline".into()),
        correlation_id: Some("c".into()),
        kind: Some("session.revoke.v1".into()),
        app_id: Some("accounts".into()),
        timestamp: Some(u64::MAX),
        headers: vec![
            ("text".into(), HeaderValue::Text("ü\n".into())),
            ("int".into(), HeaderValue::Int(i64::MIN)),
            ("float".into(), HeaderValue::Float(0.1 + 0.2)),
            ("inf".into(), HeaderValue::Float(f64::NEG_INFINITY)),
            ("bool".into(), HeaderValue::Bool(true)),
            ("time".into(), HeaderValue::Timestamp(1)),
            ("bytes".into(), HeaderValue::Bytes(vec![0, 255])),
            ("text".into(), HeaderValue::Text("again".into())),
        ],
        headers_dropped: 3,
    }
}

#[test]
fn what_is_sealed_opens() {
    let ring = ring(&[&new_key_line()]);
    for properties in [Properties::default(), full()] {
        for body in [&b""[..], BODY, &[b'\n'; 20_000]] {
            let sealed = ring.seal(QUEUE, "event-1", &properties, body);
            let (opened, opened_body) = ring.open(QUEUE, "event-1", &sealed).unwrap();
            assert_eq!(opened, properties);
            assert_eq!(opened_body, body);
        }
    }
}

#[test]
fn the_same_body_never_looks_the_same() {
    let ring = ring(&[&new_key_line()]);
    let seal = || ring.seal(QUEUE, "event-1", &full(), BODY);
    let (one, two) = (seal(), seal());
    assert_ne!(one[9..], two[9..]);
    assert!(!one.windows(13).any(|bytes| bytes == b"session_token"));
}

#[test]
fn any_changed_byte_is_noticed() {
    let ring = ring(&[&new_key_line()]);
    let sealed = ring.seal(QUEUE, "event-1", &full(), BODY);
    for at in 0..sealed.len() {
        for bit in [0x01, 0x80] {
            let mut changed = sealed.clone();
            changed[at] ^= bit;
            let expected = match (at, changed[0]) {
                (0, version) => OpenError::UnknownVersion { newer: version > 1 },
                (1..=8, _) => OpenError::UnknownKey,
                _ => OpenError::Corrupt,
            };
            assert_eq!(
                ring.open(QUEUE, "event-1", &changed),
                Err(expected),
                "byte {at}"
            );
        }
    }
}

#[test]
fn any_missing_byte_is_noticed() {
    let ring = ring(&[&new_key_line()]);
    let sealed = ring.seal(QUEUE, "event-1", &Properties::default(), b"");
    for length in 0..sealed.len() {
        let expected = if length < 1 + 8 + 24 + 16 {
            OpenError::TooShort
        } else {
            OpenError::Corrupt
        };
        assert_eq!(
            ring.open(QUEUE, "event-1", &sealed[..length]),
            Err(expected),
            "{length} bytes"
        );
    }
}

#[test]
fn it_opens_only_where_it_belongs() {
    let ring = ring(&[&new_key_line()]);
    let sealed = ring.seal("dead", "event-1", &Properties::default(), BODY);
    for (queue, event_id) in [
        ("dead2", "event-1"),
        ("dead", "event-2"),
        ("dead", ""),
        ("dea", "devent-1"),
    ] {
        assert_eq!(
            ring.open(queue, event_id, &sealed),
            Err(OpenError::Corrupt),
            "{queue} {event_id}"
        );
    }
}

#[test]
fn a_new_key_in_front_seals_and_the_old_one_still_opens() {
    let (old, new) = (new_key_line(), new_key_line());
    let (before, after, without) = (
        ring(&[&old]),
        ring(&[&new, "# old", "", &old]),
        ring(&[&new]),
    );
    let sealed = before.seal(QUEUE, "e", &Properties::default(), BODY);
    assert_eq!(after.open(QUEUE, "e", &sealed).unwrap().1, BODY);
    assert_eq!(
        without.open(QUEUE, "e", &sealed),
        Err(OpenError::UnknownKey)
    );
    let sealed = after.seal(QUEUE, "e", &Properties::default(), BODY);
    assert_eq!(without.open(QUEUE, "e", &sealed).unwrap().1, BODY);
    assert_eq!(before.open(QUEUE, "e", &sealed), Err(OpenError::UnknownKey));
}

#[test]
fn rotation_at_the_front_keeps_hmacs() {
    let (old, new) = (new_key_line(), new_key_line());
    let credential = SecretString::from("mZAYn5aLEqKUlZ");
    let hmac = ring(&[&old]).hmac(&credential);
    assert_eq!(hmac.len(), "hmac:".len() + 32);
    assert!(
        hmac["hmac:".len()..]
            .bytes()
            .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    );
    assert_eq!(ring(&[&new, &old]).hmac(&credential), hmac);
    assert_ne!(ring(&[&old, &new]).hmac(&credential), hmac);
    assert_ne!(ring(&[&old]).hmac(&SecretString::from("other")), hmac);
}

/// As an operator rotates it, again and again: all that was ever sealed opens, and no name changes.
#[test]
fn keygen_rotates_without_loss() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rotated.keys");
    let _ = fs::remove_file(&path);
    let keygen = |flag: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revoker"));
        let done = command.args(["keygen", flag]).arg(&path).env_clear();
        assert!(done.output().unwrap().status.success(), "{flag}");
        KeyRing::parse(&fs::read_to_string(&path).unwrap()).unwrap()
    };
    let credential = SecretString::from("mZAYn5aLEqKUlZ");
    let mut ring = keygen("--output");
    let hmac = ring.hmac(&credential);
    let mut records = Vec::new();
    for _ in 0..4 {
        records.push(ring.seal(QUEUE, "e", &full(), BODY));
        let before = ring;
        ring = keygen("--rotate");
        for record in &records {
            let opened = ring.open(QUEUE, "e", record).unwrap();
            assert_eq!((opened.0, &opened.1[..]), (full(), BODY));
        }
        assert_eq!(ring.hmac(&credential), hmac);
        // It is the new key that seals, not one that was there before.
        let record = ring.seal(QUEUE, "e", &full(), BODY);
        assert_eq!(before.open(QUEUE, "e", &record), Err(OpenError::UnknownKey));
    }
}

#[test]
fn a_test_project_has_a_ring_of_its_secret() {
    let derived =
        |project, secret: &str| KeyRing::from_api_secret(project, &SecretString::from(secret));
    let sealed = derived("project-test-1", "s").seal(QUEUE, "e", &full(), BODY);
    assert_eq!(
        derived("project-test-1", "s")
            .open(QUEUE, "e", &sealed)
            .unwrap()
            .1,
        BODY
    );
    for other in [
        derived("project-test-2", "s"),
        derived("project-test-1", "t"),
    ] {
        assert_eq!(other.open(QUEUE, "e", &sealed), Err(OpenError::UnknownKey));
    }
}

#[test]
fn key_ring_files() {
    let key = new_key_line();
    let short = &key[..key.len() - 1];
    let padded = format!("{}=", key.as_str());
    let cases: &[(&str, Option<KeyRingError>)] = &[
        (&key, None),
        (&format!("\r\n# comment\r\n  {}  \r\n", key.as_str()), None),
        ("", Some(KeyRingError::Empty)),
        ("# only\n", Some(KeyRingError::Empty)),
        (
            &format!("{}\n{short}", key.as_str()),
            Some(KeyRingError::NotAKey { line: 2 }),
        ),
        (&padded, Some(KeyRingError::NotAKey { line: 1 })),
        (
            &key.replace("v1", "v2"),
            Some(KeyRingError::NotAKey { line: 1 }),
        ),
        (&format!("{}\n", key.as_str()).repeat(KEYS_MAX), None),
        (
            &format!("{}\n", key.as_str()).repeat(KEYS_MAX + 1),
            Some(KeyRingError::TooMany),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(KeyRing::parse(text).err(), *expected);
    }
    assert_eq!(format!("{:?}", ring(&[&key])), "KeyRing(1 keys)");
}

/// Sealed by `compat/sealed-v1.py`, which knows the format from its description alone. If this fails,
/// messages that are stored today cannot be opened: mend the code, never the fixture.
#[test]
fn version_1_opens_for_ever() {
    let ring = KeyRing::parse(include_str!("compat/sealed-v1.keys")).unwrap();
    let (properties, body) = ring
        .open(
            "revocation.dead",
            "event-1",
            include_bytes!("compat/sealed-v1.bin"),
        )
        .unwrap();
    assert_eq!(
        body,
        &b"{\"session_token\": \"not-a-real-one\"}\nsecond line"[..]
    );
    assert_eq!(properties.content_type.as_deref(), Some("application/json"));
    assert_eq!(properties.kind.as_deref(), Some("session.revoke.v1"));
    assert_eq!(properties.timestamp, Some(1_795_000_000));
    let headers = [
        ("tenant", HeaderValue::Text("eu".into())),
        ("n", HeaderValue::Int(-7)),
        ("f", HeaderValue::Float(0.5)),
        ("b", HeaderValue::Bool(true)),
        ("t", HeaderValue::Timestamp(5)),
        ("raw", HeaderValue::Bytes(vec![0, 255])),
    ];
    assert_eq!(
        properties.headers,
        headers.map(|(name, value)| (name.to_owned(), value))
    );
    assert_eq!(
        ring.hmac(&SecretString::from("not-a-real-one")),
        "hmac:fa12e7e493bd61697cf86d1738ee70d1"
    );
}
