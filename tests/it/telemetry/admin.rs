//! The admin port over a real socket: its pages, and what a stranger cannot do to it.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use revoker::{
    broker::Trouble,
    revoke::outcome::{Blame, Failure},
    telemetry::{
        Admin, Metrics, State, StateBoard, Why,
        admin::{CONNECTIONS_MAX, HEADER_TIME_MAX},
    },
};
use serde_json::{Value, json};

use super::at;

/// A running port and the board behind it.
fn start() -> (Admin, Arc<StateBoard>) {
    let metrics = Arc::new(Metrics::new());
    let board = Arc::new(StateBoard::new(Arc::clone(&metrics), at(0)));
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    (
        Admin::start(any, metrics, Arc::clone(&board)).unwrap(),
        board,
    )
}

/// A connection that gives up reading after 20 seconds.
fn connect(admin: &Admin) -> TcpStream {
    let stream = TcpStream::connect(admin.addr()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Everything the server says until it closes; a reset is a close.
fn read_all(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
        Err(e) => panic!("the server did not close: {e}"),
    }
    String::from_utf8(text).unwrap()
}

/// Status, head and body of the answer to one request.
fn ask(admin: &Admin, method: &str, path: &str) -> (u16, String, String) {
    let mut stream = connect(admin);
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let answer = read_all(stream);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

#[test]
fn pages_and_methods() {
    let (admin, board) = start();
    board.clear(State::Broker, at(1));
    // method, path, status, words of the head, start of the body
    let cases = [
        (
            "GET",
            "/metrics",
            200,
            "text/plain; version=0.0.4",
            "# HELP",
        ),
        ("GET", "/healthz", 200, "no-store", "ok\n"),
        ("GET", "/readyz", 200, "application/json", "{"),
        ("GET", "/readyz?verbose=1", 200, "connection: close", "{"),
        ("GET", "/", 404, "text/plain", "not found\n"),
        ("GET", "/metrics/", 404, "text/plain", "not found\n"),
        (
            "POST",
            "/metrics",
            405,
            "allow: get, head",
            "only GET and HEAD\n",
        ),
        (
            "DELETE",
            "/nothing",
            405,
            "allow: get, head",
            "only GET and HEAD\n",
        ),
        ("HEAD", "/healthz", 200, "content-length: 3", ""),
    ];
    for (method, path, status, head, body) in cases {
        let answer = ask(&admin, method, path);
        assert_eq!(answer.0, status, "{method} {path}");
        assert!(answer.1.contains(head), "{method} {path}: {}", answer.1);
        assert!(answer.2.starts_with(body), "{method} {path}: {}", answer.2);
        assert_eq!(answer.2.is_empty(), method == "HEAD", "{method} {path}");
    }
}

#[test]
fn readiness_is_refused_only_without_broker_and_while_draining() {
    let (admin, board) = start();
    let outage = Why::Outage(Failure::Timeout);
    let credentials = Why::Credentials(Blame::Secret);
    let login = Why::Broker(Trouble::LoginRefused);
    let told = |why: Why, since: i64, next: Option<i64>| {
        json!({
            "state": why.state().as_str(), "why": why.as_str(), "reason": why.sentence(),
            "since": format!("{:.3}", at(since)), "next_probe": next.map(|s| format!("{:.3}", at(s))),
        })
    };
    let check = |status: u16, mut shown: Value, also: &[Value]| {
        shown["ready"] = (status == 200).into();
        shown["also"] = also.into();
        let (found, _, body) = ask(&admin, "GET", "/readyz");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((found, body), (status, shown));
    };
    board.hold(login, Some(at(9)), at(7));
    check(503, told(login, 0, Some(9)), &[]);
    board.clear(State::Broker, at(7));
    check(200, told(Why::AllWell, 7, None), &[]);
    board.hold(outage, Some(at(8)), at(7));
    check(200, told(outage, 7, Some(8)), &[]);
    board.hold(credentials, Some(at(37)), at(8));
    let beneath = told(outage, 7, Some(8));
    check(200, told(credentials, 8, Some(37)), &[beneath]);
    board.hold(Why::AskedToStop, Some(at(34)), at(9));
    let beneath = [told(credentials, 8, Some(37)), told(outage, 7, Some(8))];
    check(503, told(Why::AskedToStop, 9, Some(34)), &beneath);
}

#[test]
fn a_request_body_is_ignored() {
    let (admin, _) = start();
    let mut stream = connect(&admin);
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 999999\r\n\r\nabc")
        .unwrap();
    assert!(read_all(stream).ends_with("ok\n"));
}

#[test]
fn a_slow_or_endless_header_is_cut_off() {
    let (admin, _) = start();
    let begun = Instant::now();
    let mut slow = connect(&admin);
    slow.write_all(b"GET /metrics HT").unwrap();
    let mut endless = connect(&admin);
    endless.write_all(b"GET / HTTP/1.1\r\nx: ").unwrap();
    // The server closes in the middle of it: the write may fail.
    let _ = endless.write_all(&[b'x'; 200_000]);
    let refusal = read_all(endless);
    assert!(
        refusal.is_empty() || refusal.starts_with("HTTP/1.1 431"),
        "{refusal}"
    );
    assert!(
        begun.elapsed() < HEADER_TIME_MAX,
        "the endless header took {:?}",
        begun.elapsed()
    );
    assert_eq!(read_all(slow), "", "a slow header deserves no answer");
    let (took, grace) = (begun.elapsed(), Duration::from_secs(4));
    assert!(
        took >= HEADER_TIME_MAX && took < HEADER_TIME_MAX + grace,
        "{took:?}"
    );
}

#[test]
fn connections_beyond_the_limit_are_closed_and_the_port_recovers() {
    let (admin, _) = start();
    let held: Vec<TcpStream> = (0..CONNECTIONS_MAX).map(|_| connect(&admin)).collect();
    for _ in CONNECTIONS_MAX..100 {
        assert_eq!(read_all(connect(&admin)), "", "closed without an answer");
    }
    drop(held);
    let begun = Instant::now();
    loop {
        let mut stream = connect(&admin);
        let sent = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
        if sent.is_ok() && read_all(stream).ends_with("ok\n") {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "the port did not recover"
        );
    }
}

#[test]
fn the_port_is_free_again_after_a_drop_and_a_taken_one_is_explained() {
    let (admin, board) = start();
    let addr = admin.addr();
    let again = || Admin::start(addr, Arc::new(Metrics::new()), Arc::clone(&board));
    let error = again().map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let text = error.to_string();
    assert!(
        text.contains(&addr.to_string()) && text.contains("REVOKER_ADMIN_ADDR"),
        "{text}"
    );
    drop(admin);
    assert!(again().is_ok());
}
