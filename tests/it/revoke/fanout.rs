//! "Log out everywhere" for one user, told as scripts: what is asked, what is answered, how it ends.

use jiff::{SignedDuration, Timestamp};
use revoker::revoke::{
    Call, Session,
    fanout::{Fanout, IDLE_ROUNDS_MAX, Step},
};

const USER: &str = "user-test-1";

fn cutoff() -> Timestamp {
    "2026-11-22T06:30:00Z".parse().unwrap()
}

/// `a-60` is session `a`, started a minute before the cutoff; `c+0` exactly at it.
fn session(text: &str) -> Session {
    let at = text.find(['-', '+']).expect("a sign divides id and time");
    let seconds: i64 = text[at..].parse().unwrap();
    Session {
        session_id: text[..at].to_owned(),
        started_at: cutoff() + SignedDuration::from_secs(seconds),
    }
}

/// Plays a script, one line each: `list: …` (what the list holds), `list: unknown` (no such user),
/// `revoke ID: revoked` or `gone`, `done`, `remain`.
fn play(keep: Option<&str>, script: &str) -> Fanout {
    let mut fanout = Fanout::new(USER.into(), cutoff(), keep.map(str::to_owned));
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let asked = match (fanout.step(), fanout.step()) {
            (Step::Done, Step::Done) => "done".to_owned(),
            (Step::Remain, Step::Remain) => "remain".to_owned(),
            (Step::Call(Call::ListSessions(user)), Step::Call(Call::ListSessions(again))) => {
                assert_eq!((user.as_str(), again.as_str()), (USER, USER));
                "list".to_owned()
            }
            (Step::Call(Call::RevokeSession(id)), Step::Call(Call::RevokeSession(again))) => {
                assert_eq!(id, again, "the same until it is answered");
                format!("revoke {id}")
            }
            other => panic!("{other:?} at {line:?}"),
        };
        let (wanted, answer) = line
            .split_once(": ")
            .unwrap_or((line.trim_end_matches(':'), ""));
        assert_eq!(asked, wanted, "at {line:?} of {script}");
        match (asked.as_str(), answer) {
            ("done" | "remain", "") => {}
            ("list", "unknown") => fanout.user_unknown(),
            ("list", held) => fanout.listed(held.split_whitespace().map(session).collect()),
            (_, "revoked") => fanout.settled(true),
            (_, "gone") => fanout.settled(false),
            _ => panic!("{line:?} is no line of a script"),
        }
    }
    assert!(
        !matches!(fanout.step(), Step::Call(_)),
        "not at its end: {script}"
    );
    fanout
}

/// Plays a script and compares how many were revoked, how many newer ones live, and the newest's start.
fn check(script: &str, revoked: u32, newer: u32, newest: Option<i64>) -> Fanout {
    let fanout = play(None, script);
    assert_eq!((fanout.revoked, fanout.newer), (revoked, newer), "{script}");
    let newest = newest.map(|seconds| cutoff() + SignedDuration::from_secs(seconds));
    assert_eq!(fanout.newest_started_at, newest, "{script}");
    fanout
}

#[test]
fn old_sessions_are_revoked_until_a_list_holds_none() {
    check("list:\n done", 0, 0, None);
    check("list: a-60\n revoke a: revoked\n list:\n done", 1, 0, None);
    check(
        "list: a-60 b-1\n revoke b: revoked\n revoke a: revoked\n list:\n done",
        2,
        0,
        None,
    );
}

/// The cutoff itself is old: the session that was open when the password was changed must die.
#[test]
fn newer_sessions_are_left_alive_and_counted() {
    check("list: a+1 b+90 c+5\n done", 0, 3, Some(90));
    check(
        "list: a+0 b+1\n revoke a: revoked\n list: b+1\n done",
        1,
        1,
        Some(1),
    );
    // The last list counts: b is signed out by its user meanwhile, c signs in.
    check(
        "list: a-60 b+10\n revoke a: revoked\n list: c+20\n done",
        1,
        1,
        Some(20),
    );
    check(
        "list: a-60 b+10\n revoke a: revoked\n list:\n done",
        1,
        0,
        None,
    );
}

