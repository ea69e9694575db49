//! Rate limits, counted exactly on a clock of our own, and once on the wire.

use jiff::Timestamp;
use revoker::revoke::sandbox::{
    LimitForm, Plan, Settings,
    limit::{Endpoint, Limit, Limiter, Limits, NotALimit, Period, Scope, Window},
};

use super::{client, session, start, world};

/// 2026-01-01T00:00:00Z, the edge of a second and of a minute.
const EDGE_MS: i64 = 1_767_225_600_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(EDGE_MS + ms).expect("a time of this century")
}

fn limits(limits: &[&str], window: Window) -> Limits {
    let limits = limits
        .iter()
        .map(|text| text.parse().expect("a limit"))
        .collect();
    Limits {
        limits,
        window,
        ..Limits::default()
    }
}

/// Asks for calls at these times (ms after the edge, how many) and compares how many are taken.
fn check(name: &str, limits: Limits, steps: &[(i64, u32, u32)]) {
    let mut limiter = Limiter::new(limits);
    for (ms, calls, expected) in steps {
        let taken = (0..*calls)
            .filter(|_| limiter.take(Endpoint::Revoke, at(*ms)))
            .count();
        assert_eq!(taken as u32, *expected, "{name}: at {ms} ms");
    }
}

#[test]
fn limits_count_exactly() {
    let (fixed, bucket) = (Window::Fixed, Window::Bucket);
    check("none", limits(&[], fixed), &[(0, 10_000, 10_000)]);
    check(
        "fixed second",
        limits(&["100/s"], fixed),
        &[
            (0, 60, 60),
            (999, 60, 40),
            (1000, 150, 100),
            (1999, 1, 0),
            (2000, 1, 1),
        ],
    );
    check(
        "a window begins on the second",
        limits(&["5/s"], fixed),
        &[(900, 9, 5), (1000, 9, 5), (1899, 9, 0)],
    );
    check(
        "fixed minute",
        limits(&["30/min"], fixed),
        &[(59_000, 50, 30), (59_999, 1, 0), (60_000, 50, 30)],
    );
    check(
        "both",
        limits(&["10/s", "25/min"], fixed),
        &[
            (0, 20, 10),
            (1000, 20, 10),
            (2000, 20, 5),
            (3000, 20, 0),
            (60_000, 20, 10),
        ],
    );
    check(
        "refused calls do not count",
        limits(&["10/s", "25/min"], fixed),
        &[(0, 1000, 10), (1000, 1000, 10), (2000, 1000, 5)],
    );
    check(
        "bucket",
        limits(&["100/s"], bucket),
        &[(0, 50, 10), (10, 5, 1), (60, 50, 5), (1060, 50, 10)],
    );
    check(
        "bucket of a minute",
        limits(&["60/min"], bucket),
        &[(0, 50, 10), (999, 5, 0), (1000, 5, 1)],
    );
    check(
        "a clock set back",
        limits(&["100/s"], bucket),
        &[(5000, 50, 10), (0, 5, 0), (10, 5, 1)],
    );
}

#[test]
fn endpoints_have_limits_of_their_own_or_share_them() {
    for (scope, list) in [(Scope::Endpoint, true), (Scope::Project, false)] {
        let mut limiter = Limiter::new(Limits {
            scope,
            ..limits(&["1/s"], Window::Fixed)
        });
        assert!(limiter.take(Endpoint::Revoke, at(0)));
        assert!(!limiter.take(Endpoint::Revoke, at(1)));
        assert_eq!(limiter.take(Endpoint::List, at(2)), list, "{scope:?}");
    }
}

#[test]
fn a_limit_is_written_as_it_is_read() {
    assert_eq!(
        "6000/min".parse(),
        Ok(Limit {
            calls: 6000,
            period: Period::Minute
        })
    );
    for text in ["100/s", "1/min"] {
        assert_eq!(
            text.parse::<Limit>()
                .map(|limit| limit.to_string())
                .as_deref(),
            Ok(text)
        );
    }
    for text in ["", "100", "0/s", "-1/s", "100/h", "/s", "1.5/s"] {
        assert_eq!(text.parse::<Limit>(), Err(NotALimit), "{text}");
    }
}

#[tokio::test]
async fn calls_over_the_limit_are_answered_429_and_change_nothing() {
    let limit = LimitForm {
        per_minute: Some(2),
        ..LimitForm::default()
    };
    let plan = Plan {
        limit,
        retry_after: Some(7),
        ..Plan::default()
    };
    // Five calls within one minute of the wall clock, or the test would be wrong once a day.
    let to_edge_s = 60 - Timestamp::now().as_second().rem_euclid(60);
    if to_edge_s <= 5 {
        tokio::time::sleep(std::time::Duration::from_secs(to_edge_s.unsigned_abs())).await;
    }
    let sandbox = start(Settings {
        plan,
        preload: world(5),
        ..Settings::default()
    })
    .await;
    for n in 1..=5 {
        let got = client::send(sandbox.addr(), &client::revoke(&session(n))).await;
        let expected = if n <= 2 {
            (200, None)
        } else {
            (429, Some("7"))
        };
        assert_eq!(
            (got.status, got.header("retry-after")),
            expected,
            "call {n}"
        );
    }
    let unpaid = client::Request {
        authorization: None,
        ..client::revoke(&session(1))
    };
    assert_eq!(
        client::send(sandbox.addr(), &unpaid).await.status,
        400,
        "authentication comes first"
    );
    let garbage = client::post("/v1/sessions/revoke", "{");
    assert_eq!(
        client::send(sandbox.addr(), &garbage).await.status,
        429,
        "the body comes later"
    );

    let stats = sandbox.stats();
    assert_eq!(
        (
            stats.answers[&200],
            stats.answers[&429],
            stats.sessions.live
        ),
        (2, 4, 3)
    );
    assert_eq!(stats.errors["too_many_requests"], 4);
    let most = stats.per_second_max;
    assert!(
        (1..=2).contains(&most.taken) && most.calls >= most.taken,
        "{most:?}"
    );
}
