//! What stands in the way: limits, failures, credentials, a list that lags, an interrupt.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use revoker::revoke::sandbox::{PROJECT_ID_DEFAULT, SECRET_DEFAULT, Sandbox};
use serde_json::json;

use super::{OLD, holds, listed, object, open, plan, revoke, revoke_at, session, start, user};
use crate::revoke::server::{Server, http};

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_waited_for_and_told() {
    let sandbox = start().await;
    let ids = open(&sandbox, 1, 2, OLD);
    plan(
        &sandbox,
        json!({"retry_after": 1, "by_id": {
            &*ids[0]: {"fault": "429", "times": 2},
            &*ids[1]: {"fault": "500", "times": 1},
            &*user(1): {"fault": "html-502", "times": 1},
        }}),
    );
    let began = Instant::now();
    let (code, stdout, stderr) = revoke(&sandbox, &["--user", &user(1)]).await;
    assert_eq!(code, 0, "{stderr}");
    assert!(
        began.elapsed() >= Duration::from_secs(2),
        "Retry-After is kept"
    );
    assert!(stdout.contains(": 2 sessions revoked; "), "{stdout}");
    let lines: Vec<&str> = stderr.lines().collect();
    for (line, begins, ends) in [
        (lines[0], "Stytch failed (HTTP 502); next try in 0.", " s"),
        (
            lines[1],
            "Stytch failed (HTTP 500 internal_server_error, request-id-test-",
            " s",
        ),
        (
            lines[2],
            "Stytch limits our rate (HTTP 429 too_many_requests, request-id-test-",
            "; next try in 1.00 s",
        ),
        (
            lines[3],
            "Stytch limits our rate (HTTP 429 too_many_requests, request-id-test-",
            "; next try in 1.00 s",
        ),
    ] {
        assert!(line.starts_with(begins) && line.ends_with(ends), "{stderr}");
    }
    assert_eq!(lines.len(), 4, "a line for each wait: {stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_stays_away_ends_with_69() {
    let sandbox = start().await;
    let ids = open(&sandbox, 1, 3, OLD);
    plan(&sandbox, json!({"answer_all": "500"}));
    let args = [
        "--session",
        &ids[0],
        &ids[1],
        &ids[2],
        "--timeout",
        "700ms",
        "--json",
    ];
    let ended = revoke(&sandbox, &args).await;
    assert_eq!(ended.0, 69, "{ended:?}");
    let report = object(&ended);
    // The first has all the time, the second shows that it was not the first one's fault.
    let words: Vec<_> = (0..3)
        .map(|n| report["results"][n]["result"].clone())
        .collect();
    assert_eq!(words, ["failed", "failed", "not_tried"]);
    holds(
        &report,
        json!({"ended": 0, "failed": 2, "not_tried": 1, "safe_at": null}),
    );
    let said = "error: 3 of 3 targets not done, 3 sessions left: Stytch failed (HTTP 500 internal_server_error, ";
    let last = ended.2.lines().last().unwrap();
    assert!(
        last.starts_with(said) && last.contains("it failed for 0.70 s in all"),
        "{last}"
    );
    let waits = ended
        .2
        .lines()
        .filter(|line| line.contains("; next try in "))
        .count() as u64;
    assert!(sandbox.stats().calls.revoke == waits + 2, "{ended:?}");
    assert_eq!(listed_after(&sandbox).await, 3);

    // Nobody there at all, and a wait that is longer than anybody will wait.
    let (code, stdout, stderr) = revoke_at(
        "http://127.0.0.1:1".into(),
        &["--user", &user(1), "--timeout", "0s"],
        "",
    )
    .await;
    assert_eq!(code, 69, "{stderr}");
    assert!(
        stdout.contains("FAILED before its sessions were listed: Stytch cannot be reached"),
        "{stdout}"
    );
    assert!(
        stderr.contains("how many sessions are left is not known"),
        "{stderr}"
    );
    plan(&sandbox, json!({"answer_all": "429", "retry_after": 600}));
    let (code, _, stderr) = revoke(&sandbox, &["--user", &user(1)]).await;
    assert_eq!((code, stderr.lines().count()), (69, 1), "{stderr}");
    assert!(stderr.contains("asks for a wait of 600 s"), "{stderr}");
}

async fn listed_after(sandbox: &Sandbox) -> usize {
    plan(sandbox, json!({}));
    listed(sandbox, 1).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_that_cannot_be_ended_is_told_and_stops_nobody_else() {
    let sandbox = start().await;
    let ids = open(&sandbox, 1, 3, OLD);
    open(&sandbox, 2, 1, OLD);
    for (fault, said) in [
        ("500", "Stytch failed (HTTP 500"),
        (
            "invalid_session_id",
            "Stytch refuses this call (HTTP 400 invalid_session_id",
        ),
    ] {
        // A user's sessions end last one first.
        plan(&sandbox, json!({"by_id": {&*ids[0]: fault}}));
        let args = ["--user", &user(1), &user(2), "--timeout", "300ms"];
        let (code, stdout, stderr) = revoke(&sandbox, &args).await;
        assert_eq!(code, 1, "{stderr}");
        assert!(
            stdout.contains(" known to be left: ") && stdout.contains(said),
            "{stdout}"
        );
        assert!(
            stderr.contains("1 of 2 targets not done, 1 session left: Stytch "),
            "{stderr}"
        );
        assert_eq!(listed(&sandbox, 1).await, [ids[0].clone()]);
        assert!(listed(&sandbox, 2).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_stop_at_once_and_say_what_to_do() {
    for (fault, todo) in [
        (
            "401",
            "(REVOKER_STYTCH_SECRET or REVOKER_STYTCH_SECRET_FILE)",
        ),
        ("project_not_found", "check REVOKER_STYTCH_PROJECT_ID"),
        ("route_not_found", "check REVOKER_STYTCH_BASE_URL"),
        ("redirect", "check REVOKER_STYTCH_BASE_URL"),
    ] {
        let sandbox = start().await;
        plan(&sandbox, json!({"answer_all": fault}));
        let (code, stdout, stderr) =
            revoke(&sandbox, &["--session", &session(1), "--user", &user(1)]).await;
        assert_eq!((code, stderr.lines().count()), (1, 1), "no wait: {stderr}");
        assert!(stderr.contains(todo), "{stderr}");
        assert!(
            stdout.contains(&format!("{}: not tried\n", user(1))),
            "{stdout}"
        );
        let calls = sandbox.stats().calls;
        assert_eq!((calls.revoke, calls.list), (1, 0), "{fault}");
    }
}

/// The server ends each connection: unless it says so, a call that meets the end is one more try.
const CLOSE: &str = "connection: close\r\n";

/// Stytch's list may lag; one that goes on for ever must not hold anybody for ever.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_stay_listed_are_not_called_revoked() {
    let list = json!({"status_code": 200, "request_id": "request-id-test-1",
        "sessions": [{"session_id": session(1), "started_at": OLD}]});
    let done = r#"{"status_code":200,"request_id":"request-id-test-2"}"#;
    let server = Server::start(move |request| match request.starts_with("GET ") {
        true => http("200 OK", CLOSE, &list.to_string()),
        false => http("200 OK", CLOSE, done),
    });
    let server = server.await;
    let args = ["--user", &user(1), "--timeout", "1s"];
    let (code, stdout, stderr) = revoke_at(server.url.clone(), &args, "").await;
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stdout.contains(
            "FAILED with 1 session revoked and 1 known to be left: they are listed still"
        ),
        "{stdout}"
    );
    assert!(
        stderr.contains("; next list in 0.25 s\n") && stderr.contains("; next list in 0.50 s\n"),
        "{stderr}"
    );
    assert!(
        stderr.contains("1 session left") && !stderr.contains("0.00 s"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_says_what_was_done() {
    let sandbox = start().await;
    let ids = open(&sandbox, 1, 2, OLD);
    plan(&sandbox, json!({"by_id": {&*ids[0]: "hang"}}));
    let url = sandbox.url();
    let child = Command::new(env!("CARGO_BIN_EXE_revoker"))
        .args([
            "revoke",
            "--user",
            &user(1),
            &user(2),
            "--call-timeout",
            "1m",
        ])
        .env_clear()
        .envs([
            ("REVOKER_STYTCH_PROJECT_ID", PROJECT_ID_DEFAULT),
            ("REVOKER_STYTCH_SECRET", SECRET_DEFAULT),
            ("REVOKER_STYTCH_BASE_URL", &url),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let waited = Instant::now();
    while sandbox.stats().calls.revoke < 2 {
        assert!(
            waited.elapsed() < Duration::from_secs(30),
            "it never called"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(told.unwrap().success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let said = format!(
        "{}: INTERRUPTED with 1 session revoked and 1 known to be left; request-id-test-",
        user(1)
    );
    assert!(stdout.starts_with(&said), "{stdout}");
    assert!(
        stdout.contains(&format!("{}: not tried\n", user(2))) && stdout.contains("safe_at"),
        "{stdout}"
    );
    let said = "error: interrupted: 2 of 2 targets not done, at least 1 session left, ";
    assert!(stderr.starts_with(said), "{stderr}");
}
