//! What `REVOKER_LOG` may be: one rule, for the settings that check it and the log that keeps it.

use revoker::{config::RunArgs, telemetry::logs};
use tracing::Level;
use tracing_subscriber::filter::Targets;

/// Rounds of random values.
const ROUNDS: u64 = 5000;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
const TARGETS: [&str; 7] = [
    "lapin",
    "revoker",
    "revoker::gate",
    "revoker::gate::rate",
    "h2",
    "info",
    "::_9",
];
/// What the library's own parser takes for a level, a field or a target, and we do not.
const STRANGE: [&str; 12] = [
    "", " ", "=", "INFO", "3", "ifno", "[", "[{x}]", "a-b", "info ", "é", "\u{1b}",
];

/// Whether the settings accept it.
fn config_accepts(log: &str) -> bool {
    let variables = [
        ("REVOKER_AMQP_URL", "amqp://localhost"),
        (
            "REVOKER_STYTCH_PROJECT_ID",
            "project-test-11111111-1111-4111-8111-111111111111",
        ),
        ("REVOKER_STYTCH_SECRET", "secret-test-1"),
        ("REVOKER_LOG", log),
    ];
    match RunArgs::from_variables(&variables).settings() {
        Ok(settings) => {
            assert_eq!(settings.telemetry.log, log, "kept as it was checked");
            true
        }
        Err(problems) => {
            let only_log = problems.0.iter().all(|p| p.variable == "REVOKER_LOG");
            assert!(only_log, "{problems}");
            false
        }
    }
}

/// Both say the same of this value.
fn check(log: &str, accepted: bool) {
    assert_eq!(config_accepts(log), accepted, "config: {log:?}");
    assert_eq!(logs::filter(log).is_ok(), accepted, "telemetry: {log:?}");
}

#[test]
fn config_and_telemetry_accept_the_same() {
    for log in [
        "off",
        "info",
        "info,debug",
        "info,lapin=warn",
        "lapin=off",
        "a=info,a=debug",
        "revoker::gate=trace,off",
        "info=debug",
        "_:=error",
    ] {
        check(log, true);
    }
    for log in [
        ",",
        "info,",
        ",info",
        "Info",
        "3",
        "lapin",
        "lapin=",
        "=info",
        "==",
        "lapin=info=debug",
        "lapin=loud",
        "lapin =info",
        "lapin= info",
        "info, lapin=warn",
        "info;lapin=warn",
        "lapin[{id}]=info",
        "a-b=info",
        "é=info",
    ] {
        check(log, false);
    }
}

fn pick<'a>(rng: &mut fastrand::Rng, words: &[&'a str]) -> &'a str {
    words[rng.usize(..words.len())]
}

fn right_part(rng: &mut fastrand::Rng) -> String {
    let level = pick(rng, &LEVELS);
    if rng.bool() {
        return level.to_owned();
    }
    format!("{}={level}", pick(rng, &TARGETS))
}

#[test]
fn random_right_values_are_accepted_and_mean_what_the_library_says() {
    for seed in 0..ROUNDS {
        let mut rng = fastrand::Rng::with_seed(seed);
        let parts: Vec<_> = (0..rng.usize(1..5)).map(|_| right_part(&mut rng)).collect();
        let log = parts.join(",");
        check(&log, true);

        let ours = logs::filter(&log).unwrap();
        let whole = format!("info,h2=warn,hyper=warn,hyper_util=warn,lapin=off,reqwest=warn,{log}");
        let library: Targets = whole.parse().unwrap();
        for target in TARGETS.iter().chain(&["hyper::client", "other"]) {
            for level in [
                Level::ERROR,
                Level::WARN,
                Level::INFO,
                Level::DEBUG,
                Level::TRACE,
            ] {
                let enabled = ours.would_enable(target, &level);
                let expected = library.would_enable(target, &level);
                assert_eq!(enabled, expected, "{log}: {level} of {target}");
            }
        }
    }
}

#[test]
fn both_say_the_same_of_random_wrong_values() {
    let mut refused = 0;
    for seed in 0..ROUNDS {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut log = right_part(&mut rng);
        for _ in 0..rng.usize(1..4) {
            let words = [&LEVELS[..], &TARGETS, &STRANGE, &[",", "=", ","]][rng.usize(..4)];
            let word = pick(&mut rng, words);
            let place = rng.usize(..=log.len());
            if log.is_char_boundary(place) {
                log.insert_str(place, word);
            }
        }
        // White space around a whole value is taken away before either looks at it.
        let log = log.trim();
        let accepted = logs::filter(log).is_ok();
        check(log, accepted);
        refused += u64::from(!accepted);
    }
    assert!((ROUNDS / 2..ROUNDS).contains(&refused), "{refused}");
}
