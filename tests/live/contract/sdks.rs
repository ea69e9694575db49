//! Stytch's own clients against the pretend API: it answers as they expect it of Stytch, and their error
//! classes hold what the worker decides by.
//!
//! Both take the base URL as their environment (`env` in Node, `environment` in Python); what they call
//! `custom_base_url` must be https.

use std::{
    io::{Write, stderr},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tokio::process::Command;

use super::installed::{beside_packages, installed, repository, run};
use crate::harness::{
    World,
    event::jwt_of,
    sandbox::{PROJECT_ID, SECRET, new_id},
};

/// A call and how it must end: a status, with the error type if it is none of success.
struct Case {
    what: &'static str,
    call: Value,
    ends: (u16, Option<&'static str>),
}

fn case(what: &'static str, parameters: Value, status: u16, error_type: &'static str) -> Case {
    let name = if what.starts_with("list") {
        "get"
    } else {
        "revoke"
    };
    Case {
        what,
        call: json!({"call": name, "parameters": parameters}),
        ends: (status, Some(error_type).filter(|word| !word.is_empty())),
    }
}

/// What each client is asked to do, in this order. `ids`: of sessions that live.
fn cases(ids: &[String], token: &str, user: &str) -> Vec<Case> {
    let by_id = |id: &str| json!({ "session_id": id });
    let of = |user: &str| json!({ "user_id": user });
    vec![
        case("by id", by_id(&ids[0]), 200, ""),
        case("by id again", by_id(&ids[0]), 404, "session_not_found"),
        case("by token", json!({"session_token": token}), 200, ""),
        case("by JWT", json!({"session_jwt": jwt_of(&ids[1])}), 200, ""),
        case(
            "without a target",
            json!({}),
            400,
            "no_session_revoke_arguments",
        ),
        case(
            "by two targets",
            json!({"session_id": ids[2], "session_token": token}),
            400,
            "too_many_session_revoke_arguments",
        ),
        case("by no id", by_id("no-id"), 400, "invalid_session_id"),
        case(
            "by no token",
            json!({"session_token": "?"}),
            400,
            "invalid_session_token",
        ),
        case(
            "by no JWT",
            json!({"session_jwt": "a.b.c"}),
            400,
            "unable_to_parse_session_jwt",
        ),
        case(
            "an unknown one",
            by_id(&new_id("session")),
            404,
            "session_not_found",
        ),
        case("too fast", by_id(&ids[3]), 429, "too_many_requests"),
        case("a failure", by_id(&ids[4]), 500, "internal_server_error"),
        case("list of a user", of(user), 200, ""),
        case("list of nobody", of(&new_id("user")), 404, "user_not_found"),
        case("list of no id", of("no-id"), 400, "invalid_user_id"),
    ]
}

/// Runs the calls with a client and checks how each ended.
async fn check(name: &str, program: &Path, arguments: &[PathBuf]) {
    let world = World::new(name).await;
    let ids = world.sandbox.seed_sessions(5).await;
    let (of_token, token) = world.sandbox.seed_token().await;
    let started = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let (user, of_user) = world.sandbox.seed_user(2, started).await;
    let faults = json!({"by_id": {&ids[3]: "429", &ids[4]: "500"}});
    world.sandbox.faults(&faults).await;
    let cases = cases(&ids, &token, &user);
    let mut input: String = cases
        .iter()
        .map(|case| format!("{}\n", case.call))
        .collect();
    input += "{\"call\": \"whoami\", \"parameters\": {}}\n";
    let with = |secret: &str| {
        let mut command = Command::new(program);
        command.args(arguments);
        command.args([world.sandbox.url.as_str(), PROJECT_ID, secret]);
        command
    };
    let ran = run(with(SECRET), &input).await;
    let lines = || {
        ran.out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
    };
    let ended: Vec<Value> = lines().collect();
    assert_eq!((ran.code, ended.len()), (0, cases.len() + 1), "{ran:?}");
    for (case, ended) in cases.iter().zip(&ended) {
        check_case(name, case, ended);
    }
    tell(name, &cases);
    let whoami = ended.last().expect("it was asked last");
    assert_eq!(whoami["project_id"], PROJECT_ID, "{whoami}");

    let listed = &ended[cases
        .iter()
        .position(|c| c.what == "list of a user")
        .unwrap()];
    let sessions = listed["sessions"].as_array().expect("sessions are listed");
    let mut listed: Vec<_> = sessions.iter().map(|s| s["session_id"].clone()).collect();
    listed.sort_by_key(Value::to_string);
    let mut wanted = of_user;
    wanted.sort_unstable();
    assert_eq!(json!(listed), json!(wanted));

    let sessions = world.sandbox.sessions().await;
    for (id, is_revoked) in [
        (&ids[0], true),
        (&ids[1], true),
        (&of_token, true),
        (&ids[2], false),
        (&ids[3], false),
        (&ids[4], false),
    ] {
        assert_eq!(sessions[id].revoked_at_ms.is_some(), is_revoked, "{id}");
    }
    let ran = run(with("not-the-secret"), &input).await;
    let refused: Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(refused["error_type"], "unauthorized_credentials", "{ran:?}");
    assert_eq!(refused["status_code"], 401);
}

/// Past the test harness, so that a run says what was tried.
fn tell(name: &str, cases: &[Case]) {
    let mut line = format!("{name}:");
    for case in cases {
        let (status, error_type) = case.ends;
        let word = error_type.map(|word| format!(" {word}"));
        line += &format!(" {} {status}{};", case.what, word.unwrap_or_default());
    }
    line.push('\n');
    stderr().lock().write_all(line.as_bytes()).unwrap();
}

fn check_case(name: &str, case: &Case, ended: &Value) {
    let (status, error_type) = case.ends;
    let what = format!("{name}, {}: {ended}", case.what);
    assert_eq!(ended["status_code"], status, "{what}");
    let request_id = ended["request_id"].as_str().expect(&what);
    assert!(request_id.starts_with("request-id-test-"), "{what}");
    match error_type {
        None => assert_eq!(ended["class"], Value::Null, "{what}"),
        Some(word) => {
            assert_eq!(ended["class"], "StytchError", "{what}");
            assert_eq!(ended["error_type"], word, "{what}");
            assert!(
                !ended["error_message"].as_str().expect(&what).is_empty(),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn of_node() {
    let script = beside_packages("tests/contract/sdk.mjs");
    check("sdk-node", Path::new("node"), &[script]).await;
}

#[tokio::test]
async fn of_python() {
    let script = repository("tests/contract/sdk.py");
    check("sdk-python", &installed("python/bin/python"), &[script]).await;
}
