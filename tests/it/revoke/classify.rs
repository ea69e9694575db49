//! The table of errors: what each of Stytch's answers means for the message, and what none may mean.

use revoker::revoke::outcome::{
    ApiCode, ApiCode::*, CallResult, Class, Class::*, Failure, Failure::*, classify,
};

const NONE: &str = "";

/// Status, `error_type` (none if the body is not the documented JSON), class.
const TABLE: &[(u16, &str, Class)] = &[
    // Already gone.
    (404, "session_not_found", AlreadyGone),
    (404, "user_not_found", AlreadyGone),
    (400, "session_not_found", AlreadyGone),
    // Permanent.
    (400, "invalid_session_id", Permanent(InvalidSessionId)),
    (
        400,
        "no_session_revoke_arguments",
        Permanent(NoSessionRevokeArguments),
    ),
    (
        400,
        "too_many_session_revoke_arguments",
        Permanent(TooManySessionRevokeArguments),
    ),
    (400, "invalid_session_token", Permanent(InvalidSessionToken)),
    (
        400,
        "unable_to_parse_session_jwt",
        Permanent(UnableToParseSessionJwt),
    ),
    (400, "jwt_invalid_audience", Permanent(JwtInvalid)),
    (400, "jwt_invalid_by_then", Permanent(JwtInvalid)),
    (400, "invalid_user_id", Permanent(InvalidUserId)),
    (400, "bad_request", Permanent(BadRequest)),
    (400, "a_type_of_next_year", Permanent(ApiOther)),
    (402, "billing_not_enabled", Permanent(ApiOther)),
    (403, "forbidden", Permanent(ApiOther)),
    (404, "something_not_found", Permanent(ApiOther)),
    (409, "conflict", Permanent(ApiOther)),
    (422, "jwt_invalid", Permanent(ApiOther)),
    // Credentials and configuration; the 400 forms are no fault of the message.
    (
        401,
        "unauthorized_credentials",
        Credentials(UnauthorizedCredentials),
    ),
    (
        401,
        "unauthorized_credentials_by_then",
        Credentials(UnauthorizedCredentials),
    ),
    (
        400,
        "unauthorized_credentials",
        Credentials(UnauthorizedCredentials),
    ),
    (
        400,
        "invalid_secret_authentication",
        Credentials(InvalidSecretAuthentication),
    ),
    (
        400,
        "invalid_project_id_authentication",
        Credentials(InvalidProjectIdAuthentication),
    ),
    (
        400,
        "invalid_authorization_header",
        Credentials(InvalidAuthorizationHeader),
    ),
    (
        403,
        "unauthorized_project_id_for_live",
        Credentials(UnauthorizedProjectId),
    ),
    (404, "project_not_found", Credentials(ProjectNotFound)),
    (400, "invalid_project_id", Credentials(InvalidProjectId)),
    (400, "invalid_secret_id", Credentials(InvalidSecretId)),
    (403, "use_https", Credentials(UseHttps)),
    (401, "cname_not_verified", Credentials(Cname)),
    (404, "route_not_found", Credentials(RouteNotFound)),
    (405, "method_not_allowed", Credentials(MethodNotAllowed)),
    (405, NONE, Credentials(MethodNotAllowed)),
    (401, "a_type_of_next_year", Credentials(Unauthorized)),
    (401, "session_not_found", Credentials(Unauthorized)),
    (401, NONE, Credentials(Unauthorized)),
    (300, NONE, Credentials(Redirect)),
    (301, NONE, Credentials(Redirect)),
    (302, "session_not_found", Credentials(Redirect)),
    (307, NONE, Credentials(Redirect)),
    (308, NONE, Credentials(Redirect)),
    // Rate limits.
    (429, "too_many_requests", RateLimited),
    (429, "a_type_of_next_year", RateLimited),
    (429, NONE, RateLimited),
    (400, "too_many_requests", RateLimited),
    (429, "captcha_failed", OwnLimit),
    (429, "user_lock_limit_reached", OwnLimit),
    (429, "too_few_tokens_authenticated", OwnLimit),
    // Retryable.
    (500, "internal_server_error", Retryable(ServerError)),
    (503, "server_unavailable", Retryable(ServerError)),
    (500, NONE, Retryable(ServerError)),
    (502, NONE, Retryable(ServerError)),
    (503, NONE, Retryable(ServerError)),
    (504, NONE, Retryable(ServerError)),
    (599, "a_type_of_next_year", Retryable(ServerError)),
    (500, "invalid_session_id", Retryable(ServerError)),
    (503, "bad_request", Retryable(ServerError)),
    (408, NONE, Retryable(ServerError)),
    (408, "request_timeout", Retryable(ServerError)),
    (499, NONE, Retryable(ServerError)),
    (499, "client_closed_request", Retryable(ServerError)),
    // Not the API's own words: a proxy's page says nothing about the message.
    (400, NONE, Retryable(InvalidResponse)),
    (403, NONE, Retryable(InvalidResponse)),
    (404, NONE, Retryable(InvalidResponse)),
    (201, NONE, Retryable(InvalidResponse)),
    (204, NONE, Retryable(InvalidResponse)),
    (100, NONE, Retryable(InvalidResponse)),
    (0, NONE, Retryable(InvalidResponse)),
    (999, NONE, Retryable(InvalidResponse)),
];

