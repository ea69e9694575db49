//! Who may name whom: foreign crates by an allow-list of places, stages by a table of arrows.
//!
//! The tables are the architecture; `lib.rs` draws the same map for people.

use super::source::{Named, Source, paths};

/// Crates (and `std::env`) that only some places may name.
const FOREIGN: &[(&str, &[&str])] = &[
    ("anyhow", &["src/cli/", "src/main.rs"]),
    ("async_rs", &["src/broker/"]),
    ("backoff", &["src/settle/delay.rs"]),
    ("chacha20poly1305", &["src/settle/seal"]),
    // The pretend API's options are words of its command line.
    (
        "clap",
        &[
            "src/cli/",
            "src/config/",
            "src/main.rs",
            "src/revoke/sandbox/",
        ],
    ),
    (
        "http_body_util",
        &["src/revoke/sandbox/", "src/telemetry/admin.rs"],
    ),
    // In config it is `hyper::Uri` alone: it parses, and opens nothing.
    (
        "hyper",
        &[
            "src/config/url.rs",
            "src/revoke/sandbox/",
            "src/telemetry/admin.rs",
        ],
    ),
    (
        "hyper_util",
        &["src/revoke/sandbox/", "src/telemetry/admin.rs"],
    ),
    ("indicatif", &["src/cli/"]),
    ("lapin", &["src/broker/"]),
    ("prometheus", &["src/telemetry/"]),
    // In the command line for a worker's admin port and RabbitMQ's management API, which may need TLS.
    ("reqwest", &["src/cli/http.rs", "src/revoke/client"]),
    ("rustix", &["src/cli/memory.rs", "src/config/parse.rs"]),
    ("rustls", &["src/tls/"]),
    ("ssh_key", &["src/cli/campaign/signature.rs"]),
    // A fail point is no setting: it exists in builds for tests only.
    ("std::env", &["src/config/", "src/failpoint.rs"]),
    ("tracing_subscriber", &["src/telemetry/"]),
];

/// Which stages a stage may name. Not in the table: `cli`, `worker`, `lib.rs` and `main.rs`, which
/// may name all.
const ARROWS: &[(&str, &[&str])] = &[
    ("broker", &["event", "failpoint", "settle", "tls"]),
    ("campaign", &["event"]),
    (
        "config",
        &[
            "broker",
            "event",
            "gate",
            "revoke",
            "settle",
            "shutdown",
            "telemetry",
            "tls",
        ],
    ),
    ("event", &[]),
    ("failpoint", &[]),
    ("gate", &["event", "revoke"]),
    ("revoke", &["event", "tls"]),
    ("settle", &["event", "failpoint", "revoke"]),
    ("shutdown", &[]),
    ("telemetry", &["broker", "event", "revoke", "settle"]),
    ("tls", &[]),
];

/// Every stage.
const STAGES: &[&str] = &[
    "broker",
    "campaign",
    "cli",
    "config",
    "event",
    "failpoint",
    "gate",
    "revoke",
    "settle",
    "shutdown",
    "telemetry",
    "tls",
    "worker",
];

/// The rule for crates.
pub(super) fn foreign_crates(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for name in paths(&file.code).iter().filter(|_| file.is_src()) {
        let whole = name.parts.join("::");
        for (krate, places) in FOREIGN {
            let rest = whole.strip_prefix(krate);
            let names_it = rest.is_some_and(|rest| rest.starts_with("::"))
                || (rest == Some("") && krate.contains("::"));
            if names_it && !places.iter().any(|place| file.path.starts_with(place)) {
                found.push(format!(
                    "{}: {krate} belongs to {}",
                    name.line,
                    places.join(", ")
                ));
            }
        }
    }
    found
}

/// The rule for stages.
pub(super) fn stages(file: &Source) -> Vec<String> {
    let module = module(&file.path);
    let Some((own, may)) = ARROWS
        .iter()
        .find(|(stage, _)| module.first() == Some(stage))
    else {
        return vec![];
    };
    let mut found = Vec::new();
    for name in paths(&file.code) {
        let Some(stage) = stage(&name, &module) else {
            continue;
        };
        if stage != *own && STAGES.contains(&stage.as_str()) && !may.contains(&stage.as_str()) {
            found.push(format!("{}: {own} may not name {stage}", name.line));
        }
    }
    found
}

/// The stage that a path leads to, if it leads through this crate.
fn stage(name: &Named, module: &[&str]) -> Option<String> {
    let parts: Vec<&str> = name.parts.iter().map(String::as_str).collect();
    let ups = parts.iter().take_while(|p| **p == "super").count();
    let absolute: Vec<&str> = match parts.first()? {
        &"crate" | &"revoker" => parts[1..].to_vec(),
        &"super" if ups <= module.len() => [&module[..module.len() - ups], &parts[ups..]].concat(),
        _ => return None,
    };
    absolute.first().map(|stage| (*stage).to_owned())
}

/// The module path of a file: `src/gate/rate.rs` is `[gate, rate]`; empty outside `src`.
fn module(path: &str) -> Vec<&str> {
    let Some(path) = path
        .strip_prefix("src/")
        .and_then(|p| p.strip_suffix(".rs"))
    else {
        return vec![];
    };
    path.split('/').filter(|part| *part != "mod").collect()
}

#[test]
fn the_crate_rule_sees() {
    use super::check;
    let all = "use lapin::Channel;\nuse std::{env, fmt};\nlet c = reqwest::Client::new();\n\
               use hyper::{body::Bytes, header};\n";
    check(foreign_crates, "src/worker.rs", all, &[1, 2, 3, 4, 4]);
    check(foreign_crates, "src/broker/connect.rs", all, &[2, 3, 4, 4]);
    check(foreign_crates, "src/config/mod.rs", all, &[1, 3, 4, 4]);
    check(foreign_crates, "src/revoke/client.rs", all, &[1, 2, 4, 4]);
    check(foreign_crates, "src/telemetry/admin.rs", all, &[1, 2, 3]);
    check(foreign_crates, "tests/live/main.rs", all, &[]);
    let good = "// lapin::Channel\nlet s = \"lapin::Channel\";\nlet backoff = env!(\"X\");\nuse crate::lapin::X;\n";
    check(foreign_crates, "src/worker.rs", good, &[]);
}

#[test]
fn the_stage_rule_sees() {
    use super::check;
    let all = "use crate::{closed_set, settle::Outbox};\nfn a() -> crate::broker::B {}\n\
               use crate::{event::Lane,\n  telemetry::Metrics};\n";
    check(stages, "src/event/mod.rs", all, &[1, 2, 4]);
    check(stages, "src/gate/rate.rs", all, &[1, 2, 4]);
    check(stages, "src/broker/publish.rs", all, &[4]);
    check(stages, "src/shutdown.rs", all, &[1, 2, 3, 4]);
    check(stages, "src/worker.rs", all, &[]);
    check(stages, "src/cli/run.rs", all, &[]);
    // Up and over counts as well; up within the own stage does not.
    check(
        stages,
        "src/gate/rate.rs",
        "use super::super::settle::Code;\nuse super::wait;\n",
        &[1],
    );
    check(
        stages,
        "src/gate/mod.rs",
        "use super::settle::Code;\n",
        &[1],
    );
}
