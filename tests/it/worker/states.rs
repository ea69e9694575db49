//! What the worker shows of itself while it cannot go on: why, since when, and when it tries next.

use std::time::Duration;

use jiff::SignedDuration;
use revoker::{
    broker::{Fact, Trouble},
    gate::breaker::{CREDENTIALS_PROBE, OUTAGE_PROBE_MAX},
    revoke::outcome::{Blame, Failure},
    telemetry::{State, Why, state::Snapshot},
    worker::watch,
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    event,
    stytch::Answer,
    world::{World, wall},
};

/// How far the shown time may be behind: the states are looked at a few times a second.
const LOOK_MAX: SignedDuration = SignedDuration::from_millis(250);

/// A world whose API answers so to every call, a while after some events were published.
async fn troubled(answer: Answer, lasting: Duration) -> World {
    let world = World::plain();
    world.stytch.fault(move |_| Some(answer));
    for n in 1..=10 {
        world.publish(event(n, json!({})));
    }
    sleep(lasting).await;
    world
}

/// How long until the next probe.
fn until_probe(shown: &Snapshot) -> SignedDuration {
    let next = shown.next_probe.expect("a probe is due");
    next.duration_since(wall())
}

#[tokio::test(start_paused = true)]
async fn an_outage_says_how_the_api_fails_and_when_it_is_asked_again() {
    for (answer, failure) in [
        (Answer::Fails(Failure::Timeout), Failure::Timeout),
        (Answer::Fails(Failure::Network), Failure::Network),
        (Answer::Says(503, ""), Failure::ServerError),
    ] {
        let world = troubled(answer, Duration::from_secs(40)).await;
        let shown = world.worker.board.snapshot();
        assert_eq!(shown.why, Why::Outage(failure));
        let wait = until_probe(&shown);
        let longest = SignedDuration::try_from(OUTAGE_PROBE_MAX.mul_f64(1.2)).unwrap();
        assert!(wait > -LOOK_MAX && wait <= longest, "{wait}");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_say_which_of_our_settings_is_wrong() {
    for (status, word, blame) in [
        (401, "unauthorized_credentials", Blame::Secret),
        (400, "invalid_project_id_authentication", Blame::Project),
        (404, "route_not_found", Blame::BaseUrl),
        (302, "", Blame::BaseUrl),
    ] {
        let world = troubled(Answer::Says(status, word), Duration::from_secs(10)).await;
        let shown = world.worker.board.snapshot();
        assert_eq!(shown.why, Why::Credentials(blame), "{word}");
        let probe = shown.next_probe.unwrap().duration_since(shown.since);
        let wanted = SignedDuration::try_from(CREDENTIALS_PROBE).unwrap();
        assert!((wanted - probe).abs() <= LOOK_MAX, "{word}: {probe}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_block_says_when_it_is_tried_again() {
    let world = troubled(Answer::RetryAfter(7), Duration::from_secs(1)).await;
    let shown = world.worker.board.snapshot();
    assert_eq!(shown.why, Why::RateLimited);
    let wait = until_probe(&shown);
    assert!(wait > SignedDuration::from_secs(5), "{wait}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_shows_its_end_and_what_holds_beneath() {
    let world = troubled(Answer::Says(401, ""), Duration::from_secs(1)).await;
    let drain = Duration::from_secs(25);
    world.shut_down(drain).await;
    let (shown, beneath) = world.worker.board.now();
    assert_eq!(shown.why, Why::AskedToStop);
    assert_eq!(
        shown.next_probe.unwrap(),
        shown.since.checked_add(drain).unwrap()
    );
    let beneath: Vec<_> = beneath.iter().map(|held| held.why).collect();
    assert_eq!(beneath, [Why::Credentials(Blame::Secret)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_refuses_is_a_state_with_the_next_try() {
    let world = World::plain();
    let board = &world.worker.board;
    let tell = |fact| watch(&world.metrics, board, &world.worker.backlog, fact, wall());
    assert_eq!(board.snapshot().state, State::Running);
    let wait = Duration::from_secs(3);
    tell(Fact::NoSession(Trouble::LoginRefused, wait));
    let shown = board.snapshot();
    assert_eq!(shown.why, Why::Broker(Trouble::LoginRefused));
    assert_eq!(shown.next_probe.unwrap(), wall().checked_add(wait).unwrap());
    assert!(!shown.ready());
    tell(Fact::NoSession(Trouble::Unreachable, wait));
    let again = board.snapshot();
    assert_eq!(again.why, Why::Broker(Trouble::Unreachable));
    assert_eq!(again.since, shown.since, "one stay without the broker");
}

/// A memory or disk alarm: what is in hand cannot be settled, which nothing else would say.
#[tokio::test(start_paused = true)]
async fn blocked_publishing_is_a_state() {
    let world = World::plain();
    let tell = |blocked| {
        let (board, backlog) = (&world.worker.board, &world.worker.backlog);
        watch(
            &world.metrics,
            board,
            backlog,
            Fact::Blocked(blocked),
            wall(),
        );
        board.snapshot()
    };
    let blocked = tell(true);
    assert_eq!(blocked.why, Why::Broker(Trouble::PublishingBlocked));
    assert!(!blocked.ready());
    assert_eq!(tell(false).state, State::Running);
}
