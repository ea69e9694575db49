//! `revoker lint` says what the worker says, and warns of what it takes without a word.

use revoker::cli::lint::judge::{Report, Rules, Warning, judge};

use super::*;

fn rules() -> Rules {
    Rules {
        project: Some((PROJECT.to_owned(), Environment::Live)),
        strict_ids: false,
    }
}

/// The report as the decoder would put it.
fn said(report: &Report) -> String {
    let texts = report
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.code.as_str(), problem.text));
    texts.collect::<Vec<_>>().join(" | ")
}

#[test]
fn lint_says_what_the_worker_says() {
    for case in all() {
        let report = judge(&case.body, &case.properties, &rules(), now());
        let wanted = case.line["rejected"].as_str().unwrap_or_default();
        assert_eq!(said(&report), wanted, "{}", case.name);
        if let Some(id) = case.line["event"]["id"].as_str() {
            assert_eq!(report.event_id.as_deref(), Some(id), "{}", case.name);
        }
    }
}

/// Without a project only that is let pass which depends on the project: a JWT of it names a session.
#[test]
fn lint_without_a_project_takes_any_one_project() {
    let any = Rules::default();
    for case in all() {
        let report = judge(&case.body, &case.properties, &any, now());
        let wanted = case.line["rejected"].as_str().unwrap_or_default();
        let of_project = [
            "wrong_environment: ",
            "wrong_project: ",
            "jwt_wrong_project: ",
            "jwt_no_session: ",
        ]
        .iter()
        .any(|code| wanted.starts_with(code));
        let wanted = if of_project { "" } else { wanted };
        assert_eq!(said(&report), wanted, "{}", case.name);
    }
    let session = "session-live-8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d";
    let user = "user-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6";
    let both = json!({"type": "session.revoke.v1", "id": "a", "occurred_at": "2026-11-22T06:29:58Z",
        "reason": "policy", "user_id": user, "keep_session_id": session});
    let report = judge(
        both.to_string().as_bytes(),
        &Properties::default(),
        &any,
        now(),
    );
    assert!(
        said(&report).starts_with("wrong_environment: "),
        "{report:?}"
    );
}

/// The warnings about the event with these changes.
fn check(changes: Value, wanted: &[Warning]) {
    let mut body = json!({"type": "session.revoke.v1", "id": "a", "occurred_at": "2026-11-22T06:29:58Z",
        "reason": "policy"});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let report = judge(
        body.to_string().as_bytes(),
        &Properties::default(),
        &rules(),
        now(),
    );
    assert_eq!(said(&report), "");
    let found: Vec<_> = report
        .warnings
        .iter()
        .map(|(warning, _)| *warning)
        .collect();
    assert_eq!(found, wanted, "{changes}");
}

#[test]
fn lint_warns_of_what_is_taken() {
    let (id, token) = (
        "session-live-8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d",
        "a".repeat(44),
    );
    check(json!({"session_id": id}), &[]);
    check(
        json!({"session_id": id, "occurred_at": "2026-11-22T09:30:00Z"}),
        &[Warning::TimeInFuture],
    );
    check(json!({"session_id": "s-1"}), &[Warning::UnknownIdFormat]);
    check(json!({"session_token": token}), &[Warning::Credential]);
    check(
        json!({"session_id": id, "reason": "whim"}),
        &[Warning::UnknownReason],
    );
    check(
        json!({"session_id": id, "not_after": "2026-11-22T06:29:59Z"}),
        &[Warning::Obsolete],
    );
}
