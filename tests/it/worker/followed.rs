//! How far the operator's stream is read: never in part, never another one, and a state when it cannot be.

use jiff::SignedDuration;
use revoker::{
    broker::stream::Entry,
    campaign::{Order, Record},
    event::Lane,
    telemetry::{State, Why},
    worker::Another,
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    bulk, event,
    orders::{CAMPAIGN, OLD, Operator, SECOND, of, outcomes, publish, unread},
    world::{World, wall},
};
use crate::campaign::{about, started};

#[tokio::test(start_paused = true)]
async fn a_stream_that_cannot_be_read_is_a_state_and_urgent_goes_on() {
    let world = World::plain();
    let (orders, board) = (&world.worker.orders, &world.worker.board);
    let next = wall() + SignedDuration::from_secs(3);
    orders.lost(Some(next));
    publish(&world, [(1, bulk(1)), (2, event(2, json!({})))]);
    sleep(10 * SECOND).await;
    assert!(world.stytch.is_alive(1) && !world.stytch.is_alive(2));
    let shown = board.snapshot();
    assert_eq!((shown.state, shown.why), (State::Audit, Why::OrdersUnread));
    assert_eq!(shown.next_probe, Some(next));
    assert!(shown.ready());
    // Begun again, it is not yet read.
    assert_eq!(orders.begin(Some(0)), (0, false));
    sleep(SECOND).await;
    assert_eq!(board.snapshot().why, Why::OrdersUnread);
    assert!(Operator::new(&world).orders(Order::BulkReleased));
    world.settled(SECOND).await;
    assert_eq!(board.snapshot().state, State::Running);
}

/// A new session goes on where the last one was, if the stream still is the same.
#[tokio::test(start_paused = true)]
async fn reading_goes_on_where_it_was_and_never_in_another_stream() {
    let world = World::plain();
    let (orders, operator) = (&world.worker.orders, Operator::new(&world));
    operator.orders(started(CAMPAIGN, "auth"));
    operator.orders(about(Order::CampaignCancelled, CAMPAIGN));
    let last = |by: &str| {
        let order = about(Order::CampaignCancelled, CAMPAIGN);
        let record = Record::new(order, by.into(), None, wall());
        let body = record.write();
        Entry { offset: 1, body }
    };
    assert_eq!(orders.begin(Some(1)), (1, false));
    assert_eq!(orders.take(&last("ops@example")), Ok(true));
    publish(&world, [(1, of(CAMPAIGN, 1))]);
    world.settled(SECOND).await;
    assert_eq!(outcomes(&world, "cancelled"), 1, "all is known still");
    // Another record in its place, or fewer of them: the stream was made anew.
    assert_eq!(orders.begin(Some(1)), (1, false));
    assert_eq!(orders.take(&last("stranger")), Err(Another));
    assert!(!orders.lets_go(Lane::Bulk));
    assert_eq!(orders.begin(Some(0)), (0, false));
    operator.next.set(0);
    assert!(operator.orders(started(CAMPAIGN, "auth")));
    publish(&world, [(2, of(CAMPAIGN, 2))]);
    world.settled(SECOND).await;
    assert_eq!(
        outcomes(&world, "revoked"),
        1,
        "nobody has cancelled it there"
    );
    // Empty, or slow to answer: all that was in it is waited for, once.
    assert_eq!(orders.begin(None), (0, false));
    assert!(!orders.lets_go(Lane::Bulk));
    assert_eq!(orders.begin(None), (0, true), "it is empty now");
    assert!(orders.lets_go(Lane::Bulk));
}

/// A broker that is slow to show the end of the stream makes nobody forget a cancel.
#[tokio::test(start_paused = true)]
async fn an_end_that_is_seen_too_early_lets_nothing_go() {
    for seen in [None, Some(0)] {
        let world = World::plain();
        let (orders, operator) = (&world.worker.orders, Operator::new(&world));
        operator.orders(started(CAMPAIGN, "auth"));
        operator.orders(about(Order::CampaignCancelled, CAMPAIGN));
        publish(&world, [(1, of(CAMPAIGN, 1))]);
        world.settled(SECOND).await;
        assert_eq!(orders.begin(seen), (0, false));
        operator.next.set(0);
        assert!(!operator.orders(started(CAMPAIGN, "auth")));
        publish(&world, [(2, of(CAMPAIGN, 2)), (3, bulk(3))]);
        sleep(SECOND).await;
        assert!(world.stytch.is_alive(3), "{seen:?}: bulk waits");
        assert!(operator.orders(about(Order::CampaignCancelled, CAMPAIGN)));
        world.settled(SECOND).await;
        let told = (outcomes(&world, "cancelled"), outcomes(&world, "revoked"));
        assert_eq!(told, (2, 1), "{seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_understood_is_skipped() {
    let world = unread();
    let operator = Operator::new(&world);
    world.worker.orders.begin(Some(4));
    operator.orders(started(CAMPAIGN, "auth"));
    let newer = json!({"type": "revoker.control.v1", "at": OLD, "by": "x", "kind": "bulk_slowed"});
    for body in [
        newer.to_string().into_bytes(),
        b"{}".to_vec(),
        vec![0xff; 20_000],
    ] {
        assert_eq!(operator.says(body), Ok(false));
    }
    assert!(operator.orders(about(Order::CampaignCancelled, CAMPAIGN)));
    publish(&world, [(1, of(CAMPAIGN, 1)), (2, bulk(2))]);
    world.settled(SECOND).await;
    assert_eq!(
        (outcomes(&world, "cancelled"), outcomes(&world, "revoked")),
        (1, 1)
    );
}