#[test]
fn every_error_has_its_class() {
    for (status, error_type, class) in TABLE {
        let word = Some(*error_type).filter(|word| !word.is_empty());
        assert_eq!(classify(*status, word), *class, "{status} {error_type:?}");
    }
}

#[test]
fn every_code_of_the_api_is_in_the_table() {
    for code in ApiCode::ALL {
        let named = |class: &Class| matches!(class, Permanent(c) | Credentials(c) if c == code);
        assert!(TABLE.iter().any(|(.., class)| named(class)), "{code:?}");
    }
}

/// All statuses, known and unknown words, and what is no word at all.
#[test]
fn whatever_comes_no_message_is_lost_or_believed_done() {
    let words = TABLE.iter().map(|(_, word, _)| *word);
    let odd = [
        "unauthorized_credential",
        "jwt_invalid_",
        "cname_",
        "SESSION_NOT_FOUND",
        "session_not_found ",
        "ünïcode\0",
    ];
    for word in words.chain(odd) {
        for status in (0..=1_000).chain([u16::MAX]) {
            let class = classify(status, Some(word));
            let place = || format!("{status} {word:?}");
            match class {
                // A dead letter: only the API's judgement of the request may cause one.
                Permanent(_) => assert!((400..500).contains(&status), "{}", place()),
                Revoked => panic!("{}: an error is never a success", place()),
                AlreadyGone => assert!(
                    matches!(word, "session_not_found" | "user_not_found"),
                    "{}",
                    place()
                ),
                Credentials(_) | RateLimited | OwnLimit | Retryable(_) => {}
            }
            if word.is_empty() {
                assert_eq!(class, classify(status, None), "{}", place());
            }
        }
    }
}

#[test]
fn every_class_has_its_word_in_the_metrics() {
    let rows = [
        (Revoked, CallResult::Revoked),
        (AlreadyGone, CallResult::AlreadyGone),
        (Permanent(BadRequest), CallResult::Permanent),
        (Credentials(UseHttps), CallResult::Credentials),
        (RateLimited, CallResult::RateLimited),
        (OwnLimit, CallResult::RateLimited),
        (Retryable(ServerError), CallResult::ServerError),
        (Retryable(Failure::Timeout), CallResult::Timeout),
        (Retryable(Failure::Network), CallResult::Network),
        (Retryable(InvalidResponse), CallResult::InvalidResponse),
    ];
    for (class, result) in &rows {
        assert_eq!(class.result(), *result, "{class:?}");
    }
    for result in CallResult::ALL {
        assert!(rows.iter().any(|(_, r)| r == result), "{result:?}");
    }
}
