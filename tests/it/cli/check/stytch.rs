//! What Stytch's answer to the canary says of our credentials.

use std::time::Duration;

use revoker::{
    cli::check::{report::Verdict, stytch},
    revoke::{
        Class, Reply,
        outcome::{ApiCode, Failure as Failed},
        wire::{Whoami, whoami},
    },
};

use crate::config::PROJECT;

fn reply(class: Class, status: Option<u16>, error_type: Option<&str>) -> Reply {
    Reply {
        class,
        status,
        request_id: Some("request-id-test-1".into()),
        error_type: error_type.map(str::to_owned),
        retry_after: None,
        sessions: vec![],
        elapsed: Duration::ZERO,
    }
}

/// The line for an answer: verdict, whether waiting may help, and words of it.
fn check_credentials(
    reply: Reply,
    project: Option<&str>,
    verdict: Verdict,
    away: bool,
    said: &str,
) {
    let whoami = project.map(|id| Whoami {
        project_id: id.into(),
        name: "Shop".into(),
    });
    let line = stytch::judge(&reply, whoami.as_ref(), PROJECT);
    assert_eq!(
        (line.verdict, line.unavailable),
        (verdict, away),
        "{line:?}"
    );
    assert!(line.said.contains(said), "{}", line.said);
    assert_eq!(line.todo.is_some(), verdict == Verdict::Failed, "{line:?}");
}

#[test]
fn credentials_are_judged_by_the_canarys_answer_and_the_projects_name() {
    use Verdict::{Failed as Bad, Ok as Good};
    let gone = || reply(Class::AlreadyGone, Some(404), Some("session_not_found"));
    let named = format!("project \"Shop\", {PROJECT}");
    check_credentials(gone(), Some(PROJECT), Good, false, &named);
    check_credentials(gone(), None, Good, false, PROJECT);
    check_credentials(gone(), Some("project-test-2"), Bad, false, "project-test-2");
    let limited = reply(Class::RateLimited, Some(429), None);
    check_credentials(limited, None, Good, false, "it limits our rate just now");
    let secret = reply(
        Class::Credentials(ApiCode::UnauthorizedCredentials),
        Some(401),
        Some("unauthorized_credentials"),
    );
    let said = "our API secret (HTTP 401 unauthorized_credentials, request-id-test-1)";
    check_credentials(secret, None, Bad, false, said);
    let url = reply(Class::Credentials(ApiCode::Redirect), Some(302), None);
    check_credentials(
        url,
        None,
        Bad,
        false,
        "not the API that we speak to (HTTP 302",
    );
    let away = reply(Class::Retryable(Failed::Network), None, None);
    check_credentials(away, None, Bad, true, "cannot be reached");
    let odd = reply(Class::Permanent(ApiCode::ApiOther), Some(400), Some("odd"));
    check_credentials(odd, None, Bad, false, "HTTP 400 odd");
}

#[test]
fn only_a_plain_answer_names_a_project() {
    let good = br#"{"status_code":200,"project_id":"project-test-1","name":"Shop","more":[]}"#;
    assert_eq!(whoami(200, good).unwrap().name, "Shop");
    assert_eq!(whoami(401, good), None);
    assert_eq!(whoami(200, b"<html>"), None);
    assert_eq!(
        whoami(200, b"{\"project_id\":\"p\",\"name\":\"\\u001b[2J\"}"),
        None
    );
    let long = format!("{{\"project_id\":\"p\",\"name\":\"{}\"}}", "n".repeat(500));
    assert_eq!(whoami(200, long.as_bytes()), None);
}
