//! The rate control in a simulated world: what it promises, a line each, and controls that must fail.
//!
//! The real line, pacers, breaker and verdicts are driven through hours of simulated traffic; only
//! server, network and broker are pretended. `IT_FULL=1` (`tests/run --full`) runs the long form, and
//! `--nocapture` shows what was measured, the worst of all seeds.
#![allow(
    clippy::print_stderr,
    reason = "shown with --nocapture, and when a line fails"
)]

mod figure;
mod goals;
mod loads;
mod measure;
mod naive;
pub(super) mod plot;
mod replica;
mod scenario;
mod server;
mod svg;
mod world;

use figure::Bound;
use goals::{Bounded, Goal};
use measure::Measured;
use revoker::gate::Way;
use scenario::Scenario;
use server::Model;

/// Whether the long form is asked for: five seeds and every number of replicas, not one and the extremes.
fn full() -> bool {
    std::env::var("IT_FULL").is_ok_and(|full| !full.is_empty())
}

/// Runs every line of that name, and tells all bounds that do not hold.
fn check(name: &str) {
    let mut broken = Vec::new();
    let goals = goals::all();
    let lines: Vec<&Goal> = goals.iter().filter(|goal| goal.name == name).collect();
    assert!(!lines.is_empty(), "no line is called {name}");
    for goal in lines {
        for model in &goal.models {
            for replicas in goal.replicas.iter().filter(|count| full() || **count != 2) {
                broken.extend(measure(goal, *model, *replicas));
            }
        }
    }
    assert!(broken.is_empty(), "{name}:\n{}", broken.join("\n"));
}

/// Runs one line against one model with so many replicas.
fn measure(goal: &Goal, model: Model, replicas: usize) -> Vec<String> {
    let scenario = (goal.load)(model);
    let seeds = if full() { 5 } else { 1 };
    let runs: Vec<Measured> = (1..=seeds)
        .map(|seed| world::run(&scenario, replicas, seed))
        .collect();
    let (mut rows, mut broken) = (String::new(), Vec::new());
    for Bounded {
        word,
        figure,
        bound,
    } in &goal.bounds
    {
        let values = runs.iter().map(|run| figure.of(run, &scenario, replicas));
        let worst = values
            .reduce(|a, b| bound.worse(a, b))
            .expect("there is a seed");
        rows += &row(goal.name, model, replicas, word, worst, *bound);
        if !bound.holds(worst) {
            broken.push(format!(
                "{model:?}, {replicas} replicas: {word} is {worst:.3}, not {bound}"
            ));
        }
    }
    eprint!("{rows}");
    broken
}

/// One line of the table that `tests/run rate` prints, which has the head.
fn row(
    name: &str,
    model: Model,
    replicas: usize,
    figure: &str,
    measured: f64,
    goal: Bound,
) -> String {
    let (model, goal_text) = (format!("{model:?}"), goal.to_string());
    let met = if goal.holds(measured) { "yes" } else { "NO" };
    format!(
        "{name:<23} {model:<13} {replicas:>8}  {figure:<12} {measured:>9.3}  {goal_text:<9} {met}\n"
    )
}

/// A test for each name, and their list.
macro_rules! lines {
    ($($test:ident: $name:literal;)+) => {
        $(#[test] fn $test() { check($name); })+
        const TESTED: &[&str] = &[$($name),+];
    };
}

lines! {
    a_bulk: "a bulk";
    one_target_in_1000_always_429: "one in 1000 always 429";
    one_target_in_50_always_500: "one in 50 always 500";
    the_last_target_always_fails: "the last always fails";
    urgent_before_a_bulk: "urgent before a bulk";
    a_flood_of_urgent: "a flood of urgent";
    two_ways_with_limits_of_their_own: "two ways";
    a_thousand_a_second: "a thousand a second";
    the_limit_drops: "the limit drops";
    the_limit_rises: "the limit rises";
    an_outage: "an outage";
    urgent_amid_a_bulk: "urgent amid a bulk";
    a_trickle_before_a_bulk: "a trickle before a bulk";
}

#[test]
fn every_line_is_tested() {
    for goal in goals::all() {
        assert!(TESTED.contains(&goal.name), "{} has no test", goal.name);
    }
}

/// What everybody builds first must fail here, or nothing above is known to see.
#[test]
fn messages_that_back_off_for_themselves_waste_calls_and_are_lost() {
    for model in ["steady", "sliding", "quotas"].map(goals::models).concat() {
        let scenario = Scenario {
            naive: true,
            ..Scenario::bulk(model, 20_000)
        };
        let run = world::run(&scenario, 2, 1);
        let waste = run.waste();
        let lost = run.lost as f64;
        for (figure, measured, least) in [("wasted", waste, 30.0), ("lost", lost, 1.0)] {
            let must = Bound::Least(least);
            eprint!(
                "{}",
                row("(naive control)", model, 2, figure, measured, must)
            );
            assert!(must.holds(measured), "{model:?}: {figure} is {measured}");
        }
    }
}

/// A ceiling under the limit is kept, and then nothing is refused.
#[test]
fn a_ceiling_is_kept() {
    let mut scenario = Scenario::bulk(Model::Bucket(10.0), 5_000);
    scenario.gate.max_rate = Some(50.0);
    let run = world::run(&scenario, 1, 1);
    let took = run.ways[Way::Revoke as usize].backlog_until;
    let rate = run.ways[Way::Revoke as usize].accepted as f64 / took;
    assert!((45.0..=50.5).contains(&rate), "{rate:.1} calls a second");
    assert_eq!(run.waste(), 0.0);
}

/// A limit for all is shared: so many of them use it as one does, and nothing is refused.
#[test]
fn a_ceiling_for_all_is_shared() {
    for replicas in [1, 2, 4] {
        let mut scenario = Scenario::bulk(Model::Bucket(10.0), 5_000);
        scenario.gate.max_rate_total = Some(96.0);
        let run = world::run(&scenario, replicas, 1);
        let used = run.used(Way::Revoke, 96.0, false);
        eprintln!(
            "{replicas} share a ceiling of 96: {used:.1} % used, {:.2} % wasted",
            run.waste()
        );
        assert!(
            (94.0..=101.0).contains(&used),
            "{replicas}: {used:.1} % used"
        );
        assert_eq!(run.waste(), 0.0, "{replicas}");
    }
}

/// The same seed tells the same story.
#[test]
fn runs_can_be_repeated() {
    let scenario = Scenario::bulk(Model::Fixed, 2_000);
    let end = |seed| world::run(&scenario, 2, seed).last_end;
    assert_eq!(end(7), end(7));
    assert_ne!(end(7), end(8));
}
