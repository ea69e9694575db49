//! Refusals of session JWTs: unreadable, of another project, or without a session.

use serde_json::json;

use super::*;

#[test]
fn jwts_that_name_no_session_of_ours() {
    let no_parts = |chars: usize| {
        format!(
            "jwt_malformed: session_jwt is not three base64url parts ({chars} characters, value withheld); a session token goes in \"session_token\", an id in \"session_id\""
        )
    };
    let payload = "jwt_malformed: session_jwt has a payload that is not an object of session claims; send the session_id instead";
    let project = "jwt_wrong_project: session_jwt was issued for another project than the one this worker serves; publish to that project's worker";
    let none = "jwt_no_session: session_jwt names no session; send the session_id instead";
    let no_id = "jwt_no_session: session_jwt names a session by something that is no session id; send the session_id instead";
    let claim = "https://stytch.com/session";
    let twice = URL_SAFE_NO_PAD.encode(format!(
        r#"{{"aud":"{PROJECT}","{claim}":{{"id":"{CANARY}"}},"{claim}":{{"id":"{SESSION}"}}}}"#
    ));
    let deep = URL_SAFE_NO_PAD.encode(format!(r#"{{"aud":{}"#, "[".repeat(5000)));
    let array = URL_SAFE_NO_PAD.encode(format!(r#"["{PROJECT}",{{"id":"{SESSION}"}}]"#));
    let rows = [
        (TOKEN.to_owned(), no_parts(44)),
        ("e30.e30".to_owned(), no_parts(7)),
        ("e30.e30.e30.e30".to_owned(), no_parts(15)),
        ("e30..e30".to_owned(), no_parts(8)),
        ("e30.e30.e+0".to_owned(), no_parts(11)),
        ("e30.e3.e30".to_owned(), payload.to_owned()),
        (format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(CANARY)), payload.to_owned()),
        (format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(b"{\"aud\":\"\xff\"}")), payload.to_owned()),
        (format!("e30.{twice}.e30"), payload.to_owned()),
        (format!("e30.{deep}.e30"), payload.to_owned()),
        (format!("e30.{array}.e30"), payload.to_owned()),
        (jwt(&json!({"aud": [PROJECT], claim: {"id": 42}})), payload.to_owned()),
        (jwt(&json!({"aud": {}, claim: {"id": SESSION}})), payload.to_owned()),
        (jwt(&json!({"aud": [CANARY], claim: {"id": SESSION}})), project.to_owned()),
        (jwt(&json!({claim: {"id": SESSION}})), project.to_owned()),
        (jwt(&json!({"aud": PROJECT})), none.to_owned()),
        (jwt(&json!({"aud": PROJECT, claim: null})), none.to_owned()),
        (jwt(&json!({"aud": PROJECT, claim: {"id": null}})), none.to_owned()),
        (jwt_of(USER), no_id.to_owned()),
        (jwt_of(CANARY), no_id.to_owned()),
        (jwt_of(""), no_id.to_owned()),
        (format!("e30.{}.e30", "A".repeat(8184)), payload.to_owned()),
        (format!("e30.{}.e30", "A".repeat(8185)), "jwt_malformed: session_jwt has 8193 bytes, the limit is 8192; send the session_id instead".to_owned()),
        (format!("e30.{}.e30", "A".repeat(9000)), "jwt_malformed: session_jwt has 9008 bytes, the limit is 8192; send the session_id instead".to_owned()),
    ];
    for (value, wanted) in rows {
        check_change(json!({"session_id": null, "session_jwt": value}), &wanted);
    }
}
