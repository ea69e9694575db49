//! Two versions side by side: what a newer worker left in our queues waits for one, and nothing else does.

use std::time::Duration;

use lapin::types::AMQPValue;
use revoker::settle::seal;
use tokio::time::sleep;

use crate::harness::{Event, World, checks::text};

/// The longest retry delay.
const DELAY: Duration = Duration::from_secs(2);
/// The newer messages are watched for so many of them.
const ROUNDS: u32 = 4;

#[tokio::test]
async fn newer_formats_wait_for_a_newer_worker() {
    let world = World::new("newer").await;
    let mut worker = world
        .worker()
        .set("REVOKER_RETRY_DELAYS", "1s,2s")
        .start()
        .await;
    // Only the worker may write there; here the test does, in the name of a newer one.
    let newer = |body: &[u8], headers: Vec<(&'static str, AMQPValue)>| {
        let mut event = Event::raw(body).by("newer").headers(headers);
        event.exchange = "urgent.return".into();
        event
    };
    let number = AMQPValue::LongLongInt;
    let headers = newer(
        b"of a form that is not known yet",
        vec![
            ("revoker-version", number(2)),
            ("revoker-attempts", text("with another meaning")),
        ],
    );
    let sealed = newer(
        &[&[2][..], &[7; 99]].concat(),
        vec![
            ("revoker-version", number(1)),
            ("revoker-queue", text("urgent.retry.1s")),
        ],
    )
    .with(|p| p.with_content_type(seal::CONTENT_TYPE.into()));
    world
        .broker
        .publish(&[headers.clone(), sealed.clone()])
        .await;
    for _ in 0..ROUNDS {
        world.check_works().await;
        sleep(DELAY).await;
    }
    let metrics = worker.metrics().await;
    let deferred = metrics.sum("revoker_retries_total", &[("cause", "newer_format")]);
    let rounds = f64::from(ROUNDS);
    assert!(
        (2.0 * rounds - 2.0..=4.0 * rounds).contains(&deferred),
        "{deferred}"
    );
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    assert!(worker.terminate().await.0.success());
    // Both are there still, as they were.
    assert_eq!(world.broker.depth("dead").await, Some(0));
    sleep(DELAY).await;
    assert_eq!(world.broker.depth("urgent").await, Some(2));
    let mut left = world.broker.lying_in("urgent").await;
    left.sort_by_key(|letter| letter.body[0]);
    assert_eq!(left[0].body, sealed.body);
    assert_eq!(left[1].body, headers.body);
    assert_eq!(left[1].ours("version"), "2");
    assert_eq!(left[1].ours("attempts"), "with another meaning");
}
