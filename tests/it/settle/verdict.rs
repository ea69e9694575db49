//! Class, attempts, delays and outages in, deed out: as tables, and as the lives of single messages.

use std::time::Duration;

use revoker::{
    revoke::outcome::{
        ApiCode,
        Class::{self, *},
        Failure, Fault,
    },
    settle::{
        Settings,
        code::Code,
        delay::step,
        outcome::Outcome,
        verdict::{
            Account, Standing,
            Verdict::{self, *},
        },
    },
};

use super::settings;

const FAILED: Class = Retryable(Failure::ServerError);
const EXHAUSTED: Verdict = DeadLetter(Code::AttemptsExhausted);
const LIVES: Standing = Standing {
    own: true,
    outages: 0,
    aside: None,
    fault: Fault::Message,
};
const OUT: Standing = Standing {
    own: false,
    outages: 0,
    aside: None,
    fault: Fault::Message,
};

fn account(attempts: u32, retries: u32) -> Account {
    Account {
        attempts,
        retries,
        outages: 0,
    }
}

/// `REVOKER_OUTAGE=dead-letter`.
fn classic() -> Settings {
    Settings {
        count_every_failure: true,
        ..settings()
    }
}

fn half(attempt: u32) -> Verdict {
    Hold(step(attempt) / 2)
}

#[test]
fn an_unknown_refusal_goes_by_whose_fault_it_is() {
    let api_other = DeadLetter(Code::Api(ApiCode::ApiOther));
    let aside = Duration::from_secs(30);
    for (fault, retries, verdict) in [
        (Fault::Message, 0, api_other),
        (Fault::Publisher, 0, RetryLater(0)),
        (Fault::Publisher, 2, RetryLater(2)),
        (Fault::Publisher, 3, api_other),
        (Fault::Nobody(aside), 3, Hold(aside)),
    ] {
        for (settings, own) in [(settings(), true), (classic(), false)] {
            let mut account = account(5, retries);
            let standing = Standing {
                own,
                fault,
                ..LIVES
            };
            let refused = Class::Permanent(ApiCode::ApiOther);
            assert_eq!(account.judge(&refused, standing, &settings, 0.5), verdict);
            assert_eq!(account.attempts, 5, "no attempt");
            // A type that is known is believed whatever others were told.
            let known = Class::Permanent(ApiCode::BadRequest);
            let verdict = DeadLetter(Code::Api(ApiCode::BadRequest));
            assert_eq!(account.judge(&known, standing, &settings, 0.5), verdict);
        }
    }
}

/// One call's answer while the API lives, with jitter at its middle.
#[test]
fn class_and_attempts_make_the_verdict() {
    let bad = ApiCode::BadRequest;
    let secret = ApiCode::InvalidSecretAuthentication;
    let rows = [
        (Revoked, 0, 0, Done(Outcome::Revoked), 0),
        (Revoked, 20, 3, Done(Outcome::Revoked), 20),
        (AlreadyGone, 0, 0, Done(Outcome::AlreadyGone), 0),
        (AlreadyGone, 6, 3, Done(Outcome::AlreadyGone), 6),
        (Permanent(bad), 0, 0, DeadLetter(Code::Api(bad)), 0),
        (Permanent(bad), 5, 2, DeadLetter(Code::Api(bad)), 5),
        (Credentials(secret), 0, 0, Again, 0),
        (Credentials(secret), 99, 9, Again, 99),
        (RateLimited, 0, 0, Again, 0),
        (RateLimited, 99, 9, Again, 99),
        (FAILED, 0, 0, half(1), 1),
        (FAILED, 1, 0, half(2), 2),
        (FAILED, 4, 0, half(5), 5),
        (FAILED, 5, 0, RetryLater(0), 6),
        (FAILED, 6, 1, RetryLater(1), 7),
        (FAILED, 7, 2, RetryLater(2), 8),
        (FAILED, 8, 3, EXHAUSTED, 9),
        (FAILED, 8, 99, EXHAUSTED, 9),
        (FAILED, u32::MAX, 3, EXHAUSTED, u32::MAX),
        // Its own limit is its own failure, and waits as one.
        (OwnLimit, 0, 0, half(1), 1),
        (OwnLimit, 5, 0, RetryLater(0), 6),
        (OwnLimit, 8, 3, EXHAUSTED, 9),
    ];
    for (class, attempts, retries, verdict, after) in rows {
        for settings in [settings(), classic()] {
            if settings.count_every_failure && class == RateLimited {
                continue;
            }
            let mut account = account(attempts, retries);
            // A 429 is the message's own only if the gate says so.
            let standing = if class == RateLimited { OUT } else { LIVES };
            let got = account.judge(&class, standing, &settings, 0.5);
            let place = format!("{class:?} after {attempts} attempts, {retries} delays");
            assert_eq!((got, account.attempts), (verdict, after), "{place}");
            assert_eq!(account.retries, retries, "{place}");
        }
    }
}

#[test]
fn every_way_to_fail_counts_the_same() {
    for failure in Failure::ALL {
        let mut account = account(5, 3);
        let got = account.judge(&Retryable(*failure), LIVES, &settings(), 0.0);
        assert_eq!(got, EXHAUSTED, "{failure:?}");
    }
}

