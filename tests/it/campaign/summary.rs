//! Tests of the summary: its text, and that it never claims more than the evidence.
//!
//! `UPDATE_SUMMARY=1 cargo test --test it -- summary` writes the page anew.

use std::{fs, path::Path};

use revoker::campaign::{
    evidence::{Footer, Gap},
    outcome::Done,
    summary::{Beside, List, page, percent, short},
};
use serde_json::json;

use super::given::{at, campaign, evidence, manifest, outcome};

#[test]
fn the_page() {
    let mut asked = manifest(1, &[1, 2, 3, 4]);
    asked.drill = true;
    let outcomes = [
        outcome(1, json!({"sessions_newer": 1})),
        outcome(
            2,
            json!({"outcome": "already_gone", "code": "user_not_found"}),
        ),
        outcome(
            3,
            json!({"outcome": "dead_lettered", "attempts": 6, "sessions": null}),
        ),
        outcome(3, json!({"publisher": "forger"})),
    ];
    let (_, mut header, footer) = evidence(&campaign(&[asked]), &outcomes);
    header.by = "bob|<b>\u{1b}[2J".into();
    let beside = Beside {
        chain_end: "00ff".into(),
        signed_by: Some("SHA256:abc".into()),
        not_anchored: Some("the broker refused us".into()),
        list: Some(List {
            targets: 4,
            part: Some(1),
            missing: 2,
            strangers: 0,
        }),
    };
    let found = format!(
        "{}\n----\n{}",
        page(&header, &footer, &beside),
        short(&header, &footer, &beside)
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/campaign/summary.txt");
    if std::env::var_os("UPDATE_SUMMARY").is_some() {
        fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(path).unwrap());
    assert!(
        !found
            .to_lowercase()
            .replace("nobody was logged out", "")
            .contains("logged out")
    );
}

fn footer(expected: u64, proven: u64, complete: bool) -> Footer {
    let (_, _, footer) = evidence(&campaign(&[manifest(1, &[1])]), &[]);
    Footer {
        expected,
        proven,
        complete,
        ..footer
    }
}

#[test]
fn only_all_is_a_hundred_percent() {
    let check = |expected, proven, complete, shown: &str| {
        assert_eq!(
            percent(&footer(expected, proven, complete)),
            shown,
            "{proven} of {expected}"
        );
    };
    check(3, 3, true, "100 %");
    check(0, 0, true, "100 %");
    check(1_000_000, 999_999, false, "99.99 %");
    check(u64::MAX, u64::MAX - 1, false, "99.99 %");
    // As many as expected, but a stranger among them; or more.
    check(3, 3, false, "99.99 %");
    check(3, 4, false, "99.99 %");
    check(3, 2, false, "66.66 %");
    check(10_000, 1, false, "0.01 %");
    check(100_000, 1, false, "0.00 %");
    check(0, 0, false, "0.00 %");
}

#[test]
fn what_is_wrong_is_said_with_a_remedy() {
    let (_, mut header, footer) = evidence(&campaign(&[manifest(1, &[1])]), &[]);
    header.parts[0].published_all = false;
    let mut footer = Footer {
        strangers: true,
        gap: Some(Gap {
            wanted: 7,
            first: Some(20),
            since: Some(at("2026-11-28T11:00:00Z")),
        }),
        ..footer
    };
    for done in [Done::Failed, Done::Cancelled, Done::Obsolete] {
        footer.events.insert(done.as_str().to_owned(), 5);
    }
    for text in [
        page(&header, &footer, &Beside::default()),
        short(&header, &footer, &Beside::default()),
    ] {
        for part in [
            "incomplete since 2026-11-28T11:00:00Z",
            "events count that the manifests do not have",
            "not published to the end",
            "1 still wait",
            "5 failed",
            "5 were cancelled",
            "5 were obsolete",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
