//! What reading an event costs in memory: nothing is allocated but what the event keeps. What it costs in
//! time is `tests/bench/decode.rs`: a debug build on a busy machine measures neither.

use revoker::event::decode_message;

use super::*;

/// The texts that an event keeps: each is one allocation. A time is a number, an initiator a word of ours.
fn kept(event: &Value) -> u64 {
    let fields = event.as_object().unwrap().keys();
    let others = ["type", "occurred_at", "cutoff", "not_after", "initiated_by"];
    // An empty text takes no memory.
    let texts = fields.filter(|name| event[*name] != "" && !others.contains(&name.as_str()));
    texts.count() as u64
}

#[test]
fn nothing_is_allocated_but_what_the_event_keeps() {
    // What JSON writes with an escape, or AMQP as a number, must be made a text first; a JWT is decoded.
    let exempt = [
        "an escaped name",
        "a session by a JWT of its own",
        "binary: the time as an AMQP timestamp",
    ];
    let mut read = 0;
    for case in cases("accepted") {
        if exempt.contains(&case.name.as_str()) {
            continue;
        }
        let expect = live();
        let mut taken = false;
        let cost = allocation_counter::measure(|| {
            taken = decode_message(&case.body, &case.properties, &expect, now()).is_ok();
        });
        assert!(taken, "{}", case.name);
        assert_eq!(cost.count_total, kept(&case.line["event"]), "{}", case.name);
        read += 1;
    }
    assert!(read > 40, "only {read} events were read");
}
