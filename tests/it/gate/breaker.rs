//! The breaker alone: a story told as events with their times, and where it then stands.

use std::time::Duration;

use revoker::gate::{
    News, Reached,
    breaker::{
        Breaker, CREDENTIALS_PROBE, FAILURES_TO_PROBE, FAILURES_TO_PROBE_AGAIN, Pause, Phase,
    },
};

const NOW: Duration = Duration::from_secs(100);
const NOT_ANSWERED: News = News::Failed(Reached::Unknown);

fn failed(breaker: &mut Breaker, times: u32) {
    for _ in 0..times {
        breaker.failed(false);
    }
}

/// A breaker whose canary is due.
fn probing() -> Breaker {
    let mut breaker = Breaker::new(true);
    failed(&mut breaker, FAILURES_TO_PROBE);
    breaker
}

#[test]
fn five_failures_in_a_row_call_for_a_canary() {
    let mut breaker = Breaker::new(true);
    for _ in 1..FAILURES_TO_PROBE {
        assert!(breaker.failed(false), "the failure is the message's own");
        assert_eq!(breaker.phase(), Phase::Flowing);
        assert_eq!(breaker.canary_at(false), None);
    }
    assert!(breaker.failed(false));
    assert_eq!(breaker.phase(), Phase::Probing);
    assert_eq!(breaker.canary_at(false), Some(Duration::ZERO), "at once");
    assert_eq!(breaker.canary_at(true), None, "one canary at a time");
    assert_eq!(breaker.paused(), None, "not an outage yet");
    assert!(
        !breaker.failed(false),
        "free while the canary is on its way"
    );
}

#[test]
fn an_answer_between_failures_begins_the_row_anew() {
    let mut breaker = Breaker::new(true);
    for _ in 0..10 {
        failed(&mut breaker, FAILURES_TO_PROBE - 1);
        breaker.answered(NOW);
    }
    assert_eq!(breaker.phase(), Phase::Flowing);
}

#[test]
fn an_answered_canary_lets_calls_flow_and_begins_the_row_anew() {
    let mut breaker = probing();
    breaker.canary(News::Answered, NOW, false, 0.5);
    assert_eq!((breaker.phase(), breaker.outages()), (Phase::Flowing, 0));
    failed(&mut breaker, FAILURES_TO_PROBE - 1);
    assert_eq!(breaker.phase(), Phase::Flowing);
    failed(&mut breaker, 1);
    assert_eq!(breaker.phase(), Phase::Probing);
}

#[test]
fn canaries_of_an_outage_come_ever_more_slowly_up_to_five_seconds() {
    for (jitter, share) in [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)] {
        let mut breaker = probing();
        let mut now = NOW;
        for wait in [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0] {
            breaker.canary(NOT_ANSWERED, now, false, jitter);
            let next = breaker.canary_at(false).unwrap();
            let waited = (next - now).as_secs_f64();
            assert!((waited - wait * share).abs() < 0.001, "{waited} for {wait}");
            assert_eq!(breaker.phase(), Phase::Paused(Pause::Outage, next));
            assert!(!breaker.failed(false), "free in an outage");
            breaker.answered(NOW);
            assert_eq!(
                breaker.paused(),
                Some(Pause::Outage),
                "only a canary ends it"
            );
            now = next;
        }
        assert_eq!(breaker.outages(), 1, "it is one outage");
        breaker.canary(News::Answered, now, false, jitter);
        assert_eq!((breaker.phase(), breaker.paused()), (Phase::Flowing, None));
        failed(&mut breaker, FAILURES_TO_PROBE);
        breaker.canary(NOT_ANSWERED, now, false, 0.5);
        assert_eq!(breaker.outages(), 2);
        let first = breaker.canary_at(false).unwrap() - now;
        assert_eq!(first, Duration::from_secs(1), "the next outage begins anew");
    }
}