#[test]
fn what_others_revoked_is_not_counted_as_ours() {
    check("list: a-60\n revoke a: gone\n list:\n done", 0, 0, None);
    check(
        "list: a-60 b-60\n revoke b: gone\n revoke a: revoked\n list:\n done",
        1,
        0,
        None,
    );
}

#[test]
fn a_session_found_late_is_revoked_too() {
    check(
        "list: a-60\n revoke a: revoked\n list: b-30\n revoke b: revoked\n list: c-1 d+1\n \
         revoke c: revoked\n list: d+1\n done",
        3,
        1,
        Some(1),
    );
}

#[test]
fn the_session_to_keep_is_kept_and_not_counted() {
    let kept = |script| {
        let fanout = play(Some("here"), script);
        (fanout.revoked, fanout.newer)
    };
    let last = "list: here-60\n done";
    assert_eq!(kept(last), (0, 0));
    let some = "list: here-60 a-60\n revoke a: revoked\n list: here-60\n done";
    assert_eq!(kept(some), (1, 0));
    assert_eq!(kept("list: here+60 a+60\n done"), (0, 1));
}

#[test]
fn an_unknown_user_has_no_sessions() {
    check("list: unknown\n done", 0, 0, None);
    check(
        "list: a-60\n revoke a: revoked\n list: unknown\n done",
        1,
        0,
        None,
    );
}

/// A busy user opens sessions as fast as we find them: as long as we get on, we go on.
#[test]
fn rounds_that_revoke_something_have_no_limit() {
    let mut script = String::new();
    for n in 0..3 * IDLE_ROUNDS_MAX {
        script += &format!("list: s{n}-60\n revoke s{n}: revoked\n");
    }
    check(&(script + "list:\n done"), 3 * IDLE_ROUNDS_MAX, 0, None);
}

/// Listed for ever, gone whenever asked for: after the first round come five that get nowhere.
#[test]
fn sessions_that_are_listed_though_gone_end_the_rounds() {
    let round = "list: a-60\n revoke a: gone\n";
    let idle = round.repeat(5);
    check(&format!("{idle}list: a-60 b+1\n remain"), 0, 1, Some(1));
    check(&format!("{idle}list: b+1\n done"), 0, 1, Some(1));
}

/// Answered "revoked" each time, and still there: the same session is no progress and counted once.
#[test]
fn sessions_that_stay_though_revoked_end_the_rounds() {
    let round = "list: a-60\n revoke a: revoked\n";
    let idle = round.repeat(6);
    check(&format!("{idle}list: a-60\n remain"), 1, 0, None);
    // Another one found meanwhile is progress, but only once.
    let other = "list: a-60 b-60\n revoke b: revoked\n revoke a: revoked\n";
    let idle = round.repeat(4) + other + &round.repeat(2);
    check(&format!("{idle}list: a-60\n remain"), 2, 0, None);
}

/// A list may name a session twice.
#[test]
fn a_session_listed_twice_is_counted_once() {
    let script = "list: a-60 a-60\n revoke a: revoked\n revoke a: revoked\n list:\n done";
    check(script, 1, 0, None);
}

#[test]
fn five_idle_rounds_is_the_documented_limit() {
    assert_eq!(IDLE_ROUNDS_MAX, 5);
}

/// Whoever gives up in the middle is told how many.
#[test]
fn what_is_left_is_known_at_every_step() {
    let mut fanout = Fanout::new(USER.into(), cutoff(), Some("k".into()));
    let list = |text: &str| text.split_whitespace().map(session).collect::<Vec<_>>();
    let mut left = vec![fanout.left];
    fanout.listed(list("a-60 b-1 k-1 c+5"));
    left.push(fanout.left);
    for by_us in [true, false] {
        fanout.settled(by_us);
        left.push(fanout.left);
    }
    fanout.listed(list("a-60"));
    left.push(fanout.left);
    fanout.user_unknown();
    left.push(fanout.left);
    assert_eq!(left, [0, 2, 1, 0, 1, 0]);
}
