//! The sandbox's flags, and the examples of its help.

use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};
use revoker::{
    cli::sandbox::{Args, run},
    revoke::sandbox::{
        Plan, Seed,
        limit::{Limits, Scope, Window},
    },
};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

pub(super) fn args(flags: &[&str]) -> Result<Args, clap::Error> {
    let matches = Cli::command().try_get_matches_from([&["sandbox"], flags].concat())?;
    Args::from_arg_matches(&matches)
}

#[test]
fn wrong_flags_are_refused_with_a_remedy() {
    Cli::command().debug_assert();
    for (flags, hint) in [
        (["--limit", "100"], "100/s"),
        (["--limit", "100/s,6000"], "6000/min"),
        (["--user-limit", "0/s"], "at least one call"),
        (["--retry-after-date", "--count-refused"], "--retry-after"),
        (["--fault", "500"], "500=0.01"),
        (["--fault", "500=2"], "0 to 1"),
        (["--fault", "oops=0.1"], "half-body"),
        (["--window", "rolling"], "sliding"),
    ] {
        let error = args(&flags).expect_err("wrong flags").to_string();
        assert!(error.contains(hint), "{flags:?}: {error}");
    }
}

#[tokio::test]
async fn the_same_flag_twice_is_refused() {
    for flags in [
        ["--limit", "1/s", "--limit", "2/s"],
        ["--user-limit", "1/s,2/s", "--limit", "2/s"],
        ["--fault", "500=0.1", "--fault", "500=0.2"],
    ] {
        let error = run(args(&flags).expect("each flag alone is right"))
            .await
            .expect_err("twice");
        assert!(error.to_string().contains("twice"), "{error}");
    }
}

#[test]
fn flags_reach_the_plan() {
    let words = "--limit 100/s,6000/min --user-limit 5/s --user-limit 50/min --window sliding \
                 --count-refused --per project --burst 7 --retry-after 2 --retry-after-date --search-per-minute \
                 --fault 500=0.01 --fault hang=0.001 --latency 20ms";
    let words: Vec<_> = words.split_whitespace().collect();
    let settings = args(&words).unwrap().settings().unwrap();
    let limits = |texts: [&str; 2]| texts.map(|text| text.parse().unwrap()).to_vec();
    let expected = Limits {
        limits: limits(["100/s", "6000/min"]),
        user_limits: limits(["5/s", "50/min"]),
        search: "150/min".parse().ok(),
        window: Window::Sliding,
        scope: Scope::Project,
        burst: 7,
        count_refused: true,
    };
    let plan = settings.plan;
    assert_eq!(plan.limit.limits(), Ok(expected));
    assert_eq!((plan.retry_after, plan.retry_after_date), (Some(2), true));
    let faults: Vec<_> = plan.rates.into_iter().collect();
    assert_eq!(faults, [("500".into(), 0.01), ("hang".into(), 0.001)]);
    assert_eq!(settings.latency, Duration::from_millis(20));

    let plain = args(&[]).unwrap().settings().unwrap().plan;
    assert_eq!(plain.limit.limits(), Ok(Limits::default()));
}

#[test]
fn the_examples_of_the_readme_are_right() {
    let readme = include_str!("../../../README.md");
    let quoted = readme.split('`').skip(1).step_by(2);
    let mut checked = 0;
    for flags in quoted.filter_map(|code| code.strip_prefix("revoker sandbox ")) {
        let args = args(&flags.split(' ').collect::<Vec<_>>()).unwrap();
        args.settings().unwrap().plan.limit.limits().unwrap();
        checked += 1;
    }
    assert_eq!(checked, 1, "the number of examples");
}

/// What the help says can be typed in: flags that are right, plans and seeds that can be read.
#[test]
fn the_examples_of_the_help_are_right() {
    /// Longer lines are broken where the terminal ends, in the middle of a command.
    const LINE_CHARS_MAX: usize = 100;
    let command = Cli::command();
    let examples = command
        .get_after_long_help()
        .expect("the help has examples");
    let examples = examples.to_string();
    let mut checked = [0; 3];
    for line in examples.lines() {
        assert!(line.chars().count() <= LINE_CHARS_MAX, "too long: {line}");
        if let Some(flags) = line.trim().strip_prefix("revoker sandbox ") {
            let args = args(&flags.split(' ').collect::<Vec<_>>()).unwrap();
            args.settings().unwrap().plan.limit.limits().unwrap();
            checked[0] += 1;
        }
    }
    for curl in examples
        .split("    curl ")
        .filter(|curl| curl.contains("-d '"))
    {
        let (_, body) = curl.split_once("-d '").expect("it has a body");
        let (body, _) = body.split_once('\'').expect("a body ends");
        if curl.contains("/sandbox/faults") {
            let plan: Plan = serde_json::from_str(body).unwrap();
            plan.limit.limits().unwrap();
            checked[1] += 1;
        } else {
            assert!(curl.contains("/sandbox/seed"), "{curl}");
            serde_json::from_str::<Seed>(body).unwrap();
            checked[2] += 1;
        }
    }
    assert_eq!(checked, [2, 3, 1], "the number of examples of each kind");
}
