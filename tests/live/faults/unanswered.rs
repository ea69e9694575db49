//! A dead letter is published and the broker never says whether it has it: the original stays unacked,
//! the failure shows, and once the broker answers again the letter is there.

use serde_json::json;

use super::row::Row;
use crate::harness::{Event, PATIENCE, World, ledger::Ledger, user::ctl, wait};

const PUBLISHES: &str = "revoker_amqp_publishes_total";

/// The process that is the dead-letter queue takes no more messages, or does again: to its publishers
/// the rest of the broker is as ever.
async fn dead_letter_queue(world: &World, to: &str) {
    let name = world.broker.name("dead");
    let find = format!(
        "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"{name}\">>))"
    );
    ctl(&["eval", &format!("{find}, sys:{to}(amqqueue:get_pid(Q)).")]).await;
}

#[tokio::test]
async fn row_07_a_publish_is_never_answered() {
    let mut row = Row::new(7, "publish never answered");
    let world = World::new("unanswered").await;
    let mut worker = world.worker().start().await;
    row.begins(&worker);
    row.faults += 1;
    dead_letter_queue(&world, "suspend").await;
    let wrong = Event::new(json!({}));
    let ledger = Ledger::of(&world, Vec::new(), vec![(wrong, "target_missing")]).await;
    world.broker.publish(&ledger.events).await;
    wait::until("the failure is counted", PATIENCE, async || {
        let unanswered = [("to", "dead"), ("result", "timeout")];
        worker.metrics().await.sum(PUBLISHES, &unanswered) >= 1.0
    })
    .await;
    wait::until("it is said", PATIENCE, async || {
        let log = worker.log();
        let mut said = log.iter().filter(|line| line["level"] == "WARN");
        said.any(|line| {
            line["message"]
                .to_string()
                .contains("not confirmed in time")
        })
    })
    .await;
    let metrics = worker.metrics().await;
    for none in [
        "revoker_dead_letters_total",
        "revoker_events_completed_total",
    ] {
        assert_eq!(metrics.sum(none, &[]), 0.0, "{none}");
    }
    // Unacked: given back with the session, or given out again by the next.
    assert!(worker.process.ended().is_none(), "the worker has ended");

    dead_letter_queue(&world, "resume").await;
    ledger.settled(&world, PATIENCE).await;
    let completed = "revoker_events_completed_total";
    wait::until("the event comes to its end", PATIENCE, async || {
        worker.metrics().await.sum(completed, &[]) >= 1.0
    })
    .await;
    row.ends(&worker);
    // What was not answered may have arrived each time that it was tried.
    let unanswered = [("to", "dead"), ("result", "timeout")];
    let unanswered = worker.metrics().await.sum(PUBLISHES, &unanswered);
    assert!(worker.terminate().await.0.success());
    let twice = row.judge(&ledger.tally(&world).await);
    assert!(twice as f64 <= unanswered, "{twice} letters more than one");
}
