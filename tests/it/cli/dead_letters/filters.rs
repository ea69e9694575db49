//! Which letters are meant.

use clap::Parser;
use revoker::{
    cli::dead_letters::filter::Filter,
    settle::letter::{Found, Letter},
};

use super::{letter, now};

#[derive(Debug, Parser)]
struct Filtered {
    #[command(flatten)]
    filter: Filter,
}

fn filter(arguments: &str) -> Filter {
    let words = std::iter::once("test").chain(arguments.split_whitespace());
    Filtered::try_parse_from(words).unwrap().filter
}

#[test]
fn filters_must_all_hold() {
    let (_, usual) = letter(&[("campaign-id", "c1")]);
    for (arguments, matches) in [
        ("", true),
        ("--code attempts_exhausted", true),
        ("--code expired", false),
        ("--code expired --code attempts_exhausted", true),
        ("--campaign c1", true),
        ("--campaign c", false),
        ("--publisher accounts", true),
        ("--publisher account", false),
        ("--lane bulk", true),
        ("--lane urgent", false),
        ("--target session", true),
        ("--target user", false),
        ("--event-id e1", true),
        ("--event-id e2", false),
        ("--event-id e2 --event-id e1", true),
        ("--older-than 59m", true),
        ("--older-than 1h", false),
        ("--newer-than 1h", true),
        ("--newer-than 59m", false),
        ("--older-than 30m --newer-than 2h", true),
        ("--older-than 2h --newer-than 3h", false),
        (
            "--lane bulk --publisher accounts --code attempts_exhausted --campaign c1",
            true,
        ),
        (
            "--lane bulk --publisher accounts --code attempts_exhausted --campaign c2",
            false,
        ),
    ] {
        let filter = filter(arguments);
        assert_eq!(filter.matches(&usual, now()), matches, "{arguments}");
        assert_eq!(filter.is_empty(), arguments.is_empty());
        assert_eq!(
            super::filters::filter(&filter.text()).text(),
            filter.text(),
            "{arguments}"
        );
    }
}

#[test]
fn what_says_nothing_matches_no_filter() {
    let silent = Letter::read(&Found::default(), b"", None);
    for (arguments, matches) in [
        ("", true),
        ("--code unknown", true),
        ("--code newer", false),
        ("--campaign c1", false),
        ("--lane bulk", false),
        ("--target user", false),
        ("--event-id e1", false),
        ("--older-than 1s", false),
        ("--newer-than 1000h", false),
    ] {
        assert_eq!(
            filter(arguments).matches(&silent, now()),
            matches,
            "{arguments}"
        );
    }
    let (_, ahead) = letter(&[("dead-lettered-at", "2026-11-28T13:00:00Z")]);
    assert!(
        filter("--newer-than 1s").matches(&ahead, now()),
        "a clock that is ahead"
    );
    assert!(!filter("--older-than 0s").matches(&ahead, now()));
}

#[test]
fn a_wrong_filter_is_told() {
    for (arguments, said) in [
        ("--code attempts_exhaust", "attempts_exhausted"),
        ("--lane fast", "urgent"),
        ("--target jwt", "token"),
        ("--older-than long", "--older-than"),
    ] {
        let words = std::iter::once("test").chain(arguments.split_whitespace());
        let error = Filtered::try_parse_from(words).unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
}
