//! What each request is answered, in the API's order of complaints.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use revoker::revoke::sandbox::{PROJECT_ID_DEFAULT, SECRET_DEFAULT, Sandbox, Settings};

use super::{
    client::{End, Request, basic, get, list, post, revoke, send},
    session, start, user, world,
};

const OTHER_PROJECT: &str = "project-test-22222222-2222-4222-8222-222222222222";

fn jwt_of(session_id: &str) -> String {
    let claims = format!(r#"{{"exp":1,"https://stytch.com/session":{{"id":"{session_id}"}}}}"#);
    format!("e30.{}.AAAA", BASE64_URL_SAFE_NO_PAD.encode(claims))
}

fn body(json: &str) -> Request {
    post("/v1/sessions/revoke", json)
}

fn authorized(authorization: Option<String>) -> Request {
    Request {
        authorization,
        ..revoke("not even a session id")
    }
}

/// Sends the request and compares status and error type, and that the error has its documented shape.
async fn check(sandbox: &Sandbox, name: &str, request: Request, status: u16, error_type: &str) {
    let got = send(sandbox.addr(), &request).await;
    assert_eq!(
        (got.status, &*got.field("error_type")),
        (status, error_type),
        "{name}: {got:?}"
    );
    assert_eq!(got.end, End::Whole, "{name}");
    assert_eq!(
        got.header("content-type"),
        Some("application/json"),
        "{name}"
    );
    assert_eq!(got.field("status_code"), status.to_string(), "{name}");
    assert!(
        got.field("request_id").starts_with("request-id-test-"),
        "{name}: {got:?}"
    );
    for field in ["error_message", "error_url"] {
        assert_eq!(
            got.field(field).is_empty(),
            status == 200,
            "{name}: {field}"
        );
    }
}

#[tokio::test]
async fn complaints_come_in_the_apis_order() {
    let sandbox = start(Settings {
        preload: world(9),
        ..Settings::default()
    })
    .await;
    let plain_text = |request| Request {
        content_type: Some("text/plain"),
        ..request
    };
    let charset = Some("application/json; charset=utf-8");
    #[rustfmt::skip]
    let cases = [
        ("route before auth", Request { authorization: None, ..post("/v2/sessions/revoke", "") }, 404, "route_not_found"),
        ("method before auth", Request { authorization: None, ..get("/v1/sessions/revoke") }, 405, "method_not_allowed"),
        ("no auth", authorized(None), 400, "invalid_authorization_header"),
        ("bearer", authorized(Some("Bearer abc".to_owned())), 400, "invalid_authorization_header"),
        ("not base64", authorized(Some("Basic *".to_owned())), 400, "invalid_authorization_header"),
        ("no project id", authorized(basic("me", SECRET_DEFAULT)), 400, "invalid_project_id_authentication"),
        ("other project", authorized(basic(OTHER_PROJECT, SECRET_DEFAULT)), 401, "unauthorized_credentials"),
        ("wrong secret", authorized(basic(PROJECT_ID_DEFAULT, "guess")), 401, "unauthorized_credentials"),
        ("auth before content type", plain_text(authorized(None)), 400, "invalid_authorization_header"),
        ("content type", plain_text(revoke(&session(1))), 400, "bad_request"),
        ("charset", Request { content_type: charset, ..revoke(&session(1)) }, 400, "bad_request"),
        ("not JSON", body("{"), 400, "bad_request"),
        ("not an object", body("[]"), 400, "bad_request"),
        ("not text", body(r#"{"session_id":1}"#), 400, "bad_request"),
        ("nothing", body("{}"), 400, "no_session_revoke_arguments"),
        ("only nulls", body(r#"{"session_id":null,"session_jwt":null}"#), 400, "no_session_revoke_arguments"),
        ("two", body(r#"{"session_id":"x","session_token":"y"}"#), 400, "too_many_session_revoke_arguments"),
        ("not an id", revoke("session-test-1"), 400, "invalid_session_id"),
        ("bare hex", revoke("session-test-00000000000040008000000000000001"), 400, "invalid_session_id"),
        ("live id", revoke(&session(1).replace("test", "live")), 400, "invalid_session_id"),
        ("not a token", body(r#"{"session_token":"a b"}"#), 400, "invalid_session_token"),
        ("not a JWT", body(r#"{"session_jwt":"a.b.c"}"#), 400, "unable_to_parse_session_jwt"),
        ("unknown id", revoke(&session(99)), 404, "session_not_found"),
        ("unknown token", body(r#"{"session_token":"another"}"#), 404, "session_not_found"),
        ("by id among nulls", body(&format!(r#"{{"session_id":"{}","session_token":null,"session_jwt":null}}"#, session(2))), 200, ""),
        ("by token", body(r#"{"session_token":"a-token_0"}"#), 200, ""),
        ("the token's session", revoke(&session(1)), 404, "session_not_found"),
        ("by JWT", body(&format!(r#"{{"session_jwt":"{}"}}"#, jwt_of(&session(3)))), 200, ""),
        ("the JWT's session", revoke(&session(3)), 404, "session_not_found"),
        ("list without user", get("/v1/sessions"), 400, "invalid_user_id"),
        ("list of a session", list(&session(1)), 400, "invalid_user_id"),
        ("list of nobody", list(&user(99)), 404, "user_not_found"),
        ("list of a user without sessions", list(&user(1)), 200, ""),
        ("list without auth", Request { authorization: None, ..list(&user(1)) }, 400, "invalid_authorization_header"),
        ("whoami", get("/v1/debug/whoami"), 200, ""),
    ];
    for (name, request, status, error_type) in cases {
        check(&sandbox, name, request, status, error_type).await;
    }
}

#[tokio::test]
async fn switches_change_the_undocumented() {
    let again = Settings {
        gone_answers_200: true,
        preload: world(1),
        ..Settings::default()
    };
    let again = start(again).await;
    check(&again, "first", revoke(&session(1)), 200, "").await;
    check(&again, "second", revoke(&session(1)), 200, "").await;
    check(
        &again,
        "unknown",
        revoke(&session(2)),
        404,
        "session_not_found",
    )
    .await;

    let any = start(Settings {
        accept_any: true,
        ..Settings::default()
    })
    .await;
    check(&any, "any id", revoke(&session(7)), 200, "").await;
    check(&any, "any token", body(r#"{"session_token":"t"}"#), 200, "").await;
    check(
        &any,
        "no id",
        revoke("session-7"),
        400,
        "invalid_session_id",
    )
    .await;
    check(&any, "any user", list(&user(7)), 200, "").await;

    let live = PROJECT_ID_DEFAULT.replace("test", "live");
    let authorization = basic(&live, SECRET_DEFAULT);
    let live = start(Settings {
        project_id: live,
        accept_any: true,
        ..Settings::default()
    })
    .await;
    let request = |id: &str| Request {
        authorization: authorization.clone(),
        ..revoke(id)
    };
    assert_eq!(send(live.addr(), &request(&session(1))).await.status, 400);
    assert_eq!(
        send(live.addr(), &request(&session(1).replace("test", "live")))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_revoked_session_is_no_longer_listed() {
    let sandbox = start(Settings::default()).await;
    let started_at = "2026-01-02T03:04:05Z";
    let seed = post(
        "/sandbox/seed",
        format!(r#"{{"users":1,"sessions_per_user":3,"started_at":"{started_at}"}}"#),
    );
    let made = send(sandbox.addr(), &seed).await.json();
    let user_id = made["user_ids"][0]
        .as_str()
        .expect("a user was made")
        .to_owned();
    let listed = || async {
        let sessions = send(sandbox.addr(), &list(&user_id)).await.json()["sessions"].take();
        for session in sessions.as_array().expect("a list") {
            assert_eq!(session["user_id"], *user_id);
            assert_eq!(session["started_at"], started_at);
            assert_eq!(session["expires_at"], "2027-01-03T03:04:05Z");
        }
        sessions
            .as_array()
            .into_iter()
            .flatten()
            .map(|s| s["session_id"].clone())
            .collect::<Vec<_>>()
    };
    let all = listed().await;
    assert_eq!(made["session_ids"], serde_json::json!(all));
    let second = all[1].as_str().expect("an id is text");
    check(&sandbox, "revoke", revoke(second), 200, "").await;
    assert_eq!(listed().await, [all[0].clone(), all[2].clone()]);
}

#[tokio::test]
async fn http2_in_clear_is_served_on_the_same_port() {
    let sandbox = start(Settings {
        preload: world(1),
        ..Settings::default()
    })
    .await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .expect("a client");
    let request = client
        .post(format!("{}/v1/sessions/revoke", sandbox.url()))
        .basic_auth(PROJECT_ID_DEFAULT, Some(SECRET_DEFAULT))
        .json(&serde_json::json!({"session_id": session(1)}));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.status(), 200);
}
