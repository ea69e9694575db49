//! The line alone: lanes, slots and holds, with names for waiters and no clock but a number.

use std::time::Duration;

use revoker::{
    event::Lane::{Bulk, Urgent},
    gate::{
        News, Way,
        breaker::{CanaryAnswer, FAILURES_TO_PROBE},
        line::{Line, Next},
    },
};

use super::settings;

/// Whatever the pace, everybody may go by then.
const MUCH_LATER: Duration = Duration::from_secs(1000);

/// Who goes one after the other, without any answer; the time passes as the line wants it.
fn all_who_go(line: &mut Line<&'static str>, mut now: Duration) -> Vec<&'static str> {
    let mut went = Vec::new();
    loop {
        match line.next(now, |_| false) {
            Next::Go(who, ..) => went.push(who),
            Next::At(at) => now = now.max(at),
            Next::OnChange | Next::Closed => return went,
        }
    }
}

#[test]
fn urgent_goes_first_then_in_order_and_who_was_sent_back_before_all() {
    let mut line = Line::new(&settings(10, 0));
    line.join(Bulk, Way::Revoke, false, "bulk 1");
    line.join(Bulk, Way::Revoke, false, "bulk 2");
    line.join(Urgent, Way::Revoke, false, "urgent 1");
    line.join(Urgent, Way::Revoke, false, "urgent 2");
    line.join(Bulk, Way::Revoke, true, "bulk 0");
    line.join(Urgent, Way::Revoke, true, "urgent 0");
    let wanted = [
        "urgent 0", "urgent 1", "urgent 2", "bulk 0", "bulk 1", "bulk 2",
    ];
    assert_eq!(all_who_go(&mut line, Duration::ZERO), wanted);
}

#[test]
fn bulk_leaves_some_slots_to_urgent() {
    let mut line = Line::new(&settings(3, 1));
    for name in ["bulk 1", "bulk 2", "bulk 3"] {
        line.join(Bulk, Way::Revoke, false, name);
    }
    assert_eq!(all_who_go(&mut line, Duration::ZERO), ["bulk 1", "bulk 2"]);
    line.join(Urgent, Way::Revoke, false, "urgent 1");
    line.join(Urgent, Way::Revoke, false, "urgent 2");
    assert_eq!(all_who_go(&mut line, MUCH_LATER), ["urgent 1"]);
    assert!(line.is_anyone_waiting());
}

#[test]
fn slots_are_shared_by_all_ways() {
    let mut line = Line::new(&settings(2, 0));
    line.join(Urgent, Way::List, false, "list 1");
    line.join(Urgent, Way::List, false, "list 2");
    line.join(Urgent, Way::Revoke, false, "revoke 1");
    assert_eq!(all_who_go(&mut line, Duration::ZERO).len(), 2);
}

#[test]
fn each_end_of_a_call_frees_one_slot() {
    let mut line: Line<()> = Line::new(&settings(1, 0));
    let mut now = Duration::ZERO;
    let ends = [
        None,
        Some(News::Answered),
        Some(News::Failed),
        Some(News::Limited(None)),
    ];
    for end in ends.into_iter().cycle().take(12) {
        // As it does between a worker's calls; otherwise failures would end in a pause.
        now += MUCH_LATER;
        let ticket = line
            .ask(Urgent, Way::Revoke, now)
            .expect("the slot is free");
        assert_eq!(
            line.ask(Urgent, Way::Revoke, now),
            None,
            "there is one slot"
        );
        match end {
            None => line.abandon(Way::Revoke, ticket),
            Some(news) => drop(line.report(Way::Revoke, ticket, news, now, 0.5)),
        }
    }
}

#[test]
fn nobody_is_overtaken_by_one_who_asks() {
    let mut line = Line::new(&settings(1, 0));
    let now = Duration::ZERO;
    let ticket = line.ask(Bulk, Way::Revoke, now).unwrap();
    line.join(Bulk, Way::Revoke, false, "bulk 1");
    line.report(Way::Revoke, ticket, News::Answered, now, 0.5);
    assert_eq!(line.ask(Bulk, Way::Revoke, MUCH_LATER), None);
    let urgent = line.ask(Urgent, Way::Revoke, MUCH_LATER);
    assert!(urgent.is_some(), "but urgent goes before bulk");
}

#[test]
fn who_gave_up_is_passed_over() {
    let mut line = Line::new(&settings(10, 0));
    for name in ["gone", "here", "gone", "gone", "there"] {
        line.join(Bulk, Way::Revoke, false, name);
    }
    let mut went = Vec::new();
    while let Next::Go(who, ..) = line.next(MUCH_LATER * (1 + went.len() as u32), |w| *w == "gone")
    {
        went.push(who);
    }
    assert_eq!(went, ["here", "there"]);
    assert!(!line.is_anyone_waiting());
}

#[test]
fn a_429_holds_its_way_alone() {
    let wait = Duration::from_secs(60);
    let mut line = Line::new(&settings(10, 0));
    let ticket = line.ask(Bulk, Way::Revoke, Duration::ZERO).unwrap();
    let news = News::Limited(Some(wait));
    let standing = line.report(Way::Revoke, ticket, news, Duration::ZERO, 0.5);
    assert!(standing.counts && standing.hold.unwrap() >= wait);
    assert!(line.view().limited);
    line.join(Bulk, Way::Revoke, false, "revoke");
    line.join(Bulk, Way::List, false, "list");
    assert!(matches!(
        line.next(MUCH_LATER / 1000, |_| false),
        Next::Go("list", ..)
    ));
    let Next::At(at) = line.next(MUCH_LATER / 1000, |_| false) else {
        panic!("a hold ends by itself");
    };
    assert!((wait..wait * 11 / 10).contains(&at), "{at:?}");
    assert!(matches!(line.next(at, |_| false), Next::Go("revoke", ..)));
}

#[test]
fn a_pause_holds_every_way_and_lane_until_a_canary_lives() {
    let mut line = Line::new(&settings(10, 2));
    let mut now = Duration::ZERO;
    for _ in 0..FAILURES_TO_PROBE {
        now += MUCH_LATER;
        let ticket = line.ask(Urgent, Way::Revoke, now).unwrap();
        assert!(
            line.report(Way::Revoke, ticket, News::Failed, now, 0.5)
                .counts
        );
    }
    assert_eq!(line.canary(now), Some(Duration::ZERO), "due at once");
    assert_eq!(line.canary(now), None, "and then on the wire");
    line.join(Urgent, Way::List, false, "list");
    line.join(Urgent, Way::Revoke, false, "revoke");
    assert_eq!(line.next(now + MUCH_LATER, |_| false), Next::OnChange);
    line.canary_answered(CanaryAnswer::NotAnswered, now, 0.5);
    assert_eq!(line.next(now + MUCH_LATER, |_| false), Next::OnChange);
    assert_eq!(line.outages(), 1);
    line.canary_answered(CanaryAnswer::Alive, now, 0.5);
    assert_eq!(all_who_go(&mut line, now + MUCH_LATER).len(), 2);
}

#[test]
fn closing_sends_everybody_away() {
    let mut line = Line::new(&settings(0, 0));
    line.join(Bulk, Way::List, false, "bulk");
    line.join(Urgent, Way::Revoke, false, "urgent");
    let mut away = line.close();
    away.sort_unstable();
    assert_eq!(away, ["bulk", "urgent"]);
    assert!(line.is_closed() && !line.is_anyone_waiting());
    assert_eq!(line.next(MUCH_LATER, |_| false), Next::Closed);
}
