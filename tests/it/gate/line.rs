//! The line alone: lanes, slots and holds, with names for waiters and no clock but a number.

use std::time::Duration;

use revoker::{
    event::Lane::{self, Bulk, Urgent},
    gate::{
        Canary, Moment, News, Place, Reached, Standing, Suspicion, Way,
        breaker::FAILURES_TO_PROBE,
        canary::Due,
        line::{Line, Next},
        rate::Ticket,
    },
};

use super::settings;

/// Whatever the pace, everybody may go by then.
const MUCH_LATER: Duration = Duration::from_secs(1000);
/// A call without an answer.
const FAILED: News = News::Failed(Reached::Unknown);

fn moment(now: Duration) -> Moment {
    Moment {
        now,
        second_of_minute: 0.0,
    }
}

/// Joins as a message that has had no 429 yet.
fn join<W>(line: &mut Line<W>, lane: Lane, way: Way, place: Place, waiter: W) {
    line.join(lane, way, place, &Suspicion::default(), waiter);
}

/// Reports a revoke of a message that has had no 429 yet.
fn report<W>(line: &mut Line<W>, ticket: Ticket, news: News, now: Duration) -> Standing {
    let (mut suspicion, mut rng) = (Suspicion::default(), fastrand::Rng::with_seed(1));
    line.report(
        Way::Revoke,
        ticket,
        news,
        &mut suspicion,
        moment(now),
        &mut rng,
    )
}

fn answered<W>(line: &mut Line<W>, news: News, now: Duration) {
    let mut rng = fastrand::Rng::with_seed(1);
    line.canary_answered(Canary::Life, news, moment(now), &mut rng);
}

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
    join(&mut line, Bulk, Way::Revoke, Place::New, "bulk 1");
    join(&mut line, Bulk, Way::Revoke, Place::New, "bulk 2");
    join(&mut line, Urgent, Way::Revoke, Place::New, "urgent 1");
    join(&mut line, Urgent, Way::Revoke, Place::New, "urgent 2");
    join(&mut line, Bulk, Way::Revoke, Place::Front, "bulk 0");
    join(&mut line, Urgent, Way::Revoke, Place::Front, "urgent 0");
    let wanted = [
        "urgent 0", "urgent 1", "urgent 2", "bulk 0", "bulk 1", "bulk 2",
    ];
    assert_eq!(all_who_go(&mut line, Duration::ZERO), wanted);
}

#[test]
fn bulk_leaves_some_slots_to_urgent() {
    let mut line = Line::new(&settings(3, 1));
    for name in ["bulk 1", "bulk 2", "bulk 3"] {
        join(&mut line, Bulk, Way::Revoke, Place::New, name);
    }
    assert_eq!(all_who_go(&mut line, Duration::ZERO), ["bulk 1", "bulk 2"]);
    join(&mut line, Urgent, Way::Revoke, Place::New, "urgent 1");
    join(&mut line, Urgent, Way::Revoke, Place::New, "urgent 2");
    assert_eq!(all_who_go(&mut line, MUCH_LATER), ["urgent 1"]);
    assert!(line.is_anyone_waiting());
}

#[test]
fn slots_are_shared_by_all_ways() {
    let mut line = Line::new(&settings(2, 0));
    join(&mut line, Urgent, Way::List, Place::New, "list 1");
    join(&mut line, Urgent, Way::List, Place::New, "list 2");
    join(&mut line, Urgent, Way::Revoke, Place::New, "revoke 1");
    assert_eq!(all_who_go(&mut line, Duration::ZERO).len(), 2);
}

#[test]
fn each_end_of_a_call_frees_one_slot() {
    let mut line: Line<()> = Line::new(&settings(1, 0));
    let mut now = Duration::ZERO;
    let ends = [
        None,
        Some(News::Answered),
        Some(FAILED),
        Some(News::Limited(None)),
    ];
    for end in ends.into_iter().cycle().take(12) {
        // As it does between a worker's calls; otherwise failures would end in a pause.
        now += MUCH_LATER;
        let ticket = line
            .ask(Urgent, Way::Revoke, &Suspicion::default(), now)
            .expect("the slot is free");
        assert_eq!(
            line.ask(Urgent, Way::Revoke, &Suspicion::default(), now),
            None,
            "there is one slot"
        );
        match end {
            None => line.abandon(Way::Revoke, ticket, now),
            Some(news) => drop(report(&mut line, ticket, news, now)),
        }
    }
}

#[test]
fn nobody_is_overtaken_by_one_who_asks() {
    let mut line = Line::new(&settings(1, 0));
    let now = Duration::ZERO;
    let ticket = line
        .ask(Bulk, Way::Revoke, &Suspicion::default(), now)
        .unwrap();
    join(&mut line, Bulk, Way::Revoke, Place::New, "bulk 1");
    report(&mut line, ticket, News::Answered, now);
    assert_eq!(
        line.ask(Bulk, Way::Revoke, &Suspicion::default(), MUCH_LATER),
        None
    );
    let urgent = line.ask(Urgent, Way::Revoke, &Suspicion::default(), MUCH_LATER);
    assert!(urgent.is_some(), "but urgent goes before bulk");
}

#[test]
fn who_gave_up_is_passed_over() {
    let mut line = Line::new(&settings(10, 0));
    for name in ["gone", "here", "gone", "gone", "there"] {
        join(&mut line, Bulk, Way::Revoke, Place::New, name);
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
    let ticket = line
        .ask(Bulk, Way::Revoke, &Suspicion::default(), Duration::ZERO)
        .unwrap();
    let news = News::Limited(Some(wait));
    let standing = report(&mut line, ticket, news, Duration::ZERO);
    assert!(!standing.own && standing.hold.unwrap() >= wait);
    assert!(line.view(Duration::ZERO).limited_for.is_some());
    join(&mut line, Bulk, Way::Revoke, Place::New, "revoke");
    join(&mut line, Bulk, Way::List, Place::New, "list");
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
        let ticket = line
            .ask(Urgent, Way::Revoke, &Suspicion::default(), now)
            .unwrap();
        assert!(report(&mut line, ticket, FAILED, now).own);
    }
    assert_eq!(line.canary(now), Due::Now(Canary::Life), "due at once");
    assert_eq!(line.canary(now), Due::OnChange, "and then on the wire");
    join(&mut line, Urgent, Way::List, Place::New, "list");
    join(&mut line, Urgent, Way::Revoke, Place::New, "revoke");
    assert_eq!(line.next(now + MUCH_LATER, |_| false), Next::OnChange);
    answered(&mut line, FAILED, now);
    assert_eq!(line.next(now + MUCH_LATER, |_| false), Next::OnChange);
    assert_eq!(line.outages(), 1);
    answered(&mut line, News::Answered, now);
    assert_eq!(all_who_go(&mut line, now + MUCH_LATER).len(), 2);
}

#[test]
fn closing_sends_everybody_away() {
    let mut line = Line::new(&settings(0, 0));
    join(&mut line, Bulk, Way::List, Place::New, "bulk");
    join(&mut line, Urgent, Way::Revoke, Place::New, "urgent");
    let mut away = line.close();
    away.sort_unstable();
    assert_eq!(away, ["bulk", "urgent"]);
    assert!(line.is_closed() && !line.is_anyone_waiting());
    assert_eq!(line.next(MUCH_LATER, |_| false), Next::Closed);
}
