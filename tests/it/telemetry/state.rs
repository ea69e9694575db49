//! The state board as a story: which state is shown while causes come and go.

use std::sync::Arc;

use revoker::telemetry::{
    Metrics,
    state::{State, StateBoard},
};

use super::at;

/// What happens: second, cause, on or off; then what is shown, since which second, and readiness.
type Line = (i64, State, bool, State, i64, bool);

/// Plays the story on a board made at second 0.
fn check(story: &[Line]) {
    let metrics = Arc::new(Metrics::new());
    let board = StateBoard::new(Arc::clone(&metrics), at(0));
    assert_eq!(board.snapshot().reason, "not connected yet");
    for line in story {
        let (second, cause, on, shown, since, ready) = *line;
        board.set(cause, on, "a reason", at(second));
        let snapshot = board.snapshot();
        assert_eq!(
            (snapshot.state, snapshot.since),
            (shown, at(since)),
            "{line:?}"
        );
        assert_eq!(snapshot.ready(), ready, "{line:?}");
        let text = metrics.render();
        let hot: Vec<&str> = text
            .lines()
            .filter(|l| l.starts_with("revoker_state{") && l.ends_with(" 1"))
            .collect();
        assert_eq!(
            hot,
            [format!("revoker_state{{state=\"{}\"}} 1", shown.as_str())],
            "{line:?}"
        );
        let has = |line: String| text.lines().any(|l| l == line);
        assert!(
            has(format!("revoker_ready {}", u8::from(ready))),
            "{line:?}"
        );
        let since = format!(
            "revoker_state_since_timestamp_seconds {}",
            at(since).as_second()
        );
        assert!(has(since), "{line:?}");
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
fn a_bad_state_is_repeated_in_the_log_each_minute() {
    let board = StateBoard::new(Arc::new(Metrics::new()), at(0));
    let cases = [(10, false), (60, true), (61, false), (120, true)];
    for (second, logged) in cases {
        assert_eq!(board.remind(at(second)), logged, "at {second}");
    }
    board.set(State::Broker, false, "", at(130));
    assert!(!board.remind(at(180)), "running needs no reminder");
    board.set(State::Outage, true, "no answer", at(190));
    assert!(!board.remind(at(200)), "the change itself was just logged");
    assert!(board.remind(at(240)));
    // The clock is set back by a day.
    assert!(board.remind(at(240 - 86_400)));
    assert!(!board.remind(at(241 - 86_400)));
}

#[test]
fn a_cause_set_again_keeps_its_beginning_and_takes_the_new_reason() {
    let board = StateBoard::new(Arc::new(Metrics::new()), at(0));
    board.set(State::Broker, true, "refused", at(9));
    let shown = board.snapshot();
    assert_eq!((shown.since, shown.reason), (at(0), "refused"));
}
