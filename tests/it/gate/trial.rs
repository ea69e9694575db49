//! Which deliveries are handled how, by their count and their mark.

use revoker::{
    event::{History, Lane, Message, Properties, Route},
    gate::trial::{FAILURES_MAX, Handling, SUSPECT_AFTER, handling},
};

fn message(delivery_count: u64, on_trial: bool) -> Message {
    Message {
        lane: Lane::Bulk,
        publisher: "accounts".into(),
        route: Route::Lane,
        publisher_verified: false,
        body: "{}".into(),
        properties: Properties::default(),
        history: History {
            on_trial,
            returned: on_trial,
            ..History::default()
        },
        from_newer_worker: false,
        redelivered: delivery_count > 0,
        delivery_count,
    }
}

#[test]
fn by_count_and_mark() {
    use Handling::{Alone, GiveUp, PutOnTrial, Usual};
    let rows = [
        (0, false, Usual, Usual),
        (SUSPECT_AFTER, false, Usual, Usual),
        (SUSPECT_AFTER + 1, false, PutOnTrial, Alone),
        (u64::MAX, false, PutOnTrial, Alone),
        (0, true, Alone, Alone),
        (FAILURES_MAX, true, Alone, Alone),
        (FAILURES_MAX + 1, true, GiveUp, GiveUp),
    ];
    for (count, on_trial, with_delays, without) in rows {
        let message = message(count, on_trial);
        assert_eq!(handling(&message, true), with_delays, "{count} {on_trial}");
        assert_eq!(handling(&message, false), without, "{count} {on_trial}");
    }
}

#[test]
fn a_count_that_only_the_publisher_wrote_is_none() {
    for on_trial in [false, true] {
        let mut message = message(u64::MAX, on_trial);
        message.redelivered = false;
        assert_ne!(handling(&message, true), Handling::PutOnTrial);
        assert_ne!(handling(&message, true), Handling::GiveUp);
    }
}

#[test]
fn a_newer_workers_message_is_not_ours_to_try() {
    for on_trial in [false, true] {
        let mut message = message(u64::MAX, on_trial);
        message.from_newer_worker = true;
        assert_eq!(handling(&message, true), Handling::Usual);
    }
}
