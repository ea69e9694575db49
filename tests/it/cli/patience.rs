//! How long somebody at the terminal waits for what failed, and when no more.

use std::time::Duration;

use revoker::{
    cli::patience::{Patience, Why},
    revoke::{
        Class, Reply,
        outcome::{ApiCode, Failure},
    },
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn failed(class: Class, retry_after: Option<Duration>, elapsed: Duration) -> Reply {
    Reply {
        class,
        status: Some(429),
        request_id: Some("request-id-test-1".into()),
        error_type: Some("a_word".into()),
        retry_after,
        sessions: vec![],
        elapsed,
    }
}

/// The waits after failures, each by how long it took, until it is given up; the jitter is a half.
fn check(class: Class, retry_after: Option<u64>, whole: u64, took: &[u64], waits: &[u64]) {
    let mut patience = Patience::new(ms(whole));
    let retry_after = retry_after.map(ms);
    let mut waited = Vec::new();
    for took in took {
        match patience.after(&failed(class.clone(), retry_after, ms(*took)), 0.5) {
            Ok(wait) => waited.push(wait),
            Err(gave_up) => {
                assert_eq!(gave_up.why, Why::Exhausted, "{class:?}");
                assert_eq!(gave_up.request_id.as_deref(), Some("request-id-test-1"));
                assert!(gave_up.text.contains("a_word"), "{}", gave_up.text);
                break;
            }
        }
    }
    let waits: Vec<_> = waits.iter().copied().map(ms).collect();
    assert_eq!(waited, waits, "{class:?} {retry_after:?}");
}

#[test]
fn waits_grow_and_end() {
    let server = Class::Retryable(Failure::ServerError);
    let limited = Class::RateLimited;
    // Full jitter of a failure; a limit's step is whole.
    check(server.clone(), None, 9000, &[0; 4], &[125, 250, 500, 1000]);
    check(
        limited.clone(),
        None,
        9000,
        &[0; 4],
        &[250, 500, 1000, 2000],
    );
    check(Class::OwnLimit, None, 9000, &[0; 2], &[250, 500]);
    // As Stytch says, and not faster than it can be meant.
    check(limited.clone(), Some(3000), 9000, &[0; 2], &[3000, 3000]);
    check(limited.clone(), Some(0), 9000, &[0; 2], &[250, 250]);
    // The last wait ends where the time does; then it is over.
    check(limited.clone(), None, 1000, &[0; 9], &[250, 500, 250]);
    check(limited.clone(), Some(600), 1000, &[0; 9], &[600]);
    check(limited, Some(5000), 4999, &[0], &[]);
    // What a failing call itself took is part of it.
    check(server.clone(), None, 1000, &[900, 900], &[100]);
    check(server.clone(), None, 1000, &[1000], &[]);
    check(server, None, 0, &[0], &[]);
}

#[test]
fn what_cannot_succeed_is_not_tried_again() {
    let rows = [
        (
            Class::Credentials(ApiCode::UnauthorizedCredentials),
            Why::Credentials,
            "REVOKER_STYTCH_SECRET",
        ),
        (
            Class::Credentials(ApiCode::ProjectNotFound),
            Why::Credentials,
            "REVOKER_STYTCH_PROJECT_ID",
        ),
        (
            Class::Credentials(ApiCode::RouteNotFound),
            Why::Credentials,
            "REVOKER_STYTCH_BASE_URL",
        ),
        (
            Class::Permanent(ApiCode::InvalidSessionId),
            Why::Refused,
            "Stytch's documents",
        ),
        (Class::AlreadyGone, Why::Refused, "refuses this call"),
    ];
    for (class, why, said) in rows {
        let mut patience = Patience::new(ms(9000));
        let gave_up = patience
            .after(&failed(class.clone(), None, ms(1)), 0.5)
            .unwrap_err();
        assert_eq!(gave_up.why, why, "{class:?}");
        assert!(gave_up.text.contains(said), "{class:?}: {}", gave_up.text);
        assert!(
            gave_up.text.contains("HTTP 429 a_word, request-id-test-1"),
            "{}",
            gave_up.text
        );
    }
}

#[test]
fn an_idle_round_takes_of_the_same_time() {
    let mut patience = Patience::new(ms(1000));
    let waits: Vec<_> = (1..=4).map(|nth| patience.idle(nth)).collect();
    assert_eq!(waits, [250, 500, 250, 0].map(ms));
}
