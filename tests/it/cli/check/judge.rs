//! What RabbitMQ's management API answers, judged.

use std::time::Duration;

use revoker::{
    broker::topology::{Queue, topology},
    cli::check::{
        judge::{self, Bound, Listed},
        report::{Check, Verdict},
    },
};
use serde_json::{Value, json};

use crate::config::PROJECT;

pub(super) fn queue(name: &str) -> Queue {
    let delays = [Duration::from_secs(60)];
    let all = topology("r", PROJECT, &delays).queues;
    let name = format!("r.{name}");
    all.into_iter().find(|queue| queue.name == name).unwrap()
}

/// An item of `GET /api/queues/%2F` of RabbitMQ 3.10.8, shortened.
pub(super) fn listed(name: &str, arguments: Value, policy: Value) -> Listed {
    let item = json!({
        "arguments": arguments, "auto_delete": false, "consumers": 1, "durable": true,
        "effective_policy_definition": policy, "exclusive": false, "messages": 0,
        "messages_ready": 0, "name": format!("r.{name}"), "operator_policy": null, "policy": "low",
        "state": "running", "type": "quorum", "vhost": "/",
    });
    serde_json::from_value(item).unwrap()
}

pub(super) fn lane_arguments() -> Value {
    json!({
        "x-dead-letter-exchange": "r.unhandled", "x-dead-letter-strategy": "at-least-once",
        "x-delivery-limit": 1_000_000, "x-overflow": "reject-publish", "x-queue-type": "quorum",
    })
}

/// The difference, for arguments with one changed.
fn check_difference(name: &str, value: Value, wanted: Option<&str>) {
    let mut arguments = lane_arguments();
    match value {
        Value::Null => drop(arguments.as_object_mut().unwrap().remove(name)),
        value => arguments[name] = value,
    }
    let found = judge::difference(&queue("urgent"), &listed("urgent", arguments, json!({})));
    assert_eq!(found.as_deref(), wanted, "{name}");
}

#[test]
fn arguments_are_compared_by_name_value_and_type() {
    check_difference("x-queue-type", json!("quorum"), None);
    let wanted = "'x-queue-type' is \"classic\", wanted \"quorum\"";
    check_difference("x-queue-type", json!("classic"), Some(wanted));
    let wanted = "'x-delivery-limit' is none, wanted 1000000";
    check_difference("x-delivery-limit", Value::Null, Some(wanted));
    let wanted = "'x-delivery-limit' is \"1000000\", wanted 1000000";
    check_difference("x-delivery-limit", json!("1000000"), Some(wanted));
    let wanted = "'x-max-length' is 5, wanted none";
    check_difference("x-max-length", json!(5), Some(wanted));
    // A classic queue may have no arguments at all, which some versions write as a list.
    let bare = listed("urgent", json!([]), json!([]));
    assert!(judge::difference(&queue("urgent"), &bare).is_some());
}

/// What a policy does to a queue: the line of that check holds these words; `None`: no harm.
fn check_policy(name: &str, policy: Value, wanted: Option<(Check, &str)>) {
    let lines = judge::policies(&queue(name), &listed(name, json!({}), policy.clone()), "/");
    let Some((check, words)) = wanted else {
        assert!(lines.is_empty(), "{name} {policy}: {lines:?}");
        return;
    };
    assert_eq!(lines.len(), 1, "{name} {policy}: {lines:?}");
    assert_eq!((lines[0].check, lines[0].verdict), (check, Verdict::Failed));
    assert!(lines[0].said.contains(words), "{}", lines[0].said);
    let todo = lines[0].todo.as_deref().unwrap();
    assert!(
        todo.ends_with("rabbitmqctl clear_policy -p '/' 'low'"),
        "{todo}"
    );
}

/// A policy of one part that does this harm.
fn harms(name: &str, key: &str, value: Value, check: Check, words: &str) {
    check_policy(name, json!({ key: value }), Some((check, words)));
}

#[test]
fn policies_that_lose_messages_are_found() {
    use Check::{DeliveryLimits, Policies};
    let named = "delivery-limit to 5 on r.urgent";
    harms("urgent", "delivery-limit", json!(5), DeliveryLimits, named);
    let limit = "returned so often";
    harms("dead", "delivery-limit", json!(20), DeliveryLimits, limit);
    let ttl = |name, words| harms(name, "message-ttl", json!(1000), Policies, words);
    ttl("bulk", "expire unprocessed");
    ttl("dead", "dead letters vanish");
    ttl("unhandled", "dead letters vanish");
    ttl("bulk.retry.1m", "too early");
    let full = "dropped or refused";
    harms("dead", "max-length", json!(10), Policies, full);
    harms("dead", "max-length-bytes", json!(10), Policies, full);
    harms("urgent", "expires", json!(1000), Policies, "is deleted");
    let audit = |key, value| harms("audit", key, value, Policies, "audit trail");
    audit("max-age", json!("7D"));
    audit("max-age", json!("soon"));
    audit("max-length-bytes", json!(1000));
    let key = "dead-letter-routing-key";
    harms("urgent", key, json!("x"), Policies, "publisher's name");
}

#[test]
fn policies_without_harm_are_none() {
    let harmless = [
        ("urgent", json!({"delivery-limit": 1_000_000})),
        ("urgent.retry.1m", json!({"delivery-limit": 5})), // nobody takes messages from it
        ("bulk.retry.1m", json!({"message-ttl": 60_001})),
        // Lanes refuse what is too much, by an argument of ours that wins.
        ("urgent", json!({"max-length": 10, "overflow": "drop-head"})),
        ("audit", json!({"max-age": "1Y"})),
        ("control", json!({"max-age": "1h"})),
        (
            "urgent",
            json!({"ha-mode": "all", "dead-letter-exchange": "x"}),
        ),
        ("urgent", json!({})),
        ("urgent", json!([])), // as some versions write it
    ];
    for (name, policy) in harmless {
        check_policy(name, policy, None);
    }
}

#[test]
fn a_missing_binding_is_named() {
    let bound = |source: &str, key: &str| Bound {
        source: source.into(),
        routing_key: key.into(),
    };
    let all = [
        bound("", "r.urgent"),
        bound("r.urgent", "#"),
        bound("r.urgent.return", "#"),
    ];
    let urgent = queue("urgent");
    assert!(judge::unbound(&urgent, &all).is_empty());
    assert_eq!(judge::unbound(&urgent, &all[..2]), ["r.urgent.return"]);
    let narrow = [
        bound("r.urgent", "password-reset"),
        bound("r.urgent.return", "#"),
    ];
    assert_eq!(judge::unbound(&urgent, &narrow), ["r.urgent"]);
}

#[test]
fn retry_queues_are_known_by_their_names() {
    for (name, is) in [
        ("r.urgent.retry.7s", true),
        ("r.bulk.retry.1h", true),
        ("r.urgent", false),
        ("r.other.retry.7s", false),
        ("rr.urgent.retry.7s", false),
        ("s.urgent.retry.7s", false),
    ] {
        assert_eq!(judge::is_retry(name, "r"), is, "{name}");
    }
}
