//! Headers of version 1, as they lie in queues today: `compat/headers-v1.json`, read for ever.

use jiff::Timestamp;
use lapin::BasicProperties;
use revoker::{
    broker::headers::{read, write},
    event::{HeaderValue, History, Lane, Message, Properties, Route},
    revoke::outcome::ApiCode,
    settle::{
        Outgoing,
        code::Code,
        report::{self, DeadLetter, Facts, HEADERS_VERSION, Stored},
        seal::CONTENT_TYPE,
    },
};
use serde_json::Value;

use crate::compat::wire;

const FIXTURE: &str = include_str!("../compat/headers-v1.json");
const FROZEN: &str =
    "messages that are stored today cannot be read: mend the code, never the fixture";
const WRITTEN: &str = "headers are written that the fixture does not know: another meaning needs another \
    HEADERS_VERSION and a fixture of its own; something optional that was added goes into this one";

fn stored(name: &str) -> BasicProperties {
    let all: Value = serde_json::from_str(FIXTURE).unwrap();
    wire(&all[name])
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn clear() -> (Properties, History) {
    let properties = Properties {
        content_type: Some("application/json".into()),
        kind: Some("session.revoke.v1".into()),
        message_id: Some("m-1".into()),
        app_id: Some("accounts".into()),
        timestamp: Some(1_795_000_000),
        headers: vec![
            ("shard".into(), HeaderValue::Int(-7)),
            ("tenant".into(), HeaderValue::Text("eu".into())),
        ],
        ..Properties::default()
    };
    let history = History {
        attempts: 7,
        retries: 2,
        first_received_at: Some(time("2026-11-22T06:30:00.123456789Z")),
        event_id: Some("reset-1".into()),
        queue: None,
        on_trial: false,
        replays: 0,
        returned: true,
    };
    (properties, history)
}

fn sealed(n: u32, attempts: u32, queue: &str) -> (Properties, History) {
    let history = History {
        attempts,
        retries: n,
        first_received_at: Some(time("2026-11-22T06:30:00Z")),
        event_id: Some(format!("reset-{}", n.max(2))),
        queue: Some(queue.into()),
        on_trial: false,
        replays: 0,
        returned: true,
    };
    (sealed_properties(), history)
}

fn on_trial() -> (Properties, History) {
    let (properties, history) = sealed(2, 0, "revocation.urgent.retry.1m");
    let history = History {
        retries: 0,
        event_id: None,
        on_trial: true,
        ..history
    };
    (properties, history)
}

fn sealed_properties() -> Properties {
    Properties {
        content_type: Some(CONTENT_TYPE.into()),
        ..Properties::default()
    }
}

#[test]
fn version_1_is_read_for_ever() {
    let rows = [
        ("retry", clear()),
        ("sealed_retry", sealed(1, 6, "revocation.urgent.retry.1m")),
        ("dead_letter", sealed(3, 9, "revocation.dead")),
        ("on_trial_retry", on_trial()),
    ];
    for (name, (properties, history)) in rows {
        let back = read(&stored(name), true);
        assert_eq!(back.history, history, "{name}: {FROZEN}");
        assert_eq!(back.properties, properties, "{name}: {FROZEN}");
        assert!(!back.newer, "{name}: {FROZEN}");
        assert_eq!(
            back.publisher_verified,
            name != "dead_letter",
            "{name}: {FROZEN}"
        );
    }
}

fn message(properties: Properties, history: History) -> Message {
    Message {
        lane: Lane::Urgent,
        publisher: "accounts".into(),
        route: Route::Lane,
        publisher_verified: true,
        body: "{}".into(),
        properties,
        history,
        from_newer_worker: false,
        redelivered: false,
        delivery_count: 0,
    }
}

fn retried((properties, history): (Properties, History)) -> Outgoing {
    let stored = Stored {
        body: "{}".into(),
        properties: properties.clone(),
    };
    let delay = std::time::Duration::from_secs(60);
    report::retry(
        &message(properties, history.clone()),
        &history,
        delay,
        stored,
    )
}

/// So that the fixture is what is really stored, and not what somebody thought is.
#[test]
fn version_1_is_what_is_written_today() {
    assert_eq!(HEADERS_VERSION, 1, "{WRITTEN}");
    assert_eq!(write(&retried(clear())), stored("retry"), "{WRITTEN}");
    let (properties, history) = sealed(1, 6, "revocation.urgent.retry.1m");
    assert_eq!(
        write(&retried((properties, history))),
        stored("sealed_retry"),
        "{WRITTEN}"
    );

    assert_eq!(
        write(&retried(on_trial())),
        stored("on_trial_retry"),
        "{WRITTEN}"
    );

    let (_, history) = sealed(3, 7, "revocation.urgent.retry.10m");
    let mut properties = clear().0;
    properties.headers_dropped = 3;
    let facts = Facts {
        event_id: Some("reset-3".into()),
        campaign_id: Some("incident-7".into()),
        target_kind: Some("token"),
        target: Some("hmac:fa12e7e493bd61697cf86d1738ee70d1".into()),
        attempts: 9,
        request_id: Some("request-id-test-1".into()),
        error_type: Some("internal_server_error".into()),
        ..Facts::default()
    };
    let why = DeadLetter {
        code: Code::AttemptsExhausted,
        text: "attempts_exhausted: nothing helped",
        queue: Some("revocation.dead"),
    };
    let stored_as = Stored {
        body: "sealed".into(),
        properties: sealed_properties(),
    };
    let dead = report::dead_letter(
        &message(properties, history),
        &facts,
        why,
        stored_as,
        time("2026-11-22T06:52:00Z"),
    );
    assert_eq!(write(&dead), stored("dead_letter"), "{WRITTEN}");
}

/// What is not known is not written: an operator's search for an empty header finds nothing wrong.
#[test]
fn an_undecodable_event_has_the_least_headers() {
    let stored_as = Stored {
        body: "sealed".into(),
        properties: sealed_properties(),
    };
    let why = DeadLetter {
        code: Code::Api(ApiCode::ApiOther),
        text: "api_other: it was refused",
        queue: None,
    };
    let bare = message(Properties::default(), History::default());
    let now = time("2026-11-22T06:52:00Z");
    let dead = report::dead_letter(&bare, &Facts::default(), why, stored_as, now);
    let names: Vec<&str> = dead.headers.iter().map(|(name, _)| *name).collect();
    let wanted = [
        "revoker-version",
        "revoker-attempts",
        "revoker-retries",
        "revoker-code",
        "revoker-lane",
        "revoker-publisher",
        "revoker-dead-lettered-at",
        "revoker-text",
    ];
    assert_eq!(names, wanted);
}
