//! What a limit holds for: an endpoint, the project, a user.

use jiff::Timestamp;
use revoker::revoke::sandbox::{
    limit::{Endpoint, Limits, Scope, Window},
    limiter::Limiter,
};

const REVOKE: Endpoint = Endpoint::Revoke;
const LIST: Endpoint = Endpoint::List;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("a time of this century")
}

fn limits(scope: Scope, all: &[&str], of_a_user: &[&str]) -> Limits {
    let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Limits {
        limits: parse(all),
        user_limits: parse(of_a_user),
        scope,
        ..Limits::default()
    }
}

/// Calls of one instant: which, about which user, and whether each is taken.
fn check(name: &str, limits: Limits, calls: &[(Endpoint, Option<usize>, bool)]) {
    let mut limiter = Limiter::new(limits);
    for (n, (endpoint, user, taken)) in calls.iter().enumerate() {
        let found = limiter.take(*endpoint, *user, at(0));
        assert_eq!(found, *taken, "{name}: call {n}");
    }
}

#[test]
fn a_limit_holds_for_what_it_shall() {
    check(
        "endpoints apart",
        limits(Scope::Endpoint, &["1/s"], &[]),
        &[
            (REVOKE, None, true),
            (REVOKE, Some(1), false),
            (LIST, None, true),
        ],
    );
    check(
        "endpoints together",
        limits(Scope::Project, &["1/s"], &[]),
        &[
            (REVOKE, None, true),
            (REVOKE, Some(1), false),
            (LIST, None, false),
        ],
    );
    check(
        "a user, all endpoints together",
        limits(Scope::User, &["2/s", "3/min"], &[]),
        &[
            (REVOKE, Some(1), true),
            (LIST, Some(1), true),
            (REVOKE, Some(1), false),
            (LIST, Some(1), false),
            (REVOKE, Some(2), true),
            (REVOKE, None, true),
            (REVOKE, None, true),
            (REVOKE, None, true),
        ],
    );
    check(
        "a user besides, and what a user is refused uses nothing of the rest",
        limits(Scope::Endpoint, &["3/s"], &["1/s"]),
        &[
            (REVOKE, Some(1), true),
            (REVOKE, Some(1), false),
            (REVOKE, Some(1), false),
            (REVOKE, Some(2), true),
            (LIST, Some(2), false),
            (REVOKE, Some(3), true),
            (REVOKE, Some(4), false),
            (LIST, Some(4), true),
        ],
    );
    check(
        "unless refused calls count",
        Limits {
            count_refused: true,
            ..limits(Scope::Endpoint, &["3/s"], &["1/s"])
        },
        &[
            (REVOKE, Some(1), true),
            (REVOKE, Some(1), false),
            (REVOKE, Some(1), false),
            (REVOKE, Some(2), false),
        ],
    );
}

#[test]
fn users_are_forgotten_when_nothing_of_their_limit_is_used() {
    for window in [Window::Fixed, Window::Sliding, Window::Bucket] {
        let mut limiter = Limiter::new(Limits {
            window,
            burst: 1,
            ..limits(Scope::Endpoint, &[], &["2/s"])
        });
        for user in 0..10_000 {
            assert!(limiter.take(REVOKE, Some(user), at(user as i64)));
            let (most, users) = (2_001, limiter.users());
            assert!(
                users <= most,
                "{window:?}: {users} users after {user} calls"
            );
        }
        // Whoever is in the middle of a period is not forgotten.
        let mut taken = 0;
        for ms in (20_000..30_000).step_by(10) {
            taken += u32::from(limiter.take(REVOKE, Some(7), at(ms)));
        }
        assert!((20..=21).contains(&taken), "{window:?}: {taken}");
        assert_eq!(limiter.users(), 1, "{window:?}");
    }
}

#[test]
fn no_user_is_remembered_without_a_limit_of_users() {
    let mut limiter = Limiter::new(limits(Scope::Project, &["5/s"], &[]));
    assert!(!limiter.asks_for_users());
    assert!(limiter.take(REVOKE, Some(1), at(0)));
    assert_eq!(limiter.users(), 0);
    assert!(Limiter::new(limits(Scope::User, &["5/s"], &[])).asks_for_users());
}
