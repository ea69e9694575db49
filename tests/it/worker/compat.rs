//! Stored and published formats of version 1 through the whole worker, as they will come for ever, and
//! newer ones of ours, which wait for a worker that knows them.

use std::time::Duration;

use revoker::{
    broker::headers,
    event::{HeaderValue, Lane, Message, Properties},
    settle::seal,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    bulk, event, message,
    stytch::{Answer, session},
    world::{Setup, World},
};
use crate::compat::{delivered, wire};

const OLD: &str = "2026-11-22T06:00:00Z";
const FROZEN: &str =
    "what is sent or stored today is not understood: mend the code, never the fixture";
const MINUTE: Duration = Duration::from_secs(60);

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn events_of_version_1_are_taken_for_ever() {
    let events = fixture(include_str!("../compat/event-v1.json"));
    for row in events["events"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let world = World::plain();
        for n in 1..=10 {
            world.stytch.open(n, n, OLD);
        }
        // What everything keeps, and what is younger than its cutoff.
        world.stytch.open(7, 6, OLD);
        world.stytch.open(11, 6, "2026-11-22T06:29:30Z");
        let body = match row["text"].as_str() {
            Some(text) => text.to_owned(),
            None => row["body"].to_string(),
        };
        let mut plain = message("e", body);
        if name == "the least" {
            plain.properties = Properties::default();
        }
        if let Some(content_type) = row["content_type"].as_str() {
            plain.properties.content_type = Some(content_type.to_owned());
        }
        for (header, value) in row["headers"].as_object().into_iter().flatten() {
            let value = HeaderValue::Text(value.as_str().unwrap().to_owned());
            plain.properties.headers.push((header.clone(), value));
        }
        world.publish(plain);
        world.settled(Duration::from_secs(5)).await;
        let lines = world.journal.lines();
        let calls: Vec<_> = lines
            .iter()
            .filter(|line| !line.starts_with("outcome") && !line.starts_with("ack"))
            .collect();
        let wanted: Vec<&str> = row["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call.as_str().unwrap())
            .collect();
        assert_eq!(calls, wanted, "{name}: {FROZEN}");
        let outcome = &world.broker.outcomes()[0];
        assert_eq!(outcome["outcome"], row["outcome"], "{name}: {FROZEN}");
        let id = row["body"]["id"].as_str().or(row["id"].as_str());
        if let Some(id) = id {
            assert_eq!(outcome["event_id"], id, "{name}: {FROZEN}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_version_1_goes_on_where_it_was() {
    let stored = fixture(include_str!("../compat/headers-v1.json"));
    let world = World::plain();
    world.stytch.fault(|asked| {
        let fails = asked.call != "canary" && asked.nth <= 1;
        fails.then_some(Answer::Says(500, ""))
    });
    world.stytch.open(1, 1, OLD);
    let body = event(1, json!({"id": "reset-1"})).body;
    world.publish(delivered(&stored["retry"], body, true));
    world.settled(MINUTE * 15).await;
    // Its attempts were used up long ago, and two of three delays: the third is what is left.
    assert_eq!(world.journal.count("retry 600s reset-1"), 1, "{FROZEN}");
    let outcome = &world.broker.outcomes()[0];
    assert_eq!(outcome["outcome"], "revoked", "{FROZEN}");
    assert_eq!(outcome["attempts"], 8, "{FROZEN}");
    assert_eq!(outcome["publisher_verified"], true, "{FROZEN}");
}

#[tokio::test(start_paused = true)]
async fn a_message_on_trial_of_version_1_is_on_trial_still() {
    let stored = fixture(include_str!("../compat/headers-v1.json"));
    let world = World::plain();
    world.stytch.open(1, 1, OLD);
    let mut on_trial = delivered(&stored["on_trial_retry"], event(1, json!({})).body, true);
    (on_trial.redelivered, on_trial.delivery_count) = (true, 1_000);
    world.publish(on_trial);
    world.settled(MINUTE).await;
    assert_eq!(
        world.journal.lines()[0],
        "dead delivery_limit ? sealed",
        "{FROZEN}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sealed_retry_of_version_1_is_opened_for_ever() {
    let stored = fixture(include_str!("../compat/headers-v1.json"));
    let mut sealed = stored["sealed_retry"].clone();
    sealed["headers"]["revoker-event-id"] = json!({"text": "e1"});
    let setup = Setup {
        keys: Some(include_str!("../compat/sealed-v1.keys")),
        ..Setup::default()
    };
    let world = World::new(&setup, 1);
    world.stytch.open(1, 1, OLD);
    let body = include_bytes!("../compat/sealed-retry-v1.bin");
    world.publish(delivered(&sealed, &body[..], true));
    world.settled(MINUTE).await;
    assert!(!world.stytch.is_alive(1), "{FROZEN}");
    let outcome = &world.broker.outcomes()[0];
    assert_eq!(outcome["event_id"], "e1", "{FROZEN}");
    assert_eq!(outcome["attempts"], 6, "{FROZEN}");
}

/// What `headers-v1.json` and `dead-letter-v1.json` tell is what the whole worker writes.
#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_what_its_fixture_says() {
    let stored = fixture(include_str!("../compat/dead-letter-v1.json"));
    let world = World::plain();
    world
        .stytch
        .fault(|_| Some(Answer::Says(400, "invalid_session_id")));
    let mut original = message("m-1", stored["body"].as_str().unwrap());
    original.publisher = "accounts".into();
    original.properties.kind = Some("session.revoke.v1".into());
    original.properties.app_id = Some("accounts".into());
    original.properties.timestamp = Some(1_795_000_000);
    original.properties.headers = vec![
        ("tenant".into(), HeaderValue::Text("eu".into())),
        ("shard".into(), HeaderValue::Int(-7)),
    ];
    original.properties.headers_dropped = 2;
    world.publish(original);
    world.settled(MINUTE).await;
    let letter = &world.broker.dead()[0];
    assert_eq!(
        headers::write(letter),
        wire(&stored),
        "another meaning needs another version"
    );
    assert_eq!(letter.body, stored["body"].as_str().unwrap());
    assert_eq!(letter.routing_key, stored["routing_key"].as_str().unwrap());
}

/// With a plain shovel: as it lies there, into its lane's exchange.
#[tokio::test(start_paused = true)]
async fn a_dead_letter_of_version_1_can_be_shovelled_back() {
    let stored = fixture(include_str!("../compat/dead-letter-v1.json"));
    let world = World::plain();
    world.stytch.open(1, 1, OLD);
    let replay = delivered(&stored, stored["body"].as_str().unwrap(), false);
    world.publish(replay);
    world.settled(MINUTE).await;
    let wanted = ["revoke s1", "outcome urgent.revoked e1", "ack ?"];
    assert_eq!(world.journal.lines().len(), wanted.len());
    assert_eq!(world.journal.lines()[..2], wanted[..2], "{FROZEN}");
}

/// What a newer worker left comes back to us: it is deferred, whole, again and again, for as long as it
/// takes, never more often than the longest delay lasts, while others go on.
async fn check_newer(mut original: Message) {
    original.history.returned = true;
    let world = World::plain();
    world.publish(original.clone());
    let (long, delay) = (MINUTE * 120, MINUTE * 10);
    for n in 1..=12 {
        world.stytch.open(n, n, OLD);
        world.publish(if n % 2 == 0 {
            bulk(n)
        } else {
            event(n, json!({}))
        });
        sleep(long / 12).await;
        assert!(!world.stytch.is_alive(n), "others go on");
    }
    let deferred = world.journal.times("retry 600s");
    let wanted = long.as_secs() / delay.as_secs();
    assert!(
        (wanted - 1..=wanted).contains(&(deferred.len() as u64)),
        "{}",
        deferred.len()
    );
    assert!(deferred.windows(2).all(|two| two[1] - two[0] >= delay));
    assert_eq!(world.broker.dead().len(), 0);
    let cause = ["cause=\"newer_format\""];
    assert_eq!(
        world.total("revoker_retries_total", &cause),
        deferred.len() as f64
    );
    world.assert_conserved();
    let kept = world.broker.last_deferred().unwrap();
    // What was first received by whom is ours to fill in; all else is as it was, its attempts too.
    original.history.first_received_at = kept.history.first_received_at;
    assert_eq!(kept.body, original.body);
    assert_eq!(kept.properties, original.properties);
    assert_eq!(kept.history, original.history);
    assert_eq!(kept.publisher_verified, original.publisher_verified);
    assert_eq!(kept.from_newer_worker, original.from_newer_worker);
    assert_eq!(kept.publisher, original.publisher);
}

#[tokio::test(start_paused = true)]
async fn newer_headers_are_left_for_the_newer_worker() {
    let text = |text: &str| json!({"text": text});
    let stored = json!({
        "content_type": "application/vnd.newer",
        "message_id": "m-1",
        "headers": {
            "revoker-version": {"int": 2},
            "revoker-attempts": text("of a new meaning"),
            "revoker-novelty": text("what this one does not know"),
            "revoker-flag": {"bool": true},
            "tenant": text("eu"),
        }
    });
    for lane in Lane::ALL {
        let mut newer = delivered(&stored, "what only a newer worker reads", true);
        assert!(newer.from_newer_worker);
        newer.lane = *lane;
        // It says that itself, in a way that we do not know.
        newer.publisher_verified = false;
        check_newer(newer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_seal_is_left_for_the_newer_worker_with_what_opens_it() {
    let stored = fixture(include_str!("../compat/headers-v1.json"));
    for version in [2, 3, 255] {
        let body = [&[version][..], &[7; 99]].concat();
        let newer = delivered(&stored["sealed_retry"], body, true);
        assert_eq!(newer.history.attempts, 6);
        check_newer(newer).await;
    }
}

/// Only our own exchange can bring a newer format: from a publisher it is what it always was.
#[tokio::test(start_paused = true)]
async fn a_publisher_cannot_make_its_message_wait() {
    let stored = fixture(include_str!("../compat/headers-v1.json"));
    let mut forged = stored["retry"].clone();
    forged["headers"]["revoker-version"] = json!({"int": 2});
    let world = World::plain();
    world.stytch.open(1, 1, OLD);
    world.publish(delivered(&forged, event(1, json!({})).body, false));
    let mut sealed = delivered(&stored["sealed_retry"], [2; 100], false);
    assert_eq!(
        sealed.properties.content_type.as_deref(),
        Some(seal::CONTENT_TYPE)
    );
    sealed.publisher = session(1);
    world.publish(sealed);
    world.settled(MINUTE).await;
    assert!(!world.stytch.is_alive(1));
    assert_eq!(
        world
            .journal
            .count("dead unsupported_content_type ? sealed"),
        1
    );
}
