//! `revoker explain` and `revoker policy`: every word of the code is explained, and told as it is done.

use std::collections::BTreeSet;

use revoker::{
    cli::{explain, policy},
    revoke::{
        Class,
        outcome::{ApiCode, classify},
        rules::{RULES, Types},
    },
    settle::code::Code,
    telemetry::labels::dead_letter_codes,
};
use serde_json::Value;

use super::revoker;

/// Runs `revoker explain WORD --json`: exit code, meanings, standard error.
fn explained(word: &str) -> (i32, Vec<Value>, String) {
    let (code, out, err) = revoker(&["explain", word, "--json"], &[], "");
    let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    (code, lines.collect(), err)
}

/// A meaning that must be told: its kind, a part of it and what that holds.
type Told = (&'static str, &'static str, &'static str);

const WORDS: &[(&str, &[Told])] = &[
    (
        "user_not_found",
        &[("an answer of Stytch's", "class", "already gone")],
    ),
    (
        "User_Not_Found ",
        &[("an answer of Stytch's", "http", "any")],
    ),
    (
        "attempts_exhausted",
        &[(
            "a dead-letter code",
            "means",
            "every attempt and every delay is used up",
        )],
    ),
    (
        "bad_format",
        &[(
            "a dead-letter code",
            "do",
            "mend its publisher and publish it again",
        )],
    ),
    (
        "seal_key_unknown",
        &[("a dead-letter code", "do", "put the key back and replay it")],
    ),
    (
        "bad_request",
        &[
            ("an answer of Stytch's", "http", "4xx"),
            ("a dead-letter code", "means", "the request is malformed"),
        ],
    ),
    (
        "jwt_invalid_audience",
        &[("an answer of Stytch's", "code", "jwt_invalid")],
    ),
    (
        "jwt_invalid",
        &[
            ("an answer of Stytch's", "error_type", "jwt_invalid_*"),
            ("a dead-letter code", "do", "revoker-request-id"),
        ],
    ),
    (
        "api_other",
        &[
            ("an answer of Stytch's", "class", "permanent"),
            ("a dead-letter code", "means", "does not know"),
        ],
    ),
    (
        "use_https",
        &[("an answer of Stytch's", "do", "REVOKER_STYTCH_BASE_URL")],
    ),
    ("429", &[("an HTTP status", "class", "rate limited")]),
    (
        "400",
        &[
            ("an HTTP status", "class", "permanent"),
            ("an HTTP status", "class", "retryable"),
        ],
    ),
    ("200", &[("an HTTP status", "class", "revoked")]),
    ("503", &[("an HTTP status", "class", "retryable")]),
    (
        "secret_refused",
        &[("a reason of a worker's state", "state", "credentials")],
    ),
    (
        "audit",
        &[
            (
                "a reason of a worker's state",
                "reason",
                "outcomes_unrecorded",
            ),
            ("a reason of a worker's state", "reason", "orders_unread"),
        ],
    ),
];

#[test]
fn words_are_explained_by_what_is_done() {
    for (word, wanted) in WORDS {
        let (code, meanings, err) = explained(word);
        assert_eq!((code, err.as_str()), (0, ""), "{word}");
        assert_eq!(meanings.len(), wanted.len(), "{word}: {meanings:#?}");
        for (meaning, (kind, about, said)) in meanings.iter().zip(*wanted) {
            assert_eq!(meaning["kind"], *kind, "{word}");
            let found = meaning[*about].as_str().unwrap_or_default();
            assert!(found.contains(said), "{word}: {meaning:#}");
        }
    }
}

#[test]
fn what_nobody_knows_is_said_and_the_nearest_named() {
    let rows = [
        ("user_not_fond", "did you mean user_not_found?"),
        ("attempt_exhausted", "did you mean attempts_exhausted?"),
        ("bad-format", "that is no word"),
        ("qqqq", "see revoker explain api_other"),
        ("99", "99 is not known"),
        ("", "that is no word"),
    ];
    for (word, wanted) in rows {
        let (code, meanings, err) = explained(word);
        assert_eq!((code, meanings.len()), (1, 0), "{word}");
        assert!(err.contains(wanted), "{word}: {err}");
    }
    // What may be a credential, pasted by mistake, is not shown again.
    let token = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q-";
    let (code, _, err) = explained(token);
    assert!(
        code == 1 && !err.to_lowercase().contains("mzayn5a"),
        "{err}"
    );
}

#[test]
fn every_word_of_the_code_is_explained() {
    for word in explain::known() {
        let meanings = explain::meanings(word);
        assert!(!meanings.is_empty(), "{word}");
        let texts = meanings.iter().flat_map(|meaning| &meaning.says);
        for (about, said) in texts {
            assert!(!said.is_empty(), "{word}: {about}");
        }
    }
    for code in dead_letter_codes() {
        let meanings = explain::meanings(code.as_str());
        let has = meanings.iter().any(|m| m.kind == "a dead-letter code");
        assert!(has, "{code:?}");
    }
    let own: BTreeSet<_> = Code::all().map(Code::meaning).collect();
    assert!(
        own.len() > Code::all().count() - 4,
        "codes share a text: {own:#?}"
    );
}

/// The first row that fits is what `classify` says, of rows that can be read back.
#[test]
fn the_policy_is_what_classify_does() {
    let rows = policy::rows();
    let (first, last) = (&rows[0], &rows[rows.len() - 2..]);
    assert_eq!(
        (first.http.as_str(), &first.class),
        ("200", &Class::Revoked)
    );
    assert!(last.iter().all(|row| row.class.name() == "retryable"));
    assert_eq!(rows.len(), RULES.len() + 3);
    for (rule, row) in RULES.iter().zip(&rows[1..]) {
        let status = rule.statuses.0.max(400);
        let word = match rule.types {
            Types::One(word) => Some(word.to_owned()),
            Types::Family(start) => Some(format!("{start}of_next_year")),
            Types::Some => Some("of_next_year".to_owned()),
            Types::Any => None,
        };
        let status = if rule.statuses.1 < 400 { 302 } else { status };
        assert_eq!(classify(status, word.as_deref()), row.class, "{row:?}");
        let shown = row.error_type.trim_end_matches('*');
        let is_general = matches!(rule.types, Types::Some | Types::Any);
        assert!(is_general || word.unwrap().starts_with(shown), "{row:?}");
    }
    for code in ApiCode::ALL {
        let named = |row: &&policy::Row| policy::code(&row.class) == Some(code.as_str());
        assert!(rows.iter().any(|row| named(&row)), "{code:?}");
    }
}

#[test]
fn the_policy_is_printed_for_people_and_for_programs() {
    let (code, text, _) = revoker(&["policy"], &[], "");
    assert_eq!(code, 0);
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    let cells = |line: &str| {
        let cells = line.split("  ").map(str::trim).filter(|c| !c.is_empty());
        cells.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        cells(line("4xx            any other")),
        ["4xx", "any other", "permanent", "api_other"]
    );
    assert_eq!(cells(line("200")), ["200", "-", "revoked", "-"]);
    assert!(line("  already gone").contains("outcome already_gone"));
    let (code, json, _) = revoker(&["policy", "--json"], &[], "");
    assert_eq!(code, 0);
    let objects: Vec<Value> = json
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(objects.len(), policy::rows().len());
    assert!(
        objects
            .iter()
            .all(|row| row["worker"].is_string() && row["class"].is_string())
    );
}
