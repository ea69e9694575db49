//! The search of users: pages in a stable order, its own complaints, its own limit.

use revoker::revoke::sandbox::{LimitForm, Plan, Seed, Settings};
use serde_json::{Value, json};

use super::{
    client::{Request, get, post, send},
    limited::within_a_minute,
    session, start, user, world,
};

fn search(body: Value) -> Request {
    post("/v1/users/search", body.to_string())
}

/// Five users, the last of them the owner of a session that is nobody's.
fn five() -> Seed {
    Seed {
        user_ids: (1..=4).map(user).collect(),
        session_ids: vec![session(1)],
        ..Seed::default()
    }
}

#[tokio::test]
async fn pages_hold_every_user_once_and_in_order() {
    let preload = five();
    let sandbox = start(Settings {
        preload,
        ..Settings::default()
    })
    .await;
    for (limit, pages) in [(1, 5), (2, 3), (4, 2), (5, 1), (1000, 1)] {
        let (mut ids, mut cursor, mut asked) = (Vec::new(), Value::Null, 0);
        loop {
            let body = json!({"limit": limit, "cursor": cursor, "query": null});
            let got = send(sandbox.addr(), &search(body)).await.json();
            assert_eq!(
                (&got["status_code"], got["request_id"].is_string()),
                (&json!(200), true)
            );
            assert_eq!(got["results_metadata"]["total"], 5);
            let users = got["results"].as_array().unwrap();
            assert!(users.len() <= limit, "{limit}: {got}");
            ids.extend(
                users
                    .iter()
                    .map(|u| u["user_id"].as_str().unwrap().to_owned()),
            );
            asked += 1;
            cursor = got["results_metadata"]["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
            assert!(
                !cursor.as_str().unwrap().contains("users"),
                "it is not to be read: {cursor}"
            );
        }
        assert_eq!(asked, pages, "{limit}");
        assert_eq!(ids[..4], (1..=4).map(user).collect::<Vec<_>>(), "{limit}");
        assert_eq!(ids.len(), 5, "{limit}");
    }
    assert_eq!(sandbox.stats().calls.search, 5 + 3 + 2 + 1 + 1);
    let default = send(sandbox.addr(), &search(json!({}))).await.json();
    assert_eq!(default["results"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn complaints_come_in_the_apis_order() {
    let sandbox = start(Settings {
        preload: five(),
        ..Settings::default()
    })
    .await;
    let unpaid = |request| Request {
        authorization: None,
        ..request
    };
    let plain_text = |request| Request {
        content_type: Some("text/plain"),
        ..request
    };
    let bad = (400, "bad_request");
    #[rustfmt::skip]
    let cases = [
        ("route", unpaid(post("/v1/users/searches", "{")), (404, "route_not_found")),
        ("method", unpaid(get("/v1/users/search")), (405, "method_not_allowed")),
        ("auth", plain_text(unpaid(search(json!([])))), (400, "invalid_authorization_header")),
        ("content type", plain_text(search(json!({}))), bad),
        ("not JSON", post("/v1/users/search", "{"), bad),
        ("not an object", search(json!([])), bad),
        ("none", search(json!({"limit": 0})), bad),
        ("too many", search(json!({"limit": 1001})), bad),
        ("not a number", search(json!({"limit": "5"})), bad),
        ("half a user", search(json!({"limit": 1.5})), bad),
        ("not a cursor", search(json!({"cursor": "5"})), bad),
        ("not text", search(json!({"cursor": 5})), bad),
        ("some users", search(json!({"query": {"operator": "AND", "operands": [{"filter_name": "status"}]}})), bad),
        ("no query", search(json!({"query": "status"})), bad),
        ("all users", search(json!({"query": {"operator": "AND", "operands": []}})), (200, "")),
        ("past the end", search(json!({"cursor": "dXNlcnMgZnJvbSA5OQ"})), (200, "")),
    ];
    for (name, request, (status, error_type)) in cases {
        let got = send(sandbox.addr(), &request).await;
        let answered = (got.status, &*got.field("error_type"));
        assert_eq!(answered, (status, error_type), "{name}: {got:?}");
    }
}

#[tokio::test]
async fn it_has_a_limit_of_its_own_if_it_shall() {
    let limited = LimitForm {
        search_per_minute: Some(2),
        ..LimitForm::default()
    };
    for (limit, statuses) in [
        (LimitForm::default(), [200; 4]),
        (limited, [200, 200, 429, 429]),
    ] {
        within_a_minute().await;
        let plan = Plan {
            limit,
            ..Plan::default()
        };
        let preload = world(1);
        let sandbox = start(Settings {
            plan,
            preload,
            ..Settings::default()
        })
        .await;
        for status in statuses {
            let got = send(sandbox.addr(), &search(json!({}))).await;
            assert_eq!(got.status, status, "{got:?}");
        }
        // Nobody else's.
        for _ in 0..4 {
            let got = send(sandbox.addr(), &get("/v1/debug/whoami")).await;
            assert_eq!(got.status, 200);
        }
        let seconds = sandbox.stats().seconds;
        let refused: u64 = seconds
            .iter()
            .map(|(_, second)| second.search.refused)
            .sum();
        assert_eq!(
            refused,
            statuses.iter().filter(|s| **s == 429).count() as u64
        );
    }
    let none = LimitForm {
        search_per_minute: Some(0),
        ..LimitForm::default()
    };
    assert!(none.limits().is_err());
}
