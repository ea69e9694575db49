//! Rows of refusals with an error type that nobody knows: when they are believed.

use std::time::Duration;

use revoker::{
    gate::{
        Moment, News, OutageMode, Settings, Suspicion, Way,
        breaker::{Breaker, CREDENTIALS_PROBE, Pause, Phase},
        canary::{Canary, Due},
        line::Line,
        unknown::{ASIDE, BELIEVED, Refusal, Row},
    },
    revoke::outcome::Fault,
};

const NOW: Duration = Duration::from_secs(100);

/// Adds so many refusals of this type, publisher by publisher in turn; the last one's fault.
fn add(row: &mut Row, error_type: &str, publishers: &[&str], times: u32) -> Fault {
    let each = publishers.iter().cycle().take(times as usize);
    let blames = each.map(|publisher| row.add(Refusal::new(error_type, publisher)));
    blames.last().unwrap()
}

#[test]
fn nineteen_in_a_row_are_believed() {
    for publishers in [&["a"][..], &["a", "b"]] {
        let mut row = Row::default();
        assert_eq!(add(&mut row, "new", publishers, BELIEVED), Fault::Message);
        assert_eq!(BELIEVED, 19);
    }
}

#[test]
fn the_twentieth_is_its_publishers_or_nobodys() {
    let mut row = Row::default();
    assert_eq!(add(&mut row, "new", &["a"], 20), Fault::Publisher);
    assert_eq!(add(&mut row, "new", &["a"], 500), Fault::Publisher);
    // One event of somebody else's is enough then, and the row stays what it is.
    assert_eq!(add(&mut row, "new", &["b"], 1), Fault::Nobody(ASIDE));
    assert_eq!(add(&mut row, "new", &["a"], 500), Fault::Nobody(ASIDE));

    let mut row = Row::default();
    assert_eq!(add(&mut row, "new", &["a", "b"], 20), Fault::Nobody(ASIDE));
}

#[test]
fn another_answer_ends_the_row() {
    let mut row = Row::default();
    for _ in 0..100 {
        assert_eq!(add(&mut row, "new", &["a", "b"], BELIEVED), Fault::Message);
        row.end();
    }
    add(&mut row, "new", &["a", "b"], 40);
    row.end();
    assert_eq!(add(&mut row, "new", &["a", "b"], BELIEVED), Fault::Message);
}

#[test]
fn another_type_begins_another_row() {
    let mut row = Row::default();
    for error_type in ["new", "newer", "", "new"] {
        assert_eq!(
            add(&mut row, error_type, &["a", "b"], BELIEVED),
            Fault::Message
        );
    }
}

fn line() -> Line<u32> {
    Line::new(&Settings {
        max_rate: None,
        max_rate_total: None,
        start_rate: 10_000.0,
        slots: 10,
        slots_urgent_only: 2,
        urgent_rate: 50.0,
        outage: OutageMode::Hold,
        hold_limit: Duration::from_secs(600),
    })
}

/// One call of the urgent lane and its answer.
fn call(line: &mut Line<u32>, news: News, now: Duration) -> Option<Fault> {
    let (at, nobody) = (
        Moment {
            now,
            second_of_minute: 0.0,
        },
        &mut Suspicion::default(),
    );
    let ticket = line.ask(revoker::event::Lane::Urgent, Way::Revoke, nobody, now)?;
    let rng = &mut fastrand::Rng::with_seed(1);
    Some(
        line.report(Way::Revoke, ticket, news, nobody, at, rng)
            .fault,
    )
}

#[test]
fn a_row_pauses_the_line_until_a_canary_is_answered() {
    let mut line = line();
    let refusal = |publisher| News::Unknown(Refusal::new("new", publisher));
    for _ in 0..BELIEVED {
        assert_eq!(call(&mut line, refusal("a"), NOW), Some(Fault::Message));
    }
    let fault = call(&mut line, refusal("b"), NOW);
    assert_eq!(fault, Some(Fault::Nobody(ASIDE)));
    assert_eq!(line.view(NOW).paused, Some(Pause::Unknown));
    assert_eq!(call(&mut line, News::Answered, NOW), None, "no call goes");
    assert_eq!(line.canary(NOW), Due::At(NOW + CREDENTIALS_PROBE));

    // The canary ends the pause, not the row; a limit, a failure or a refused secret neither.
    let later = NOW + CREDENTIALS_PROBE;
    assert_eq!(line.canary(later), Due::Now(Canary::Life));
    let (at, rng) = (
        Moment {
            now: later,
            second_of_minute: 0.0,
        },
        &mut fastrand::Rng::with_seed(1),
    );
    line.canary_answered(Canary::Life, News::Answered, at, rng);
    assert_eq!(line.view(later).paused, None);
    call(&mut line, News::Limited(None), later);
    let later = later + CREDENTIALS_PROBE;
    let fault = call(&mut line, refusal("a"), later);
    assert_eq!(fault, Some(Fault::Nobody(ASIDE)));
    assert_eq!(line.view(later).paused, Some(Pause::Unknown));
}

#[test]
fn a_pause_for_another_reason_goes_on() {
    let mut breaker = Breaker::new(true);
    breaker.refused(NOW);
    breaker.puzzled(NOW + Duration::from_secs(20));
    let paused = Phase::Paused(Pause::Credentials, NOW + CREDENTIALS_PROBE);
    assert_eq!(breaker.phase(), paused);
}
