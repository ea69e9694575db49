//! Bodies meant to hurt: none may panic, overflow the stack, take long or give a value away.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// The first words of the rejection, in little time, on a small stack.
fn check(body: &[u8], wanted: &str) {
    let begun = Instant::now();
    let text = decode(body).expect_err(wanted).to_string();
    assert!(text.starts_with(wanted), "{wanted}: {text}");
    assert_withheld(&text, CANARY);
    // Generous: a debug build on a busy machine. A body that costs more than reading it once would take longer.
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{wanted} took {:?}",
        begun.elapsed()
    );
}

#[test]
fn size_and_nesting() {
    let ext = |open: &str, close: &str, levels: usize| {
        let ext = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        body(json!({"ext": "EXT"})).replace("\"EXT\"", &ext)
    };
    let inside = "[".repeat(10_000);
    let rows = [
        ("x".repeat(65 * 1024 + 1), "too_large: "),
        ("[".repeat(1_000_000), "too_large: "),
        ("[".repeat(16 * 1024), "malformed_json: "),
        (
            format!("{}{}", "[".repeat(8 * 1024), "]".repeat(8 * 1024)),
            "not_an_object: ",
        ),
        ("{\"a\":".repeat(3_000), "malformed_json: "),
        ("{\"ext\":".repeat(2_000), "malformed_json: "),
        (format!("{{\"ext\":{inside}"), "malformed_json: "),
        (format!("{{\"id\":{inside}"), "malformed_json: "),
        (
            format!(
                "{{\"session_id\":{}{}}}",
                "[".repeat(5_000),
                "]".repeat(5_000)
            ),
            "field_missing: ",
        ),
        (ext("{\"a\":", "}", 5), "too_deep: "),
        (ext("{\"a\":", "}", 40), "too_deep: "),
        (ext("{\"a\":", "}", 2_000), "too_deep: "),
        (ext("{\"a\":[", "]}", 1_000), "too_deep: "),
        (ext("[", "]", 7_000), "wrong_type: ext is an array"),
    ];
    // A test's thread has 2 MiB; a worker's has as much. A tenth must do.
    let small_stack = std::thread::Builder::new().stack_size(200 * 1024);
    let judged = small_stack.spawn(move || {
        rows.iter()
            .for_each(|(body, wanted)| check(body.as_bytes(), wanted))
    });
    judged.unwrap().join().unwrap();
    assert!(decode(ext("{\"a\":", "}", 4).as_bytes()).is_ok());
}

#[test]
fn many_of_everything() {
    let unknown: serde_json::Map<_, _> = (0..1000).map(|i| (format!("f{i}"), json!(1))).collect();
    let rejection = decode(Value::from(unknown).to_string().as_bytes()).unwrap_err();
    assert_eq!(rejection.problems.len(), Rejection::PROBLEMS_MAX);

    let same = format!("{{{}\"x\":1}}", "\"x\":1,".repeat(2_000));
    check(
        same.as_bytes(),
        "unknown_field: \"x\" is not a field of session.revoke.v1; put your own data under \"ext\" | field_missing: type",
    );
    let repeated = format!("{{{}\"id\":1}}", "\"id\":\"SECRET_CANARY_m\",".repeat(500));
    check(
        repeated.as_bytes(),
        "duplicate_field: id appears twice; a JSON object may name a field once | field_missing: type",
    );
    let long_name = format!("{{\"{}\":1}}", CANARY.repeat(300));
    check(
        long_name.as_bytes(),
        "unknown_field: a name that is not a plain word is not a field",
    );
}

#[test]
fn numbers_and_bytes() {
    let with = |value: &str| body(json!({"session_id": "VALUE"})).replace("\"VALUE\"", value);
    for number in [
        &"9".repeat(10_000),
        "-0",
        "1e-999",
        "184467440737095516160",
        "0.1e1",
    ] {
        let wanted = if number.len() > 400 {
            "malformed_json: "
        } else {
            "wrong_type: session_id is a number, expected a string"
        };
        check(with(number).as_bytes(), wanted);
    }
    check(
        with(r#""\u0000SECRET_CANARY_Xq7bV0pLdE""#).as_bytes(),
        "bad_format: session_id does not look like",
    );
    check(
        b"{\"id\":\"\xed\xa0\x80SECRET_CANARY\"}",
        "not_utf8: the body is not UTF-8 (first bad byte at offset 7)",
    );
    check(b"{\"ext\":{\"a\":\"\xc0\x80\"}}", "not_utf8: ");
    check(b"\0\0\0\0", "malformed_json: ");
}

/// Values of which every eight characters hold a capital, so that none can be shown as a field's name.
const SECRETS: [(&str, &str); 6] = [
    ("id", "Qw7RtY9pLk3MnB5vXz"),
    ("actor", "Hj4Gf8DsA2PoIu6YtR"),
    ("campaign_id", "Zx1CvB7nMq5WeR3tYu"),
    ("note", "Pl0OkM9ijN8uhB7ygV"),
    ("session_token", "Tf6RdX5esZ4wAq3SxE2dC"),
    ("keep_session_id", "Vb9NmK8jhG7fdS6aPo"),
];

fn mutate(body: &mut Vec<u8>, rng: &mut fastrand::Rng) {
    const PIECES: [&[u8]; 12] = [
        b"\"", b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\ud800", b"null", b"\xff", b"1e999",
    ];
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(0..body.len());
        let end = (at + rng.usize(0..12)).min(body.len());
        match rng.u8(0..5) {
            0 => body[at] = rng.u8(..),
            1 => drop(body.drain(at..end)),
            2 => drop(body.splice(at..at, PIECES[rng.usize(0..PIECES.len())].iter().copied())),
            3 => body.extend_from_within(at..end),
            _ => {
                let last = body.len() - 1;
                body.swap(at, end.min(last));
            }
        }
        if body.is_empty() {
            body.push(b' ');
        }
    }
}

#[test]
fn mutated_bodies_give_nothing_away() {
    let mut changes = json!({"session_id": null, "ext": {"Data": "Km5JnH4bgT3vfR2cdE"}, "cutoff": "2026-11-22T06:00:00Z"});
    for (field, secret) in SECRETS {
        changes[field] = json!(secret);
    }
    let original = body(changes);
    let session =
        body(json!({"note": "Pl0OkM9ijN8uhB7ygV", "ext": {"Data": "Km5JnH4bgT3vfR2cdE"}}));
    let mut rng = fastrand::Rng::with_seed(20_261_122);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..6_000 {
        let mut body = if round % 2 == 0 {
            original.clone()
        } else {
            session.clone()
        }
        .into_bytes();
        mutate(&mut body, &mut rng);
        let text = match decode(&body) {
            Ok(event) => {
                taken += 1;
                assert!(!event.holds_credential);
                continue;
            }
            Err(rejection) => rejection.to_string(),
        };
        refused += 1;
        assert!(!text.is_empty(), "refused without a reason");
        for (_, secret) in SECRETS {
            assert_withheld(&text, secret);
        }
        assert_withheld(&text, "Km5JnH4bgT3vfR2cdE");
    }
    // Both ends are reached: mutations inside of a note or of ext leave a valid event.
    assert!(
        taken > 100 && refused > 3_000,
        "{taken} taken, {refused} refused"
    );
}
