//! What must be confirmed before an ack, on a paused clock with a broker that refuses, loses and dies.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use revoker::{
    event::{Lane, Properties},
    settle::{
        Outbox, Outgoing,
        PublishError::{self, Nacked, Returned, TimedOut},
        To,
        perform::{AUDIT_PATIENCE, Audit, LinkDown, Recorded, until_confirmed},
    },
};
use tokio::time::{Instant, advance, sleep, timeout};

/// More tries than any test needs: time is paused, so that trying for ever would end no test.
const TRIES_MAX: usize = 20_000;

/// A broker that answers by a script: the last answer holds for all that follow.
struct Script {
    answers: Mutex<VecDeque<Result<(), PublishError>>>,
    published_at_ms: Mutex<Vec<u128>>,
    started: Instant,
    up: AtomicBool,
}

impl Script {
    fn new(answers: &[Result<(), PublishError>]) -> Self {
        Self {
            answers: Mutex::new(answers.iter().copied().collect()),
            published_at_ms: Mutex::default(),
            started: Instant::now(),
            up: AtomicBool::new(true),
        }
    }

    fn fall(&self) {
        self.up.store(false, Ordering::SeqCst);
    }

    fn then(&self, answers: &[Result<(), PublishError>]) {
        *self.answers.lock().unwrap() = answers.iter().copied().collect();
    }

    fn published_at_ms(&self) -> Vec<u128> {
        self.published_at_ms.lock().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.published_at_ms.lock().unwrap().len()
    }
}

impl Outbox for Script {
    async fn publish(&self, _: &Outgoing) -> Result<(), PublishError> {
        let at = self.started.elapsed().as_millis();
        self.published_at_ms.lock().unwrap().push(at);
        assert!(self.count() < TRIES_MAX, "it never ends");
        let mut answers = self.answers.lock().unwrap();
        match answers.len() {
            1 => answers[0],
            _ => answers.pop_front().expect("a script has an answer"),
        }
    }

    fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    async fn down(&self) {
        std::future::pending().await
    }
}

fn message(to: To) -> Outgoing {
    Outgoing {
        to,
        routing_key: "accounts".into(),
        body: "{}".into(),
        properties: Properties::default(),
        headers: Vec::new(),
    }
}

fn dead() -> Outgoing {
    message(To::Dead)
}

fn outcome() -> Outgoing {
    message(To::Outcome)
}

#[tokio::test(start_paused = true)]
async fn what_is_not_confirmed_is_published_again_until_it_is() {
    let script = Script::new(&[
        Err(Nacked),
        Err(Returned),
        Err(TimedOut),
        Err(Nacked),
        Err(Nacked),
        Err(Nacked),
        Err(Nacked),
        Ok(()),
    ]);
    assert_eq!(until_confirmed(&script, &dead()).await, Ok(()));
    // Waits double from 250 ms and end at 5 s.
    assert_eq!(
        script.published_at_ms(),
        [0, 250, 750, 1_750, 3_750, 7_750, 12_750, 17_750]
    );
}

#[tokio::test(start_paused = true)]
async fn a_broker_in_trouble_for_a_day_loses_nothing() {
    for error in [Nacked, Returned, TimedOut] {
        let script = Script::new(&[Err(error)]);
        let (long, event) = (Duration::from_secs(86_400), dead());
        let publishing = until_confirmed(&script, &event);
        tokio::pin!(publishing);
        let given_up = timeout(long, &mut publishing).await;
        assert!(given_up.is_err(), "{error}: {given_up:?}");
        script.then(&[Ok(())]);
        assert_eq!(publishing.await, Ok(()));
    }
}

/// A confirm is asked for once: a message that is safe is not written twice.
#[tokio::test(start_paused = true)]
async fn what_is_confirmed_is_published_once() {
    let script = Script::new(&[Ok(())]);
    assert_eq!(until_confirmed(&script, &dead()).await, Ok(()));
    let audit = Audit::default();
    let recorded = audit.record(&script, Lane::Urgent, &outcome()).await;
    assert_eq!(recorded, Ok(Recorded::Yes));
    assert_eq!(script.published_at_ms(), [0, 0]);
}