/// While the API is out nothing is the message's own failure, unless the classic rule is asked for.
#[test]
fn an_outage_is_nobodys_attempt_unless_asked_for() {
    for (attempts, retries) in [(0, 0), (5, 0), (5, 3), (99, 99)] {
        let mut account = account(attempts, retries);
        for _ in 0..1_000 {
            assert_eq!(account.judge(&FAILED, OUT, &settings(), 0.5), Again);
        }
        assert_eq!(account.attempts, attempts);
    }
    let rows = [(0, 0, half(1)), (5, 0, RetryLater(0)), (5, 3, EXHAUSTED)];
    for (attempts, retries, verdict) in rows {
        for class in [FAILED, RateLimited, OwnLimit] {
            let mut account = account(attempts, retries);
            let got = account.judge(&class, OUT, &classic(), 0.5);
            assert_eq!(got, verdict, "{class:?} after {attempts}, {retries}");
            assert_eq!(account.attempts, attempts + 1);
        }
    }
}

/// Credentials are nobody's failure under any rule: a rotated secret must fill no dead-letter queue.
#[test]
fn credentials_cost_nothing_under_any_rule() {
    for settings in [settings(), classic()] {
        for standing in [LIVES, OUT] {
            let mut account = account(5, 3);
            for code in ApiCode::ALL {
                let got = account.judge(&Credentials(*code), standing, &settings, 0.5);
                assert_eq!(got, Again, "{code:?}");
            }
            assert_eq!(account.attempts, 5);
        }
    }
}

/// What failed before an outage may have been its beginning.
#[test]
fn attempts_before_an_outage_are_forgiven_once() {
    let after = |outages| Standing {
        own: true,
        outages,
        aside: None,
        fault: Fault::Message,
    };
    let mut account = account(5, 3);
    assert_eq!(account.judge(&FAILED, after(1), &settings(), 0.5), half(1));
    assert_eq!(account.judge(&FAILED, after(1), &settings(), 0.5), half(2));
    assert_eq!(account.judge(&FAILED, after(3), &settings(), 0.5), half(1));
    for attempt in 2..6 {
        let got = account.judge(&FAILED, after(3), &settings(), 0.5);
        assert_eq!(got, half(attempt));
    }
    assert_eq!(
        account.judge(&FAILED, after(3), &settings(), 0.5),
        EXHAUSTED
    );
}

/// What a 429 is about the gate decides: the rate, perhaps this target, or this target for sure.
#[test]
fn a_429_is_what_the_gate_makes_of_it() {
    let mut account = account(0, 0);
    let wait = Duration::from_millis(375);
    let aside = Standing {
        aside: Some(wait),
        ..OUT
    };
    let mut limited = |standing| account.judge(&RateLimited, standing, &settings(), 0.5);
    for _ in 0..10_000 {
        assert_eq!(limited(OUT), Again);
        assert_eq!(limited(aside), Hold(wait));
    }
    assert_eq!(limited(LIVES), half(1), "its own is an attempt");
    assert_eq!(limited(LIVES), half(2));
    assert_eq!((account.attempts, account.retries), (2, 0));
}

/// Plays a message's whole life under one answer; each return from a delay queue is a life in memory
/// that begins with what the headers remember.
fn life(settings: &Settings, class: &Class) -> (Vec<Verdict>, Duration) {
    let (mut verdicts, mut waited) = (Vec::new(), Duration::ZERO);
    let mut account = account(0, 0);
    loop {
        let verdict = account.judge(class, LIVES, settings, 1.0);
        verdicts.push(verdict);
        match verdict {
            Hold(wait) => waited += wait,
            RetryLater(index) => {
                waited += settings.retry_delays[index];
                account = Account {
                    retries: u32::try_from(index + 1).unwrap(),
                    ..account
                };
            }
            _ => return (verdicts, waited),
        }
    }
}

/// The documented way: six attempts in memory, then each delay once, then the dead letters, about 22
/// minutes in all.
#[test]
fn a_message_that_never_succeeds_ends_after_all_its_chances() {
    let holds = (1..=5).map(|n| Hold(step(n)));
    let wanted: Vec<Verdict> = holds
        .chain([RetryLater(0), RetryLater(1), RetryLater(2), EXHAUSTED])
        .collect();
    for (class, settings) in [
        (FAILED, settings()),
        (OwnLimit, settings()),
        (FAILED, classic()),
        (RateLimited, classic()),
    ] {
        let (verdicts, waited) = life(&settings, &class);
        assert_eq!(verdicts, wanted, "{class:?}");
        assert_eq!(waited, Duration::from_millis(7_750 + 21 * 60_000));
    }
}

#[test]
fn fewer_attempts_or_delays_end_sooner() {
    let with = |attempts, delays: &[u64]| Settings {
        attempts,
        retry_delays: delays.iter().copied().map(Duration::from_secs).collect(),
        ..settings()
    };
    let verdicts = |settings| life(&settings, &FAILED).0;
    assert_eq!(verdicts(with(1, &[])), [EXHAUSTED]);
    assert_eq!(verdicts(with(1, &[2])), [RetryLater(0), EXHAUSTED]);
    assert_eq!(verdicts(with(2, &[])), [Hold(step(1)), EXHAUSTED]);
    // A worker with fewer delays takes over from one with more.
    let got = account(9, 7).judge(&FAILED, LIVES, &with(6, &[2]), 0.5);
    assert_eq!(got, EXHAUSTED);
}

#[test]
fn sessions_that_remain_are_retried_later_without_an_attempt() {
    let remain = DeadLetter(Code::UserSessionsRemain);
    for (retries, verdict) in [
        (0, RetryLater(0)),
        (1, RetryLater(1)),
        (2, RetryLater(2)),
        (3, remain),
        (u32::MAX, remain),
    ] {
        let account = account(0, retries);
        assert_eq!(account.sessions_remain(&settings()), verdict, "{retries}");
    }
    let none = Settings {
        retry_delays: Vec::new(),
        ..settings()
    };
    assert_eq!(account(0, 0).sessions_remain(&none), remain);
}
