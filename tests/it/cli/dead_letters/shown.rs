//! What is shown of letters: groups, lines, and where a replay would send each.

use jiff::SignedDuration;
use revoker::{
    broker::topology::Names,
    cli::dead_letters::{
        group::Groups,
        list::{line, object},
        replay::Plan,
    },
    event::Lane,
    settle::letter::{Found, Letter},
};

use super::{letter, now};

#[test]
fn groups_tell_how_many_since_when_and_whose() {
    let mut groups = Groups::default();
    let minutes = |minutes| (now() - SignedDuration::from_mins(minutes)).to_string();
    for n in 0..10 {
        let at = minutes(n);
        let publisher = ["a", "b", "c", "d", "\u{1b}[2J"][n as usize % 5];
        groups.add(
            &letter(&[
                ("dead-lettered-at", &at),
                ("publisher", publisher),
                ("campaign-id", "c1"),
            ])
            .1,
        );
    }
    groups.add(&letter(&[("code", "malformed_json"), ("lane", "urgent")]).1);
    groups.add(&Letter::read(&Found::default(), b"", None));
    assert_eq!(groups.letters, 12);
    assert_eq!(groups.codes()["attempts_exhausted"], 10);
    let json = groups.json();
    let first = &json["groups"][0];
    assert_eq!(
        (&first["letters"], &first["campaigns"]["c1"]),
        (&10.into(), &10.into())
    );
    assert_eq!(
        (first["oldest"].as_str(), first["newest"].as_str()),
        (Some(&*minutes(9)), Some(&*minutes(0)))
    );
    assert_eq!(first["comes_back"], false);
    assert_eq!(json["groups"][1]["comes_back"], true);
    let text = groups.text(now());
    assert!(!text.contains('\u{1b}'), "{text}");
    let first: Vec<&str> = text.lines().take(6).map(str::trim).collect();
    assert_eq!(first[0], "10  attempts_exhausted");
    assert_eq!(first[1], "dead for 0s to 9m");
    assert_eq!(first[2], "lanes: bulk 10");
    assert_eq!(first[3], "publishers: [2J 2, a 2, b 2, and 2 more");
    assert_eq!(first[4], "campaigns: c1 10");
    assert!(first[5].starts_with("to do: every attempt"));
    assert!(text.contains("another tool may have put it there"));
}

#[test]
fn a_line_of_any_letter_steers_no_terminal() {
    let (_, odd) = letter(&[("event-id", "a\u{1b}]0;x\u{7}b"), ("target", "t\n2")]);
    let shown = line(&odd);
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert_eq!(
        object(&odd)["event_id"],
        "a\u{1b}]0;x\u{7}b",
        "JSON has its own way"
    );
    let silent = line(&Letter::read(&Found::default(), b"", None));
    assert!(silent.starts_with("-  unknown  -  unknown"), "{silent}");
}

#[test]
fn a_plan_says_where_each_goes_and_what_stays() {
    let mut plan = Plan::default();
    let names = Names::new("r");
    for (headers, times) in [
        (&[("lane", "urgent")][..], 3),
        (&[("code", "malformed_json"), ("campaign-id", "c1")], 2),
        (&[("lane", "fast")], 1),
    ] {
        let (found, letter) = letter(headers);
        (0..times).for_each(|_| plan.add(&letter, &found, false, &names));
    }
    assert_eq!(plan.letters, 5);
    assert_eq!(plan.codes()["malformed_json"], 2);
    let text = plan.text();
    for words in [
        "3  attempts_exhausted  to r.urgent.return\n",
        "2  malformed_json  to r.bulk.return  sure to come back",
        "2  of them of the campaign c1",
        "1  stay: they do not say which lane",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn the_lane_of_a_plan_is_the_letters() {
    for lane in Lane::ALL {
        let (found, letter) = letter(&[("lane", lane.as_str())]);
        assert_eq!(letter.replay(&found, false).unwrap().lane, *lane);
    }
}
