//! Messages meant to exhaust us: a dead letter each, and the worker goes on as before.

use serde_json::json;

use crate::harness::{Event, World, checks::text, read::DeadLetter};

/// Headers of one message: as many as fit into one frame of 128 KiB.
const HEADERS: usize = 5_000;
/// Headers of a publisher that a dead letter keeps.
const HEADERS_KEPT: usize = 64;

#[tokio::test]
async fn bodies_meant_to_hurt() {
    let world = World::new("bodies").await;
    let mut worker = world.worker().start().await;
    let id = world.sandbox.seed_sessions(1).await.remove(0);
    let good = Event::session(&id).body;
    let bodies: [(&str, Vec<u8>); 5] = [
        (
            "too_large: the body has 65537 bytes",
            vec![b'x'; 64 * 1024 + 1],
        ),
        (
            "too_large: the body has 1000000 bytes",
            vec![b'['; 1_000_000],
        ),
        ("malformed_json: ", vec![b'['; 16 * 1024]),
        (
            "malformed_json: there is more text after",
            [&good[..], &good].concat(),
        ),
        ("not_utf8: ", vec![0xff; 16 * 1024]),
    ];
    for (at, (_, body)) in bodies.iter().enumerate() {
        let event = Event::raw(body.clone()).by(&format!("body-{at}"));
        world.broker.publish_one(&event).await;
    }
    let zipped = Event::session(&id).by("zipped");
    let zipped = zipped.with(|p| p.with_content_encoding("gzip".into()));
    world.broker.publish_one(&zipped).await;

    for (at, (wanted, body)) in bodies.iter().enumerate() {
        let letter = world.letter_of(&format!("body-{at}")).await;
        assert!(letter.ours("text").starts_with(wanted), "{letter:?}");
        assert!(letter.is_sealed() && letter.body.len() > body.len());
    }
    let letter = world.letter_of("zipped").await;
    assert_eq!(letter.ours("code"), "unsupported_encoding");
    assert_eq!(
        world.sandbox.revoked().await,
        0,
        "a refused event was obeyed"
    );
    world.check_unharmed(&mut worker).await;
}

#[tokio::test]
async fn thousands_of_headers() {
    let world = World::new("headers").await;
    let mut worker = world.worker().start().await;
    let many = || (0..HEADERS).map(|n| (format!("h{n:04}"), text("1234")));
    let ids = world.sandbox.seed_sessions(2).await;
    let fault = json!({"by_id": { &ids[1]: "invalid_session_id" }});
    world.sandbox.faults(&fault).await;
    world
        .broker
        .publish(&[
            Event::session(&ids[0]).by("done").headers(many()),
            Event::session(&ids[1]).by("refused").headers(many()),
            Event::raw("x").by("wrong").headers(many()),
        ])
        .await;

    let dropped = (HEADERS - HEADERS_KEPT).to_string();
    // Beside the broker's own x-delivery-count, when it gave the letter out before.
    let theirs = |letter: &DeadLetter| {
        letter
            .headers
            .keys()
            .filter(|name| name.starts_with('h'))
            .count()
    };
    let clear = world.letter_of("refused").await;
    assert_eq!(clear.ours("code"), "invalid_session_id");
    assert!(!clear.is_sealed());
    assert_eq!(theirs(&clear), HEADERS_KEPT);
    assert_eq!(clear.ours("headers-dropped"), dropped);
    let sealed = world.letter_of("wrong").await;
    assert!(sealed.is_sealed());
    assert_eq!(theirs(&sealed), 0);
    assert_eq!(sealed.ours("headers-dropped"), dropped);
    assert_eq!(world.sandbox.revoked().await, 1);
    world.check_unharmed(&mut worker).await;
}
