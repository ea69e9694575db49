//! The gate as its callers see it, on a paused clock: turns, slots that come back, canaries in time.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use revoker::{
    event::Lane::{self, Bulk, Urgent},
    gate::{
        Canary, Closed, Gate, News, Permit, Place, Reached, Suspicion, Way,
        breaker::{CREDENTIALS_PROBE, FAILURES_TO_PROBE, Pause},
    },
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::settings;

/// Longer than any pace makes a free slot wait.
const A_WHILE: Duration = Duration::from_secs(2);
/// A call without an answer.
const FAILED: News = News::Failed(Reached::Unknown);

/// A gate whose timer runs.
fn gate(slots: usize, slots_urgent_only: usize) -> Arc<Gate> {
    let gate = Gate::new(&settings(slots, slots_urgent_only), || {
        Timestamp::UNIX_EPOCH
    });
    tokio::spawn(Arc::clone(&gate).run());
    gate
}

/// The turn of a message that has had no 429 yet.
async fn turn(gate: &Arc<Gate>, lane: Lane, place: Place) -> Result<Permit, Closed> {
    gate.enter(lane, Way::Revoke, place, &Suspicion::default())
        .await
}

async fn enter(gate: &Arc<Gate>, lane: Lane) -> Option<Permit> {
    let entered = timeout(A_WHILE, turn(gate, lane, Place::New)).await;
    entered.ok().map(|permit| permit.expect("the gate is open"))
}

/// Somebody who waits in a task of its own; true if it got a turn, false if it was sent away.
fn waiter(gate: &Arc<Gate>, lane: Lane) -> JoinHandle<bool> {
    let gate = Arc::clone(gate);
    tokio::spawn(async move { turn(&gate, lane, Place::New).await.is_ok() })
}

/// A gate in an outage that has just begun.
async fn out() -> Arc<Gate> {
    let gate = gate(10, 2);
    for _ in 0..FAILURES_TO_PROBE {
        let permit = enter(&gate, Urgent).await.unwrap();
        gate.report(permit, FAILED, &mut Suspicion::default());
    }
    timeout(A_WHILE, gate.canary_due())
        .await
        .expect("a canary is due at once");
    gate.canary_answered(Canary::Life, FAILED);
    gate
}

