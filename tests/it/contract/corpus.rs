//! The corpus and the decoder: each message becomes what its line says, to the letter.

use std::{collections::BTreeSet, fs};

use revoker::event::{Code, cloud::Dialect};

use super::*;

/// Writes down what becomes of the cases that do not say it yet; to be read before it is kept.
fn fill(file: &str) {
    let name = format!("corpus/{file}.ndjson");
    let text = text_of(&name);
    let filled = text.lines().map(|line| {
        let case = Case::read(line);
        let is_told = ["event", "rejected"]
            .iter()
            .any(|end| !case.line[*end].is_null());
        if !is_told {
            let end = decoded(&case).to_string();
            return format!("{}, {}\n", line.strip_suffix('}').unwrap(), &end[1..]);
        }
        format!("{line}\n")
    });
    let filled: String = filled.collect();
    if filled != text {
        fs::write(path(&name), filled).unwrap();
    }
}

#[test]
fn every_message_becomes_what_its_line_says() {
    for (file, end) in [("accepted", "event"), ("rejected", "rejected")] {
        if updates() {
            fill(file);
        }
        for case in cases(file) {
            assert!(!case.line[end].is_null(), "{}: no {end}", case.name);
            let wanted = json!({ end: case.line[end] });
            assert_eq!(decoded(&case), wanted, "{}", case.name);
        }
    }
}

#[test]
fn no_two_cases_are_the_same() {
    let names: BTreeSet<String> = all().into_iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all().len());
    let messages: BTreeSet<String> = all()
        .iter()
        .map(|case| format!("{:?} {:?}", case.body, case.properties))
        .collect();
    assert_eq!(messages.len(), all().len());
}

/// A code that nothing shows is one that a publisher meets unprepared.
#[test]
fn every_code_and_every_dialect_is_shown() {
    let texts: Vec<String> = cases("rejected")
        .iter()
        .map(|case| case.line["rejected"].as_str().unwrap().to_owned())
        .collect();
    for code in Code::ALL {
        // Only lint says the one, and the other is about a message's way.
        let never = matches!(code, Code::TimeInFuture | Code::LaneMismatch);
        let start = format!("{}: ", code.as_str());
        let shown = texts.iter().any(|text| text.starts_with(&start));
        assert!(shown != never, "{}", code.as_str());
    }
    for dialect in [Dialect::Structured, Dialect::Binary] {
        for file in ["accepted", "rejected"] {
            let start = format!("{}: ", dialect.as_str());
            let count = cases(file)
                .iter()
                .filter(|case| case.name.starts_with(&start))
                .count();
            assert!(count >= 10, "{count} of {start}{file}");
        }
    }
}

/// No eight characters of a credential, nor of what stands in a wrong field.
#[test]
fn no_text_gives_a_value_away() {
    const SECRETS: [&str; 2] = [
        "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q",
        "Password reset!",
    ];
    for case in cases("rejected") {
        let text = case.line["rejected"].as_str().unwrap();
        for secret in SECRETS {
            let piece = (0..secret.len() - 7).find(|at| text.contains(&secret[*at..at + 8]));
            assert_eq!(piece, None, "{}: {text}", case.name);
        }
        let rejection =
            revoker::event::decode_message(&case.body, &case.properties, &live(), now());
        let id = rejection.unwrap_err().event_id.unwrap_or_default();
        assert!(!id.contains(SECRETS[0]), "{}", case.name);
    }
}
