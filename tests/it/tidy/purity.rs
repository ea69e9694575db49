//! Decisions are pure: the files listed here take `now`, randomness and limits as arguments.
//!
//! What they may not name: `async`, a clock, a source of randomness, the metrics. Tests inside such
//! a file may.

use super::source::{Named, Source, paths};

/// Files and folders of pure code; those that do not exist yet are simply not met.
const PURE: &[&str] = &[
    "src/broker/acks.rs",
    "src/broker/headers.rs",
    "src/broker/route.rs",
    "src/broker/sieve.rs",
    "src/campaign/",
    "src/event/",
    "src/gate/",
    "src/revoke/fanout.rs",
    "src/revoke/meaning.rs",
    "src/revoke/outcome.rs",
    "src/revoke/rules.rs",
    "src/revoke/users.rs",
    "src/revoke/wire.rs",
    "src/settle/code.rs",
    "src/settle/delay.rs",
    "src/settle/letter",
    "src/settle/outcome.rs",
    "src/settle/report.rs",
    "src/settle/verdict.rs",
];
/// What lies under them and is not pure: where the gate waits.
const IMPURE: &[&str] = &[
    "src/gate/flights.rs",
    "src/gate/outlook.rs",
    "src/gate/wait.rs",
];

/// What a path must not name, and why.
fn impurity(name: &Named) -> Option<&'static str> {
    let parts: Vec<&str> = name.parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["async"] | ["await"] => Some("a decision does not wait"),
        [.., "Instant" | "Timestamp" | "Zoned", "now"] => Some("now comes in as an argument"),
        _ if parts.contains(&"SystemTime") => Some("now comes in as an argument"),
        ["fastrand", function] if function.starts_with(char::is_lowercase) => {
            Some("the rng comes in as an argument")
        }
        [.., "Rng", "new"] | ["getrandom", ..] | [.., "Uuid", "new_v4"] => {
            Some("the rng comes in as an argument")
        }
        [.., "Metrics"] | [.., "Metrics", _] => Some("facts go out, worker.rs records them"),
        ["tracing", ..] => Some("facts go out, worker.rs logs them"),
        _ => None,
    }
}

/// The rule.
pub(super) fn purity(file: &Source) -> Vec<String> {
    let pure = PURE.iter().any(|p| file.path.starts_with(p));
    if !pure || IMPURE.contains(&file.path.as_str()) {
        return vec![];
    }
    let complaint = |name: &Named| {
        let why = impurity(name)?;
        Some(format!("{}: {}: {why}", name.line, name.parts.join("::")))
    };
    paths(&file.shipped())
        .iter()
        .filter_map(complaint)
        .collect()
}

#[test]
fn the_purity_rule_sees() {
    use super::check;
    let bad = "async fn a() { b.await }\nlet t = std::time::Instant::now();\nlet t = Timestamp::now();\n\
               use std::time::SystemTime;\nfastrand::f64();\nlet r = fastrand::Rng::new();\n\
               fn m(m: &Metrics) {}\ntracing::info!(\"x\");\n";
    for path in [
        "src/event/decode.rs",
        "src/gate/rate.rs",
        "src/settle/delay.rs",
    ] {
        check(purity, path, bad, &[1, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
    check(purity, "src/gate/wait.rs", bad, &[]);
    check(purity, "src/worker.rs", bad, &[]);
    let good = "// async Instant::now\nfn a(now: Timestamp, rng: &mut fastrand::Rng) { rng.f64(); }\n\
                #[cfg(test)]\nmod t { fn b() { Timestamp::now(); } }\n";
    check(purity, "src/event/decode.rs", good, &[]);
}
