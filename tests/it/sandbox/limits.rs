//! Rate limits, counted exactly on a clock of our own.

use jiff::Timestamp;
use revoker::revoke::sandbox::{
    LimitForm, PlanError,
    limit::{Endpoint, Limit, Limits, NotALimit, Period, Window},
    limiter::Limiter,
};

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
            .filter(|_| limiter.take(Endpoint::Revoke, None, at(*ms)))
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
fn a_sliding_window_is_the_last_period_whenever_it_began() {
    let sliding = Window::Sliding;
    check(
        "second",
        limits(&["100/s"], sliding),
        &[
            (0, 60, 60),
            (999, 60, 40),
            (1000, 150, 60),
            (1998, 9, 0),
            (1999, 150, 40),
            (2000, 150, 60),
        ],
    );
    check(
        "minute",
        limits(&["30/min"], sliding),
        &[(59_000, 50, 30), (118_999, 1, 0), (119_000, 50, 30)],
    );
    check(
        "both",
        limits(&["10/s", "25/min"], sliding),
        &[
            (0, 20, 10),
            (1000, 20, 10),
            (2000, 20, 5),
            (59_999, 1, 0),
            (60_000, 20, 10),
        ],
    );
    check(
        "a clock set back",
        limits(&["5/s"], sliding),
        &[(5000, 9, 5), (0, 9, 0), (999, 9, 0), (1000, 9, 5)],
    );
}

#[test]
fn refused_calls_count_if_they_shall() {
    let check = |name, texts: &[&str], window, steps: &[_]| {
        let limits = Limits {
            count_refused: true,
            ..limits(texts, window)
        };
        check(name, limits, steps);
    };
    check(
        "sliding",
        &["3/s"],
        Window::Sliding,
        &[
            (0, 3, 3),
            (500, 1, 0),
            (999, 1, 0),
            // The call of 0 ms is past, those refused at 500 and 999 are not.
            (1000, 2, 1),
            (1001, 9, 0),
            (2000, 9, 0),
            (2999, 1, 0),
            (3000, 9, 2),
            (4000, 9, 3),
        ],
    );
    check(
        "fixed: what the second refuses uses the minute",
        &["10/s", "25/min"],
        Window::Fixed,
        &[(0, 20, 10), (1000, 20, 5), (2000, 1, 0), (60_000, 20, 10)],
    );
    check(
        "bucket",
        &["100/s"],
        Window::Bucket,
        &[(0, 50, 10), (10, 1, 1), (15, 1, 0), (20, 1, 0), (30, 1, 1)],
    );
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

#[test]
fn a_plan_with_a_limit_that_cannot_be_kept_is_refused() {
    let form = LimitForm::default;
    let sliding = |calls| LimitForm {
        per_minute: Some(calls),
        window: Window::Sliding,
        ..form()
    };
    for (form, error) in [
        (
            LimitForm {
                per_second: Some(0),
                ..form()
            },
            PlanError::ZeroLimit,
        ),
        (
            LimitForm {
                user_per_minute: Some(0),
                ..form()
            },
            PlanError::ZeroLimit,
        ),
        (
            LimitForm {
                burst: Some(0),
                ..form()
            },
            PlanError::ZeroLimit,
        ),
        (sliding(Limits::SLIDING_CALLS_MAX + 1), PlanError::LongLog),
    ] {
        assert_eq!(form.limits(), Err(error));
    }
    assert!(sliding(Limits::SLIDING_CALLS_MAX).limits().is_ok());
    let fixed = LimitForm {
        window: Window::Fixed,
        ..sliding(u32::MAX)
    };
    assert!(fixed.limits().is_ok());
}
