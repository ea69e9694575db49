//! Every answer and every body that ends in something else than a revocation, and how it is stored.

use std::time::Duration;

use revoker::{
    event::{Lane, Message},
    settle::seal,
};
use serde_json::{Value, json};

use super::{
    event, message,
    posted::header,
    stytch::{Answer, session, token},
    world::World,
};

/// Long enough for every retry delay.
const LONG: Duration = Duration::from_secs(3600);

/// What Stytch never takes back, with the code on the dead letter.
const PERMANENT: &[(u16, &str, &str)] = &[
    (400, "invalid_session_id", "invalid_session_id"),
    (
        400,
        "no_session_revoke_arguments",
        "no_session_revoke_arguments",
    ),
    (
        400,
        "too_many_session_revoke_arguments",
        "too_many_session_revoke_arguments",
    ),
    (400, "invalid_session_token", "invalid_session_token"),
    (
        400,
        "unable_to_parse_session_jwt",
        "unable_to_parse_session_jwt",
    ),
    (400, "jwt_invalid_audience", "jwt_invalid"),
    (400, "invalid_user_id", "invalid_user_id"),
    (400, "bad_request", "bad_request"),
    (403, "something_new", "api_other"),
];

#[tokio::test(start_paused = true)]
async fn a_permanent_answer_is_a_dead_letter_at_once_and_in_clear() {
    for (status, word, code) in PERMANENT {
        let world = World::plain();
        world.stytch.fault(|_| Some(Answer::Says(*status, word)));
        let original = event(1, json!({}));
        world.publish(original.clone());
        world.settled(Duration::from_secs(5)).await;
        let dead = format!("dead {code} e1");
        let wanted = [
            "revoke s1",
            &dead,
            "outcome urgent.dead_lettered e1",
            "ack e1",
        ];
        assert_eq!(world.journal.lines(), wanted);
        let letter = &world.broker.dead()[0];
        assert_eq!(letter.body, original.body);
        assert_eq!(letter.properties, original.properties);
        assert_eq!(letter.routing_key, "auth");
        assert_eq!(header(letter, "revoker-error-type").as_deref(), Some(*word));
        assert_eq!(header(letter, "revoker-target"), Some(session(1)));
        assert_eq!(world.broker.outcomes()[0]["code"], **code);
        let labels = ["lane=\"urgent\"", &format!("code=\"{code}\"")];
        assert_eq!(world.total("revoker_dead_letters_total", &labels), 1.0);
        assert_eq!(world.total("revoker_dead_letters_sealed_total", &[]), 0.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_with_a_credential_is_sealed_and_counted() {
    let world = World::plain();
    world
        .stytch
        .fault(|_| Some(Answer::Says(400, "invalid_session_token")));
    let original = event(1, json!({"session_id": null, "session_token": token(1)}));
    world.publish(original.clone());
    world.settled(Duration::from_secs(5)).await;
    assert_eq!(
        world.journal.lines()[1],
        "dead invalid_session_token e1 sealed"
    );
    assert_opens(&world, &original, "e1");
    assert_eq!(world.total("revoker_dead_letters_sealed_total", &[]), 1.0);
}

/// The one dead letter is sealed for its queue and event, and holds the original.
fn assert_opens(world: &World, original: &Message, id: &str) {
    let letter = &world.broker.dead()[0];
    assert_eq!(
        letter.properties.message_id, None,
        "readable beside the seal"
    );
    let queue = header(letter, "revoker-queue").unwrap();
    assert_eq!(queue, "revocation.dead");
    let opened = world.worker.ring.open(&queue, id, &letter.body).unwrap();
    assert_eq!(opened, (original.properties.clone(), original.body.clone()));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_event_is_a_sealed_dead_letter_without_a_call() {
    let live = "session-live-8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d";
    let cases = [
        (message("e1", "not JSON"), "malformed_json", "?"),
        (message("e1", ""), "empty_body", "?"),
        (
            event(1, json!({"session_id": null})),
            "target_missing",
            "e1",
        ),
        (
            event(1, json!({"session_id": live})),
            "wrong_environment",
            "e1",
        ),
        (
            event(1, json!({"session_id": token(1)})),
            "bad_format",
            "e1",
        ),
        (event(1, json!({"id": 7})), "wrong_type", "?"),
    ];
    for (original, code, id) in cases {
        let world = World::plain();
        world.publish(original.clone());
        world.settled(Duration::from_secs(5)).await;
        let dead = format!("dead {code} {id} sealed");
        let told = format!("outcome urgent.dead_lettered {id}");
        assert_eq!(world.journal.lines(), [&dead, &told, "ack e1"]);
        assert_opens(&world, &original, if id == "?" { "" } else { id });
        let text = header(&world.broker.dead()[0], "revoker-text").unwrap();
        assert!(text.starts_with(&format!("{code}: ")), "{text}");
        assert!(!text.contains(&token(1)), "{text}");
        let code = format!("code=\"{code}\"");
        assert_eq!(world.total("revoker_events_rejected_total", &[&code]), 1.0);
        assert_eq!(world.total("revoker_dead_letters_total", &[&code]), 1.0);
        assert_eq!(world.total("revoker_dead_letters_sealed_total", &[]), 0.0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_message_is_a_sealed_dead_letter_unread() {
    let world = World::plain();
    let original = event(1, json!({}));
    world.give_up(original.clone()).await;
    let wanted = [
        "dead expired ? sealed",
        "outcome urgent.dead_lettered ?",
        "ack e1",
    ];
    assert_eq!(world.journal.lines(), wanted);
    assert_opens(&world, &original, "");
    world.assert_conserved();
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_the_targets_own_costs_attempts() {
    let world = World::plain();
    world.stytch.open(1, 1, "2026-11-22T06:00:00Z");
    let limited = Answer::Says(429, "user_lock_limit_reached");
    world
        .stytch
        .fault(move |asked| (asked.nth <= 2).then_some(limited));
    world.publish(event(1, json!({})));
    world.settled(Duration::from_secs(15)).await;
    assert_eq!(world.journal.count("revoke s1"), 3);
    assert_eq!(world.broker.outcomes()[0]["outcome"], "revoked");
    assert_eq!(world.broker.outcomes()[0]["attempts"], 2);
    assert_eq!(
        world.total("revoker_retries_total", &["cause=\"own_limit\""]),
        2.0
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_time_passes_while_it_waits_is_obsolete() {
    let world = World::plain();
    world.stytch.fault(|_| Some(Answer::Says(503, "")));
    for n in 1..=8 {
        world.publish(event(n, json!({"not_after": "2026-11-22T06:30:30Z"})));
    }
    tokio::time::sleep(Duration::from_secs(40)).await;
    world.stytch.heal();
    world.settled(Duration::from_secs(10)).await;
    assert_eq!(world.journal.count("outcome urgent.obsolete"), 8);
    assert_eq!(world.journal.count("ack"), 8);
}

#[tokio::test(start_paused = true)]
async fn a_sealed_retry_without_its_key_is_dead_lettered_as_it_is() {
    let mut sealed = message("e1", [&[1][..], &[7; 99]].concat());
    sealed.properties.content_type = Some(seal::CONTENT_TYPE.into());
    sealed.history.returned = true;
    sealed.history.event_id = Some("e1".into());
    sealed.history.queue = Some("revocation.urgent.retry.1m".into());
    let world = World::plain();
    world.publish(sealed.clone());
    world.settled(Duration::from_secs(5)).await;
    assert_eq!(world.journal.lines()[0], "dead seal_key_unknown e1 sealed");
    let letter = &world.broker.dead()[0];
    assert_eq!(letter.body, sealed.body);
    assert_eq!(header(letter, "revoker-queue"), sealed.history.queue);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_cannot_pass_for_us() {
    let mut forged = message("e1", [&[1][..], &[7; 99]].concat());
    forged.properties.content_type = Some(seal::CONTENT_TYPE.into());
    forged.lane = Lane::Bulk;
    let world = World::plain();
    world.publish(forged);
    world.settled(Duration::from_secs(5)).await;
    assert_eq!(
        world.journal.lines()[0],
        "dead unsupported_content_type ? sealed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_sealed_in_its_delay_queue_and_opened_again() {
    let world = World::plain();
    world.stytch.open(1, 1, "2026-11-22T06:00:00Z");
    let answer = Answer::Says(500, "internal_server_error");
    world
        .stytch
        .fault(move |asked| (asked.call != "canary" && asked.nth <= 7).then_some(answer));
    let changes: Value = json!({"session_id": null, "session_token": token(1)});
    world.publish(event(1, changes));
    world.settled(LONG).await;
    assert_eq!(world.journal.count("retry 60s e1 sealed"), 1);
    assert_eq!(world.journal.count("retry 600s e1 sealed"), 1);
    assert_eq!(world.journal.count("outcome urgent.revoked e1"), 1);
    assert_eq!(world.broker.outcomes()[0]["attempts"], 7);
    assert!(!world.stytch.is_alive(1));
}
