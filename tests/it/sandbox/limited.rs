//! Rate limits on the wire: the answers of 429, and what is counted of them.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use revoker::revoke::sandbox::{
    LimitForm, Plan, Sandbox, Settings,
    limit::Scope,
    seconds::{Second, Taken},
};
use serde_json::json;

use super::{client, session, start, user, world};

/// Until the calls that follow fall into one minute of the wall clock, or the test would be wrong
/// once a day.
pub(super) async fn within_a_minute() {
    let to_edge_s = 60 - Timestamp::now().as_second().rem_euclid(60);
    if to_edge_s <= 5 {
        tokio::time::sleep(Duration::from_secs(to_edge_s.unsigned_abs())).await;
    }
}

/// What the limits took and refused of an endpoint's calls.
fn of_all_seconds(sandbox: &Sandbox, calls: impl Fn(&Second) -> Taken) -> (u64, u64) {
    let stats = sandbox.stats();
    let seconds: Vec<_> = stats
        .seconds
        .iter()
        .map(|(_, second)| calls(second))
        .collect();
    let taken = seconds.iter().map(|calls| calls.taken).sum();
    (taken, seconds.iter().map(|calls| calls.refused).sum())
}

#[tokio::test]
async fn calls_over_the_limit_are_answered_429_and_change_nothing() {
    let limit = LimitForm {
        per_minute: Some(2),
        ..LimitForm::default()
    };
    let plan = Plan {
        limit,
        retry_after: Some(7),
        ..Plan::default()
    };
    within_a_minute().await;
    let sandbox = start(Settings {
        plan,
        preload: world(5),
        ..Settings::default()
    })
    .await;
    for n in 1..=5 {
        let got = client::send(sandbox.addr(), &client::revoke(&session(n))).await;
        let expected = if n <= 2 {
            (200, None)
        } else {
            (429, Some("7"))
        };
        assert_eq!(
            (got.status, got.header("retry-after")),
            expected,
            "call {n}"
        );
    }
    let unpaid = client::Request {
        authorization: None,
        ..client::revoke(&session(1))
    };
    assert_eq!(
        client::send(sandbox.addr(), &unpaid).await.status,
        400,
        "authentication comes first"
    );
    let garbage = client::post("/v1/sessions/revoke", "{");
    assert_eq!(
        client::send(sandbox.addr(), &garbage).await.status,
        429,
        "the body comes later"
    );

    let stats = sandbox.stats();
    assert_eq!(
        (
            stats.answers[&200],
            stats.answers[&429],
            stats.sessions.live
        ),
        (2, 4, 3)
    );
    assert_eq!(stats.errors["too_many_requests"], 4);
    assert_eq!(of_all_seconds(&sandbox, |second| second.revoke), (2, 4));
    let most = stats.per_second_max;
    assert!(
        (1..=2).contains(&most.taken) && most.calls >= most.taken,
        "{most:?}"
    );
}

#[tokio::test]
async fn a_user_has_a_limit_of_its_own() {
    for per in [Scope::Endpoint, Scope::User] {
        let mut limit = LimitForm {
            per,
            user_per_minute: Some(2),
            ..LimitForm::default()
        };
        if per == Scope::User {
            (limit.per_minute, limit.user_per_minute) = (limit.user_per_minute, None);
        }
        within_a_minute().await;
        let sandbox = start(Settings {
            plan: Plan {
                limit,
                ..Plan::default()
            },
            // Users 2 and 3 have a session each, user 1 has none.
            preload: world(0),
            ..Settings::default()
        })
        .await;
        let mut ids = Vec::new();
        for n in [2, 3] {
            let seed = serde_json::from_value(json!({ "user_ids": [user(n)] })).unwrap();
            ids.extend(sandbox.seed(&seed).unwrap().session_ids);
        }
        for (request, status) in [
            (client::list(&user(2)), 200),
            (client::revoke(&ids[0]), 200),
            (client::revoke(&ids[0]), 429),
            (client::list(&user(2)), 429),
            (client::revoke(&ids[1]), 200),
            // Nobody's: no limit of a user holds.
            (client::revoke(&session(9)), 404),
            (client::revoke(&session(9)), 404),
            (client::revoke(&session(9)), 404),
            (client::list("user-test-nobody"), 400),
        ] {
            let got = client::send(sandbox.addr(), &request).await;
            assert_eq!(got.status, status, "{per:?}: {} {}", request.line, got.body);
            if status == 429 {
                assert_eq!(got.field("error_type"), "too_many_requests");
            }
        }
        assert_eq!(of_all_seconds(&sandbox, |second| second.revoke), (5, 1));
        assert_eq!(of_all_seconds(&sandbox, |second| second.list), (2, 1));
    }
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let sandbox = start(Settings::default()).await;
    let plan = json!({"answer_all": "429", "retry_after": 7, "retry_after_date": true});
    let plan = client::post("/sandbox/faults", plan.to_string());
    assert_eq!(client::send(sandbox.addr(), &plan).await.status, 200);

    let before = SystemTime::now();
    let got = client::send(sandbox.addr(), &client::revoke(&session(1))).await;
    let after = SystemTime::now();
    let value = got.header("retry-after").expect("the plan asks for one");
    let date = httpdate::parse_http_date(value).expect("a date of RFC 9110");
    // Never early, and late by less than the second that a date cannot tell apart.
    assert!(date >= before + Duration::from_secs(7), "{value}");
    assert!(date < after + Duration::from_secs(8), "{value}");

    let nothing = client::post("/sandbox/faults", r#"{"retry_after_date":true}"#);
    let refused = client::send(sandbox.addr(), &nothing).await;
    assert_eq!(refused.status, 400);
    assert!(refused.field("error").contains("in seconds"), "{refused:?}");
    let same = client::send(sandbox.addr(), &client::revoke(&session(1))).await;
    assert_eq!(same.status, 429, "the plan before it stays");
}
