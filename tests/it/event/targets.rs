//! Refusals of targets: an id of the wrong kind, a credential where an id belongs, two at once.

use serde_json::json;

use super::*;

const TEST_SESSION: &str = "session-test-8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d";

/// `value` in `field`, beside nothing but what the field needs, is a bad format.
fn check_id(field: &str, value: &str, wanted: &str) {
    let user = if field == "keep_session_id" {
        json!(USER)
    } else {
        Value::Null
    };
    let mut changes = json!({"session_id": null, "user_id": user});
    changes[field] = json!(value);
    check_change(
        changes,
        &format!("bad_format: {field} does not look like a {wanted}"),
    );
}

#[test]
fn ids_of_the_other_kind() {
    let session = "session id (session-test-… or session-live-…); it looks like a user id";
    let user = "user id (user-test-… or user-live-…); it looks like a session id";
    check_id("session_id", USER, &format!("{session}, use \"user_id\""));
    check_id(
        "session_id",
        "user-test-7",
        &format!("{session}, use \"user_id\""),
    );
    check_id("user_id", SESSION, &format!("{user}, use \"session_id\""));
    check_id("keep_session_id", USER, session);
}

#[test]
fn credentials_and_nonsense_where_an_id_belongs() {
    let long = "x".repeat(257);
    let jwt = jwt_of(SESSION);
    let token = "a session token goes in \"session_token\"";
    let session = "give the session_id that Stytch gave";
    let rows = [
        ("session_id", TOKEN, token),
        ("session_id", CANARY, token),
        ("session_id", "SECRET_CANARY_Xq7bV0", token),
        ("session_id", &jwt, "a session JWT goes in \"session_jwt\""),
        ("session_id", "", session),
        ("session_id", "SECRET CANARY ä", session),
        ("session_id", &long, session),
        ("user_id", TOKEN, token),
        ("user_id", &jwt, "a session JWT goes in \"session_jwt\""),
        ("user_id", "a b", "give the user_id that Stytch gave"),
        ("keep_session_id", TOKEN, token),
    ];
    for (field, value, remedy) in rows {
        let kind = if field == "user_id" {
            "user"
        } else {
            "session"
        };
        let chars = value.chars().count();
        check_id(
            field,
            value,
            &format!("{kind} id ({chars} characters, value withheld); {remedy}"),
        );
    }
}

#[test]
fn another_environment() {
    let text = |field: &str| {
        format!(
            "wrong_environment: {field} belongs to a test project, this worker serves a live project; publish to the test worker"
        )
    };
    check_change(json!({"session_id": TEST_SESSION}), &text("session_id"));
    check_change(json!({"session_id": "session-test-7"}), &text("session_id"));
    check_change(
        json!({"session_id": null, "user_id": "user-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6"}),
        &text("user_id"),
    );
    check_change(
        json!({"session_id": null, "user_id": USER, "keep_session_id": TEST_SESSION}),
        &text("keep_session_id"),
    );
    check_change(
        json!({"session_id": null, "session_jwt": jwt_of(TEST_SESSION)}),
        &text("session_jwt"),
    );
}

#[test]
fn strict_ids_take_no_unknown_format() {
    let strict = Expectations {
        strict_ids: true,
        ..live()
    };
    let refused = |changes| {
        event::decode(body(changes).as_bytes(), None, None, &strict, now())
            .unwrap_err()
            .to_string()
    };
    let end = "; this worker is set to refuse every other form (REVOKER_STRICT_IDS)";
    assert_eq!(
        refused(json!({"session_id": "s-1"})),
        format!(
            "bad_format: session_id does not look like a session id (session-test-… or session-live-…){end}"
        )
    );
    assert_eq!(
        refused(json!({"session_id": null, "user_id": "user-live-7"})),
        format!(
            "bad_format: user_id does not look like a user id (user-test-… or user-live-…){end}"
        )
    );
    assert!(event::decode(body(json!({})).as_bytes(), None, None, &strict, now()).is_ok());
}

#[test]
fn tokens_that_are_something_else() {
    let jwt = jwt_of(SESSION);
    let rule = "must be 20 to 512 letters, digits, _ = or -";
    let rows = [
        (
            SESSION.to_owned(),
            "looks like a session id, use \"session_id\"".to_owned(),
        ),
        (
            USER.to_owned(),
            "looks like a user id, use \"user_id\"".to_owned(),
        ),
        (
            "short".to_owned(),
            format!(
                "{rule} (5 characters, value withheld); give the session_token that Stytch gave"
            ),
        ),
        (
            "x".repeat(513),
            format!(
                "{rule} (513 characters, value withheld); give the session_token that Stytch gave"
            ),
        ),
        (
            format!("{CANARY}/+"),
            format!(
                "{rule} (46 characters, value withheld); give the session_token that Stytch gave"
            ),
        ),
        (
            jwt.clone(),
            format!(
                "{rule} ({} characters, value withheld); a session JWT goes in \"session_jwt\"",
                jwt.len()
            ),
        ),
    ];
    for (value, wanted) in rows {
        check_change(
            json!({"session_id": null, "session_token": value}),
            &format!("bad_format: session_token {wanted}"),
        );
    }
}

#[test]
fn one_target_and_what_belongs_to_it() {
    let more = |count: u8, names: &str, remedy: &str| {
        format!("target_ambiguous: {count} targets ({names}); give exactly one, and {remedy}")
    };
    check_change(
        json!({"user_id": USER}),
        &more(2, "session_id, user_id", "send two events to revoke both"),
    );
    check_change(
        json!({"session_token": TOKEN, "user_id": USER}),
        &more(
            3,
            "session_id, session_token, user_id",
            "send one event for each",
        ),
    );
    let user_only = |field: &str| {
        format!(
            "bad_format: {field} goes with user_id only; leave it out, or name the user instead"
        )
    };
    check_change(
        json!({"keep_session_id": SESSION}),
        &user_only("keep_session_id"),
    );
    check_change(
        json!({"cutoff": "2026-11-22T06:00:00Z"}),
        &user_only("cutoff"),
    );
    let verify = json!({"type": "session.revoke.verify.v1", "session_id": CANARY});
    check_change(
        verify,
        "unknown_field: session_id is not a field of session.revoke.verify.v1, which revokes nothing; leave it out, or send session.revoke.v1",
    );
    check_change(
        json!({"ext": {"1": {"2": {"3": {"4": []}}}}}),
        "too_deep: ext is nested deeper than 4 levels",
    );
}

#[test]
fn a_credential_is_not_repeated_in_the_clear() {
    let refused = |field: &str, credential: &str, value: &str| {
        let changes = json!({"session_id": null, credential: value, field: format!("{value}.")});
        check_change(
            changes,
            &format!(
                "bad_format: {field} repeats the {credential}; this field is kept in clear, leave the credential out"
            ),
        );
    };
    refused("note", "session_token", TOKEN);
    refused("actor", "session_jwt", &jwt_of(SESSION));
    let twice = body(json!({"session_id": null, "session_token": TOKEN, "id": TOKEN}));
    assert_eq!(decode(twice.as_bytes()).unwrap_err().event_id, None);
}
