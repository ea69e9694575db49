//! What the benchmark reads off the wire: session ids in pieces as they happen to come.

#[path = "../bench/session.rs"]
mod session;

use std::time::SystemTime;

use session::Session;

#[test]
fn ids_are_taken_from_a_stream_once_wherever_it_is_cut() {
    let ids = [
        Session::backlog(7).id(),
        Session::timed(8, SystemTime::UNIX_EPOCH).id(),
    ];
    // What looks like an id at first, and is none, hides nothing.
    let stream = format!(
        r#"{{"session_id":"{}"}} session-test-session-test-{}"#,
        ids[0],
        &ids[1]["session-test-".len()..]
    );
    for cut in 0..=stream.len() {
        let (first, second) = stream.as_bytes().split_at(cut);
        let (mut unread, mut found) = (Vec::new(), Vec::new());
        for piece in [first, second, b"\"}"] {
            unread.extend_from_slice(piece);
            found.extend(Session::take_all(&mut unread));
            assert!(unread.len() < ids[0].len(), "cut at {cut}: it grows");
        }
        let found: Vec<_> = found.iter().map(|s| (s.number, s.is_timed())).collect();
        assert_eq!(found, [(7, false), (8, true)], "cut at {cut}");
    }
}
