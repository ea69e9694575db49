//! The search of users: what is sent, and what counts as a page of them.

use std::time::Duration;

use revoker::revoke::{
    Class,
    outcome::{ApiCode, Failure},
    users::{PAGE_BYTES_MAX, UsersPage, body, page},
};
use serde_json::{Value, json};

use super::{INVALID, client, server::Server};

fn one(cursor: Option<&str>, total: Option<u64>) -> UsersPage {
    UsersPage {
        user_ids: vec!["user-test-1".into()],
        next_cursor: cursor.map(str::to_owned),
        total,
        request_id: Some("r-1".into()),
    }
}

/// A 200 with one user and this in place of its metadata.
fn with(metadata: &str) -> String {
    format!(
        r#"{{"status_code":200,"request_id":"r-1","new":[],"results":[{{"user_id":"user-test-1","name":{{"first_name":"A"}}}}]{metadata}}}"#
    )
}

#[test]
fn a_page_is_read_with_a_tolerance_for_what_is_new() {
    let rows = [
        (
            r#","results_metadata":{"next_cursor":"c","total":7}"#,
            one(Some("c"), Some(7)),
        ),
        (
            r#","results_metadata":{"next_cursor":null,"total":7,"new":1}"#,
            one(None, Some(7)),
        ),
        (
            r#","results_metadata":{"next_cursor":"","total":7}"#,
            one(None, Some(7)),
        ),
        // What a workspace whose totals are switched off answers.
        (r#","results_metadata":{"total":-1}"#, one(None, None)),
        (r#","results_metadata":null"#, one(None, None)),
        ("", one(None, None)),
    ];
    for (metadata, wanted) in rows {
        let got = page(200, with(metadata).as_bytes()).map_err(|answer| answer.class);
        assert_eq!(got, Ok(wanted), "{metadata}");
    }
    let empty = page(200, br#"{"status_code":200,"results":[]}"#).unwrap();
    assert_eq!((empty.user_ids, empty.next_cursor), (vec![], None));
}

#[test]
fn what_is_no_page_is_classified_as_every_answer() {
    let long = format!(
        r#","results_metadata":{{"next_cursor":"{}"}}"#,
        "c".repeat(4097)
    );
    let rows = [
        (200, with("").replace("200", "500"), INVALID),
        (200, r#"{"status_code":200}"#.to_owned(), INVALID),
        (
            200,
            r#"{"status_code":200,"results":[{"id":"u"}]}"#.to_owned(),
            INVALID,
        ),
        // Written one a line: an id may not be two.
        (200, with("").replace("user-test-1", r"u\nv"), INVALID),
        (200, with("").replace("user-test-1", ""), INVALID),
        (
            200,
            with("").replace("user-test-1", &"u".repeat(257)),
            INVALID,
        ),
        (200, with(&long), INVALID),
        (200, "[200,\"r\",null,[],null]".to_owned(), INVALID),
        (200, "<html>200</html>".to_owned(), INVALID),
        (
            502,
            "<html>502</html>".to_owned(),
            Class::Retryable(Failure::ServerError),
        ),
        (
            429,
            r#"{"error_type":"too_many_requests"}"#.to_owned(),
            Class::RateLimited,
        ),
        (
            401,
            "{}".to_owned(),
            Class::Credentials(ApiCode::Unauthorized),
        ),
        (
            400,
            r#"{"error_type":"bad_request"}"#.to_owned(),
            Class::Permanent(ApiCode::BadRequest),
        ),
        (
            404,
            r#"{"error_type":"route_not_found"}"#.to_owned(),
            Class::Credentials(ApiCode::RouteNotFound),
        ),
    ];
    for (status, text, class) in rows {
        let got = page(status, text.as_bytes()).map_err(|answer| answer.class);
        assert_eq!(got, Err(class), "{status} {text}");
    }
    let refused = page(500, br#"{"request_id":"r\u0000","error_type":"Oh no"}"#).unwrap_err();
    assert_eq!((refused.request_id, refused.error_type), (None, None));
}

#[test]
fn a_search_names_its_limit_and_its_cursor_if_there_is_one() {
    for (cursor, limit, wanted) in [
        (None, 1000, json!({"limit": 1000})),
        (Some("a\"b"), 50, json!({"limit": 50, "cursor": "a\"b"})),
        (None, 0, json!({"limit": 1})),
        (None, 1001, json!({"limit": 1000})),
    ] {
        let sent: Value = serde_json::from_slice(&body(cursor, limit)).unwrap();
        assert_eq!(sent, wanted);
    }
}

#[tokio::test]
async fn a_search_is_sent_as_the_api_wants_it() {
    let mut server = Server::http("200 OK", "", &with("")).await;
    let page = client(&server.url).search_users(Some("c"), 2).await;
    assert_eq!(page.unwrap(), one(None, None));
    let request = server.request().await;
    assert!(
        request.starts_with("POST /v1/users/search HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("content-type: application/json\r\n"),
        "{request}"
    );
    assert!(request.contains("authorization: Basic "), "{request}");
    assert!(
        request.ends_with("\r\n\r\n{\"limit\":2,\"cursor\":\"c\"}"),
        "{request}"
    );

    let refused = r#"{"error_type":"too_many_requests","request_id":"r-2"}"#;
    let server = Server::http("429 Too Many", "retry-after: 7\r\n", refused).await;
    let reply = client(&server.url).search_users(None, 2).await.unwrap_err();
    assert_eq!((reply.class, reply.status), (Class::RateLimited, Some(429)));
    assert_eq!(reply.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(reply.request_id.as_deref(), Some("r-2"));

    let reply = client("http://127.0.0.1:1")
        .search_users(None, 2)
        .await
        .unwrap_err();
    assert_eq!(reply.class, Class::Retryable(Failure::Network));
}

#[tokio::test]
async fn a_page_has_a_longest_length() {
    for (more, fits) in [(0, true), (1, false)] {
        let text = with("");
        let text = text.clone() + &" ".repeat(PAGE_BYTES_MAX + more - text.len());
        let server = Server::http("200 OK", "", &text).await;
        let got = client(&server.url).search_users(None, 2).await;
        assert_eq!(
            got.map_err(|reply| reply.class),
            match fits {
                true => Ok(one(None, None)),
                false => Err(INVALID),
            }
        );
    }
}