#[tokio::test(start_paused = true)]
async fn a_slot_comes_back_with_the_report_and_with_a_dropped_permit() {
    let gate = gate(2, 0);
    for _ in 0..20 {
        let first = enter(&gate, Bulk).await.expect("a slot is free");
        let second = enter(&gate, Bulk).await.expect("another slot is free");
        assert!(enter(&gate, Bulk).await.is_none(), "both are taken");
        gate.report(first, News::Answered, &mut Suspicion::default());
        drop(second);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_goes_as_soon_as_a_slot_comes_back() {
    for dropped in [true, false] {
        let gate = gate(1, 0);
        let permit = enter(&gate, Bulk).await.unwrap();
        let waiting = waiter(&gate, Bulk);
        sleep(A_WHILE).await;
        assert!(!waiting.is_finished());
        if dropped {
            drop(permit);
        } else {
            gate.report(permit, News::Answered, &mut Suspicion::default());
        }
        assert!(timeout(A_WHILE, waiting).await.expect("a turn").unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_gone_takes_no_slot_with_it() {
    let gate = gate(1, 0);
    let permit = enter(&gate, Bulk).await.unwrap();
    let waiting: Vec<_> = (0..5).map(|_| waiter(&gate, Urgent)).collect();
    sleep(A_WHILE).await;
    for waiter in &waiting {
        waiter.abort();
    }
    // At the same moment: some are given their turn before they are seen to be gone.
    gate.report(permit, News::Answered, &mut Suspicion::default());
    assert!(enter(&gate, Bulk).await.is_some(), "the slot is free");
}

#[tokio::test(start_paused = true)]
async fn a_panic_with_a_permit_frees_its_slot() {
    let gate = gate(1, 0);
    let theirs = Arc::clone(&gate);
    let task = tokio::spawn(async move {
        let _permit = turn(&theirs, Bulk, Place::New).await;
        panic!("as it was told");
    });
    assert!(task.await.is_err());
    assert!(enter(&gate, Bulk).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn bulk_never_takes_the_last_slots_from_urgent() {
    let gate = gate(3, 1);
    let _bulk = (
        enter(&gate, Bulk).await.unwrap(),
        enter(&gate, Bulk).await.unwrap(),
    );
    assert!(enter(&gate, Bulk).await.is_none());
    assert!(enter(&gate, Urgent).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_holds_those_who_come_and_those_who_wait() {
    let gate = gate(2, 0);
    let wait = Duration::from_secs(20);
    let [first, second] = [enter(&gate, Bulk).await, enter(&gate, Bulk).await].map(Option::unwrap);
    let waiting = waiter(&gate, Bulk);
    let began = Instant::now();
    let standing = gate.report(first, News::Limited(Some(wait)), &mut Suspicion::default());
    assert!(!standing.own && standing.outages == 0);
    // Sent before the hold: it frees its slot and is no news.
    assert_eq!(
        gate.report(
            second,
            News::Limited(Some(wait * 9)),
            &mut Suspicion::default()
        )
        .hold,
        None
    );
    assert!(gate.view().limited_for.is_some());
    let again = turn(&gate, Bulk, Place::Front).await.unwrap();
    let held = began.elapsed();
    assert!((wait..wait * 11 / 10).contains(&held), "{held:?}");
    assert!(!waiting.is_finished(), "who was sent back goes first");
    gate.report(again, News::Answered, &mut Suspicion::default());
    assert!(timeout(A_WHILE, waiting).await.expect("a turn").unwrap());
    assert_eq!(gate.view().limited_for, None);
}

#[tokio::test(start_paused = true)]
async fn a_429_that_repeats_holds_ever_longer_but_not_for_ever() {
    let gate = gate(1, 0);
    let mut holds = Vec::new();
    for _ in 0..12 {
        let permit = timeout(A_WHILE * 5, turn(&gate, Bulk, Place::Front)).await;
        let permit = permit.expect("a hold ends").unwrap();
        let began = Instant::now();
        gate.report(permit, News::Limited(None), &mut Suspicion::default());
        let next = turn(&gate, Bulk, Place::Front).await.unwrap();
        holds.push(began.elapsed());
        drop(next);
    }
    assert!(holds[11] > holds[0] * 4, "{holds:?}");
    assert!(
        holds.iter().all(|hold| *hold < Duration::from_secs(7)),
        "{holds:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn in_an_outage_nothing_goes_and_canaries_come_in_time() {
    let gate = out().await;
    assert_eq!(gate.view().paused, Some(Pause::Outage));
    let waiting = [waiter(&gate, Urgent), waiter(&gate, Bulk)];
    for wait in [1.0, 2.0, 4.0, 5.0, 5.0] {
        let began = Instant::now();
        gate.canary_due().await;
        let waited = began.elapsed().as_secs_f64();
        assert!(
            (0.8..1.21).contains(&(waited / wait)),
            "{waited} for {wait}"
        );
        let second = timeout(A_WHILE * 10, gate.canary_due()).await;
        assert!(second.is_err(), "one canary at a time");
        assert!(waiting.iter().all(|waiter| !waiter.is_finished()));
        gate.canary_answered(Canary::Life, FAILED);
    }
    gate.canary_due().await;
    gate.canary_answered(Canary::Life, News::Answered);
    for waiting in waiting {
        assert!(timeout(A_WHILE, waiting).await.expect("a turn").unwrap());
    }
    assert_eq!((gate.view().paused, gate.outages()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_on_the_wire_when_an_outage_begins_fails_for_free() {
    let gate = gate(20, 0);
    let mut permits = Vec::new();
    for _ in 0..20 {
        permits.push(enter(&gate, Urgent).await.unwrap());
    }
    let standings = permits
        .into_iter()
        .map(|permit| gate.report(permit, FAILED, &mut Suspicion::default()));
    let counted = standings.filter(|standing| standing.own).count();
    assert_eq!(counted, FAILURES_TO_PROBE as usize);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_wait_for_the_next_canary_or_a_new_secret() {
    let gate = gate(10, 0);
    let permit = enter(&gate, Urgent).await.unwrap();
    let began = Instant::now();
    assert!(
        !gate
            .report(permit, News::Refused, &mut Suspicion::default())
            .own
    );
    assert_eq!(gate.view().paused, Some(Pause::Credentials));
    let waiting = waiter(&gate, Urgent);
    gate.canary_due().await;
    assert_eq!(began.elapsed().as_secs(), CREDENTIALS_PROBE.as_secs());
    gate.canary_answered(Canary::Life, News::Refused);
    assert!(timeout(A_WHILE, gate.canary_due()).await.is_err());
    assert!(!waiting.is_finished());
    gate.probe_now();
    timeout(Duration::from_millis(10), gate.canary_due())
        .await
        .expect("at once");
    gate.canary_answered(Canary::Life, News::Answered);
    assert!(timeout(A_WHILE, waiting).await.expect("a turn").unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_sends_everybody_away_for_good() {
    let gate = out().await;
    let waiting = [waiter(&gate, Urgent), waiter(&gate, Bulk)];
    sleep(Duration::from_millis(10)).await;
    gate.close();
    for waiting in waiting {
        assert!(!timeout(A_WHILE, waiting).await.expect("an end").unwrap());
    }
    for alive in [false, true] {
        if alive {
            gate.canary_answered(Canary::Life, News::Answered);
        }
        let entered = timeout(A_WHILE, turn(&gate, Urgent, Place::New)).await;
        assert!(entered.expect("an answer").is_err());
    }
    timeout(A_WHILE, gate.closed()).await.expect("it is closed");
}