/// The delivery comes again: publishing for it would only make doubles.
#[tokio::test(start_paused = true)]
async fn a_link_that_fell_ends_it() {
    for error in [PublishError::LinkDown, TimedOut, Nacked, Returned] {
        let script = Script::new(&[Err(error)]);
        if error != PublishError::LinkDown {
            script.fall();
        }
        let audit = Audit::default();
        for lane in Lane::ALL {
            let recorded = audit.record(&script, *lane, &outcome()).await;
            assert_eq!(recorded, Err(LinkDown), "{error}");
        }
        assert_eq!(until_confirmed(&script, &dead()).await, Err(LinkDown));
        assert_eq!(script.count(), 3, "{error}: once each");
        assert!(!audit.is_broken(), "the link is at fault, not the stream");
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_falls_between_two_tries_ends_it() {
    let script = Script::new(&[Err(Nacked)]);
    let event = dead();
    let publishing = until_confirmed(&script, &event);
    tokio::pin!(publishing);
    assert!(
        timeout(Duration::from_secs(60), &mut publishing)
            .await
            .is_err()
    );
    script.fall();
    assert_eq!(publishing.await, Err(LinkDown));
}

/// Urgent waits for its outcome as long as it may be a short trouble, then goes on without.
#[tokio::test(start_paused = true)]
async fn urgent_goes_on_when_the_audit_stream_is_broken() {
    let (script, audit) = (Script::new(&[Err(Nacked)]), Audit::default());
    let started = Instant::now();
    let recorded = audit.record(&script, Lane::Urgent, &outcome()).await;
    assert_eq!(recorded, Ok(Recorded::OnlyLogged));
    let waited = started.elapsed();
    let longest = AUDIT_PATIENCE + Duration::from_secs(5);
    assert!((AUDIT_PATIENCE..=longest).contains(&waited), "{waited:?}");
    assert!(audit.is_broken());

    // Those that follow ask once and do not wait, and the first that is confirmed ends it.
    let (asked, started) = (script.count(), Instant::now());
    let recorded = audit.record(&script, Lane::Urgent, &outcome()).await;
    assert_eq!(recorded, Ok(Recorded::OnlyLogged));
    assert_eq!(
        (script.count(), started.elapsed()),
        (asked + 1, Duration::ZERO)
    );
    script.then(&[Ok(())]);
    let recorded = audit.record(&script, Lane::Urgent, &outcome()).await;
    assert_eq!(recorded, Ok(Recorded::Yes));
    assert!(!audit.is_broken());

    // The next trouble has its own 30 s.
    script.then(&[Err(Returned), Ok(())]);
    let recorded = audit.record(&script, Lane::Urgent, &outcome()).await;
    assert_eq!(recorded, Ok(Recorded::Yes));
    assert!(!audit.is_broken());
}

/// A campaign's proof must be whole.
#[tokio::test(start_paused = true)]
async fn bulk_waits_for_its_outcome_however_long() {
    let (script, audit) = (Script::new(&[Err(TimedOut)]), Audit::default());
    let record = outcome();
    let recording = audit.record(&script, Lane::Bulk, &record);
    tokio::pin!(recording);
    let day = timeout(Duration::from_secs(86_400), &mut recording).await;
    assert!(day.is_err(), "{day:?}");
    assert!(audit.is_broken());
    script.then(&[Ok(())]);
    assert_eq!(recording.await, Ok(Recorded::Yes));
    assert!(!audit.is_broken());
}

#[tokio::test(start_paused = true)]
async fn the_patience_is_shared_by_all_messages() {
    let (script, audit) = (Script::new(&[Err(Nacked)]), Audit::default());
    let record = outcome();
    let bulk = audit.record(&script, Lane::Bulk, &record);
    tokio::pin!(bulk);
    assert!(timeout(AUDIT_PATIENCE / 2, &mut bulk).await.is_err());
    assert!(!audit.is_broken());
    let started = Instant::now();
    let urgent = audit.record(&script, Lane::Urgent, &record).await;
    assert_eq!(urgent, Ok(Recorded::OnlyLogged));
    let longest = AUDIT_PATIENCE / 2 + Duration::from_secs(5);
    assert!(started.elapsed() <= longest, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_audit_is_broken_exactly_at_its_patience() {
    let (script, audit) = (Script::new(&[Err(Nacked)]), Audit::default());
    assert!(!audit.is_broken(), "nothing failed yet");
    let record = outcome();
    let bulk = audit.record(&script, Lane::Bulk, &record);
    tokio::pin!(bulk);
    assert!(timeout(Duration::from_millis(1), &mut bulk).await.is_err());
    sleep(AUDIT_PATIENCE - Duration::from_millis(2)).await;
    assert!(!audit.is_broken());
    advance(Duration::from_millis(1)).await;
    assert!(audit.is_broken());
}