#[test]
fn refused_credentials_pause_at_once_and_ask_each_half_minute() {
    let mut breaker = Breaker::new(true);
    breaker.refused(NOW);
    let at = NOW + CREDENTIALS_PROBE;
    assert_eq!(breaker.phase(), Phase::Paused(Pause::Credentials, at));
    assert!(!breaker.failed(false), "free");
    // Late refusals of other calls do not put the canary off.
    breaker.refused(NOW + CREDENTIALS_PROBE / 2);
    assert_eq!(breaker.canary_at(false), Some(at));
    breaker.canary(News::Refused, at, false, 0.5);
    assert_eq!(breaker.canary_at(false), Some(at + CREDENTIALS_PROBE));
    breaker.probe_now(at + Duration::from_secs(1));
    assert_eq!(breaker.canary_at(false), Some(at + Duration::from_secs(1)));
    breaker.canary(News::Answered, at, false, 0.5);
    assert_eq!((breaker.phase(), breaker.outages()), (Phase::Flowing, 0));
}

#[test]
fn one_pause_may_turn_into_the_other() {
    let mut breaker = probing();
    breaker.canary(NOT_ANSWERED, NOW, false, 0.5);
    breaker.canary(News::Refused, NOW, false, 0.5);
    assert_eq!(breaker.paused(), Some(Pause::Credentials));
    breaker.canary(NOT_ANSWERED, NOW, false, 0.5);
    assert_eq!(
        (breaker.paused(), breaker.outages()),
        (Some(Pause::Outage), 2)
    );
}

#[test]
fn asking_at_once_means_nothing_while_calls_flow() {
    let mut breaker = Breaker::new(true);
    breaker.probe_now(NOW);
    assert_eq!(
        (breaker.phase(), breaker.canary_at(false)),
        (Phase::Flowing, None)
    );
}

#[test]
fn without_outages_every_failure_counts_and_credentials_still_pause() {
    let mut breaker = Breaker::new(false);
    for _ in 0..100 {
        assert!(breaker.failed(false));
    }
    assert_eq!(
        (breaker.phase(), breaker.canary_at(false)),
        (Phase::Flowing, None)
    );
    breaker.refused(NOW);
    assert_eq!(breaker.paused(), Some(Pause::Credentials));
}

/// While the rate still climbs back, less is needed to see that the outage is not over.
#[test]
fn an_outage_that_comes_back_at_once_is_seen_sooner_and_asked_about_as_slowly() {
    let mut breaker = probing();
    let mut now = NOW;
    for _ in 0..4 {
        breaker.canary(NOT_ANSWERED, now, false, 0.5);
        now = breaker.canary_at(false).unwrap();
    }
    breaker.canary(News::Answered, now, false, 0.5);
    for _ in 0..FAILURES_TO_PROBE_AGAIN {
        assert_eq!(breaker.phase(), Phase::Flowing);
        breaker.failed(true);
    }
    assert_eq!(breaker.phase(), Phase::Probing);
    breaker.canary(NOT_ANSWERED, now, true, 0.5);
    assert_eq!(breaker.outages(), 2);
    let wait = breaker.canary_at(false).unwrap() - now;
    assert_eq!(wait, Duration::from_secs(5), "as if it had never been over");
}

#[test]
fn whether_the_api_lives_is_known_from_answers_and_pauses_only() {
    let (before, after) = (NOW, NOW + Duration::from_millis(1));
    let mut breaker = Breaker::new(true);
    breaker.answered(before);
    assert_eq!(
        breaker.lives_since(before),
        None,
        "an answer of before says nothing"
    );
    breaker.answered(after);
    assert_eq!(breaker.lives_since(before), Some(true));

    breaker.doubt();
    assert_eq!(breaker.phase(), Phase::Probing);
    assert_eq!(breaker.lives_since(after), None);
    breaker.canary(NOT_ANSWERED, after, false, 0.5);
    assert_eq!(
        breaker.lives_since(before),
        Some(false),
        "whatever was answered before"
    );
    breaker.doubt();
    assert!(
        matches!(breaker.phase(), Phase::Paused(..)),
        "a pause asks by itself"
    );
    let late = after + Duration::from_secs(1);
    breaker.canary(News::Answered, late, false, 0.5);
    assert_eq!(
        breaker.lives_since(after),
        Some(true),
        "a canary's answer is one"
    );
}
