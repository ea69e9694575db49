//! The closed set of dead-letter codes: what publishers and dashboards were promised, and no more.

use std::collections::BTreeSet;

use revoker::settle::code::Code;

/// Of the event contract; those of dialects that are not accepted yet are not among them.
const REJECTIONS: &[&str] = &[
    "empty_body",
    "malformed_json",
    "not_utf8",
    "unsupported_encoding",
    "unsupported_content_type",
    "too_large",
    "not_an_object",
    "target_missing",
    "target_ambiguous",
    "unknown_field",
    "wrong_type",
    "bad_format",
    "wrong_environment",
    "duplicate_field",
    "too_deep",
    "unsupported_type",
    "field_missing",
    "bad_time",
    "time_in_future",
    "control_character",
    "jwt_malformed",
    "jwt_wrong_project",
    "jwt_no_session",
    "wrong_project",
    "lane_mismatch",
    "cloudevent_version",
    "cloudevent_data_base64",
    "cloudevent_mixed_prefixes",
];
/// Of Stytch's API: error types, the families of some, and our words for what has no type.
const API: &[&str] = &[
    "invalid_session_id",
    "no_session_revoke_arguments",
    "too_many_session_revoke_arguments",
    "invalid_session_token",
    "unable_to_parse_session_jwt",
    "jwt_invalid",
    "invalid_user_id",
    "bad_request",
    "api_other",
    "unauthorized_credentials",
    "invalid_secret_authentication",
    "invalid_project_id_authentication",
    "invalid_authorization_header",
    "unauthorized_project_id",
    "project_not_found",
    "invalid_project_id",
    "invalid_secret_id",
    "use_https",
    "cname",
    "route_not_found",
    "method_not_allowed",
    "unauthorized",
    "redirect",
];
/// Of the worker.
const OWN: &[&str] = &[
    "attempts_exhausted",
    "internal_error",
    "delivery_limit",
    "expired",
    "seal_key_unknown",
    "user_sessions_remain",
];

#[test]
fn codes_are_the_promised_ones() {
    let all: Vec<&str> = Code::all().map(Code::as_str).collect();
    let promised: Vec<&str> = [REJECTIONS, API, OWN].concat();
    let set = |words: &[&str]| {
        words
            .iter()
            .map(|w| (*w).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(set(&all), set(&promised));
    assert_eq!(set(&all).len(), all.len(), "one word stands for two codes");
}

/// What a replay cannot mend: the body stays as it is, the clock and the way here do not.
#[test]
fn rejections_come_back_but_two() {
    for code in Code::all() {
        let word = code.as_str();
        let comes_back =
            REJECTIONS.contains(&word) && !["time_in_future", "lane_mismatch"].contains(&word);
        assert_eq!(code.comes_back(), comes_back, "{word}");
    }
}

/// They are header values, label values and words in searches.
#[test]
fn a_code_is_one_plain_word() {
    for code in Code::all() {
        let word = code.as_str();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(word.len() <= 64 && word.bytes().all(plain), "{word:?}");
    }
}
