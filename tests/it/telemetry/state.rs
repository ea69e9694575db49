//! The state board as a story: which state is shown while causes come and go, why, and until when.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use revoker::{
    broker::Trouble,
    revoke::outcome::{Blame, Failure},
    telemetry::{
        Metrics,
        state::{State, StateBoard},
        why::Why,
    },
};

use super::at;

/// What happens: second, cause, on or off; then what is shown, since which second, and readiness.
type Line = (i64, State, bool, State, i64, bool);

fn board() -> (StateBoard, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new());
    (StateBoard::new(Arc::clone(&metrics), at(0)), metrics)
}

/// Some reason of that state.
fn why(state: State) -> Why {
    match state {
        State::Running => Why::AllWell,
        State::Throttled => Why::RateLimited,
        State::Audit => Why::OutcomesUnrecorded,
        State::Outage => Why::Outage(Failure::Timeout),
        State::Credentials => Why::Credentials(Blame::Secret),
        State::Broker => Why::Broker(Trouble::LoginRefused),
        State::Draining => Why::AskedToStop,
    }
}

/// The one value of this metric that is 1, and that there is no other.
fn hot(metrics: &Metrics, name: &str) -> String {
    let text = metrics.render();
    let start = format!("{name}{{");
    let mut hot = text
        .lines()
        .filter(|line| line.starts_with(&start) && line.ends_with(" 1"));
    let line = hot.next().expect("one value is 1");
    assert_eq!(hot.next(), None, "{name}");
    line.split('"').nth(1).unwrap().to_owned()
}

fn gauge(metrics: &Metrics, name: &str) -> f64 {
    let text = metrics.render();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.unwrap().trim().parse().unwrap()
}

/// Plays the story on a board made at second 0.
fn check(story: &[Line]) {
    let (board, metrics) = board();
    let begun = board.snapshot().why;
    assert_eq!(begun, Why::Broker(Trouble::NotConnected));
    for line in story {
        let (second, cause, on, shown, since, ready) = *line;
        match on {
            true => board.hold(why(cause), None, at(second)),
            false => board.clear(cause, at(second)),
        }
        let snapshot = board.snapshot();
        assert_eq!(
            (snapshot.state, snapshot.since),
            (shown, at(since)),
            "{line:?}"
        );
        assert_eq!(snapshot.ready(), ready, "{line:?}");
        assert_eq!(hot(&metrics, "revoker_state"), shown.as_str(), "{line:?}");
        let why = snapshot.why.as_str();
        assert_eq!(hot(&metrics, "revoker_state_why"), why, "{line:?}");
        assert_eq!(gauge(&metrics, "revoker_ready "), f64::from(ready));
        let since = at(since).as_second() as f64;
        assert_eq!(
            gauge(&metrics, "revoker_state_since_timestamp_seconds "),
            since
        );
    }
}

#[test]
fn the_worst_cause_is_shown() {
    use State::{Audit, Broker, Credentials, Draining, Outage, Running, Throttled};
    check(&[
        (1, Broker, false, Running, 1, true),
        (2, Throttled, true, Throttled, 2, true),
        (3, Audit, true, Audit, 3, true),
        (4, Outage, true, Outage, 4, true),
        (5, Credentials, true, Credentials, 5, true),
        (6, Broker, true, Broker, 6, false),
        (7, Draining, true, Draining, 7, false),
        // What is cleared underneath does not show, and what remains kept its beginning.
        (8, Credentials, false, Draining, 7, false),
        (9, Draining, false, Broker, 6, false),
        (10, Broker, false, Outage, 4, true),
        (11, Outage, true, Outage, 4, true),
        (12, Outage, false, Audit, 3, true),
        (13, Throttled, false, Audit, 3, true),
        (14, Audit, false, Running, 14, true),
        // Clearing what does not hold, and running as a cause, change nothing.
        (15, Audit, false, Running, 14, true),
        (16, Running, true, Running, 14, true),
    ]);
}

#[test]
fn what_holds_beneath_the_shown_state_is_known_too() {
    let (board, _) = board();
    board.hold(why(State::Throttled), None, at(1));
    board.hold(why(State::Draining), Some(at(27)), at(2));
    let (shown, beneath) = board.now();
    assert_eq!(
        (shown.state, shown.next_probe),
        (State::Draining, Some(at(27)))
    );
    let beneath: Vec<_> = beneath.iter().map(|held| held.state).collect();
    assert_eq!(beneath, [State::Broker, State::Throttled]);
}

#[test]
fn a_bad_state_is_repeated_in_the_log_each_minute() {
    let (board, _) = board();
    let cases = [(10, false), (60, true), (61, false), (120, true)];
    for (second, logged) in cases {
        assert_eq!(board.remind(at(second)), logged, "at {second}");
    }
    board.clear(State::Broker, at(130));
    assert!(!board.remind(at(180)), "running needs no reminder");
    board.hold(why(State::Outage), None, at(190));
    assert!(!board.remind(at(200)), "the change itself was just logged");
    assert!(board.remind(at(240)));
    // The clock is set back by a day.
    assert!(board.remind(at(240 - 86_400)));
    assert!(!board.remind(at(241 - 86_400)));
}

#[test]
fn a_cause_told_again_keeps_its_beginning_and_takes_the_new_reason_and_probe() {
    let (board, metrics) = board();
    let next = "revoker_state_next_probe_timestamp_seconds ";
    assert_eq!(gauge(&metrics, next), 0.0);
    let refused = Why::Broker(Trouble::LoginRefused);
    board.hold(refused, Some(at(12)), at(9));
    let shown = board.snapshot();
    assert_eq!((shown.since, shown.why), (at(0), refused));
    assert_eq!(hot(&metrics, "revoker_state_why"), "login_refused");
    assert_eq!(shown.next_probe, Some(at(12)));
    assert_eq!(gauge(&metrics, next), at(12).as_second() as f64);
    board.clear(State::Broker, at(13));
    assert_eq!(gauge(&metrics, next), 0.0);
}

#[test]
fn every_reason_has_a_word_of_its_own_a_sentence_and_a_state() {
    let words: BTreeSet<&str> = Why::all().map(Why::as_str).collect();
    assert_eq!(words.len(), Why::all().count(), "{words:?}");
    let sentences: BTreeSet<&str> = Why::all().map(Why::sentence).collect();
    assert_eq!(sentences.len(), Why::all().count(), "{sentences:?}");
    let states: BTreeSet<State> = Why::all().map(Why::state).collect();
    assert_eq!(states.len(), State::ALL.len(), "a state without a reason");
}

/// Far-off times are no reason to panic.
#[test]
fn a_probe_at_the_end_of_time_is_shown() {
    let (board, metrics) = board();
    board.hold(why(State::Outage), Some(Timestamp::MAX), at(1));
    board.clear(State::Broker, at(2));
    assert!(gauge(&metrics, "revoker_state_next_probe_timestamp_seconds ") > 1e11);
    assert!(board.remind(at(60)));
}
