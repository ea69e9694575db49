//! A worker's own pages, read again.

use std::sync::Arc;

use revoker::{
    broker::Trouble,
    cli::status::worker::read,
    event::Lane,
    telemetry::{Metrics, StateBoard, Why, sets::Queue},
};

use super::ago;

/// The pages of this version's worker, from the types that write them.
#[test]
fn a_workers_own_pages_are_read() {
    let metrics = Arc::new(Metrics::new());
    let board = StateBoard::new(Arc::clone(&metrics), ago(50));
    board.hold(Why::Broker(Trouble::LoginRefused), Some(ago(-3)), ago(50));
    metrics.inflight(Lane::Bulk, 7);
    metrics.oldest_unfinished(Lane::Bulk, Some(ago(252)));
    metrics.last_revocation(Lane::Urgent, ago(12));
    metrics.rate(42.5);
    metrics.queue_depth(Queue::Dead, 43, ago(5));
    let readyz = r#"{"ready":false,"state":"broker","since":"2026-11-22T06:29:15.000Z","why":"login_refused",
        "reason":"refused","next_probe":"2026-11-22T06:30:08.000Z",
        "also":[{"state":"throttled","since":"2026-11-22T06:29:15.000Z","reason":"429","why":"x","next_probe":null}]}"#;
    let view = read(readyz, &metrics.render()).unwrap();
    assert_eq!(view.version, env!("CARGO_PKG_VERSION"));
    assert_eq!((view.ready, view.shown.state.as_str()), (false, "broker"));
    assert_eq!(
        (view.shown.since, view.shown.next_probe),
        (ago(50), Some(ago(-3)))
    );
    assert_eq!(
        (view.also.len(), view.also[0].state.as_str()),
        (1, "throttled")
    );
    assert_eq!(view.calls_per_second, 42.5);
    let (bulk, urgent) = (view.lanes["bulk"], view.lanes["urgent"]);
    assert_eq!((bulk.events, bulk.oldest), (7, Some(ago(252))));
    assert_eq!(
        (urgent.oldest, urgent.last_revocation),
        (None, Some(ago(12)))
    );
    assert_eq!((view.depths["dead"], view.depths_at), (43, Some(ago(5))));
}

#[test]
fn other_pages_are_no_worker() {
    let metrics = Metrics::new().render();
    let least = r#"{"ready":true,"state":"running","since":"2026-11-22T06:29:15Z"}"#;
    assert!(read(least, &metrics).is_some(), "an older worker says less");
    for (readyz, metrics) in [
        ("ok", metrics.as_str()),
        ("{}", &metrics),
        (least, ""),
        (least, "go_goroutines 12\nnot a metric\n{} x"),
        (r#"{"ready":"yes"}"#, &metrics),
    ] {
        assert!(read(readyz, metrics).is_none(), "{readyz}");
    }
}
