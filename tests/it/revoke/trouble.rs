//! Answers that never come, come slowly, break off or do not end: every call ends, and within limits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use revoker::revoke::{
    Api, Call,
    client::Client,
    outcome::{Class, Failure},
    wire::{ANSWER_BYTES_MAX, LIST_BYTES_MAX},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
    sync::Semaphore,
    time::timeout,
};

use super::{
    INVALID, LONG, REVOKED, client, list, revoke,
    server::{Answer, Server},
    settings,
};

const TIMEOUT: Class = Class::Retryable(Failure::Timeout);
const NETWORK: Class = Class::Retryable(Failure::Network);
/// Short enough to wait for, long enough for loopback.
const DEADLINE: Duration = Duration::from_millis(400);
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

fn bytes(text: &str) -> Answer {
    Answer::Bytes(text.as_bytes().to_vec())
}

/// `text` as a chunked answer, so that no length warns of it.
fn chunked(text: &str) -> Answer {
    let mut out = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
    for chunk in text.as_bytes().chunks(10_000) {
        let chunk = std::str::from_utf8(chunk).unwrap();
        out += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
    }
    bytes(&(out + "0\r\n\r\n"))
}

fn told(text: &str) -> Answer {
    bytes(&format!(
        "{HEAD}content-length: {}\r\n\r\n{text}",
        text.len()
    ))
}

#[tokio::test]
async fn an_answer_has_a_longest_length() {
    const LIST: &str = r#"{"status_code":200,"sessions":[]}"#;
    let rows = [
        (revoke(), REVOKED, ANSWER_BYTES_MAX),
        (list(), LIST, LIST_BYTES_MAX),
    ];
    for (call, body, bytes_max) in rows {
        for (length, class) in [(bytes_max, Class::Revoked), (bytes_max + 1, INVALID)] {
            let text = body.to_owned() + &" ".repeat(length - body.len());
            for answer in [told(&text), chunked(&text)] {
                let server = Server::same(answer).await;
                let reply = client(&server.url).call(&call).await;
                assert_eq!(reply.class, class, "{length} bytes, {:?}", call.kind());
            }
        }
    }
}

/// One deadline for all of it: each byte in time does not make an answer in time.
#[tokio::test]
async fn slow_or_no_answers_end_at_the_deadline() {
    let head = format!("{HEAD}content-length: 1000\r\n\r\n");
    let answers = [
        Answer::Silence,
        Answer::Drip(head.clone().into_bytes(), DEADLINE / 8),
        Answer::Drip(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), DEADLINE / 8),
        Answer::Pause(head.into_bytes(), Arc::new(Semaphore::new(0)), vec![]),
    ];
    for answer in answers {
        let server = Server::same(answer).await;
        let client = Client::new(settings(&server.url, DEADLINE)).unwrap();
        let started = Instant::now();
        let reply = timeout(LONG, client.call(&revoke())).await.unwrap();
        assert_eq!((reply.class, reply.status), (TIMEOUT, None));
        assert!(reply.elapsed >= DEADLINE, "{:?}", reply.elapsed);
        assert!(reply.elapsed <= started.elapsed());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let rows = [
        // Less than the length told, though the JSON is whole.
        (
            format!("{HEAD}content-length: 1000\r\n\r\n{REVOKED}"),
            INVALID,
        ),
        (format!("{HEAD}content-length: 1000\r\n\r\n"), INVALID),
        (
            format!(
                "{HEAD}transfer-encoding: chunked\r\n\r\n{:x}\r\n{REVOKED}\r\n",
                REVOKED.len()
            ),
            INVALID,
        ),
        (String::new(), NETWORK),
        ("HTTP/1.1 20".to_owned(), NETWORK),
    ];
    for (text, class) in rows {
        let server = Server::same(bytes(&text)).await;
        let reply = client(&server.url).call(&revoke()).await;
        assert_eq!(reply.class, class, "{text:?}");
        assert_eq!(reply.status, None, "{text:?}");
    }
    // Not HTTP at all: some failure of the way, whichever.
    let server = Server::same(bytes("220 smtp.example ready\r\n")).await;
    let reply = client(&server.url).call(&revoke()).await;
    assert!(matches!(reply.class, Class::Retryable(_)), "{reply:?}");
}

#[tokio::test]
async fn nobody_there_is_trouble_of_the_network() {
    // Bound, so that nobody else takes it, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let call = revoke();
    for url in [format!("http://{address}"), format!("https://{address}")] {
        let reply = client(&url).call(&call).await;
        assert_eq!((reply.class, reply.status), (NETWORK, None), "{url}");
    }
    // TLS is spoken to a server that does not know it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let answers = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        // Read, or the end would be a reset that takes the answer along.
        let _ = tcp.read(&mut [0; 4096]).await;
    };
    let client = client(&url);
    let (reply, ()) = tokio::join!(client.call(&call), answers);
    assert_eq!((reply.class, reply.status), (NETWORK, None));
}

/// A list of this many bytes, in two parts: the second comes when the server is told.
fn two_parts(bytes_first: usize, go_on: &Arc<Semaphore>) -> Answer {
    let body = r#"{"status_code":200,"sessions":[]}"#;
    let length = bytes_first + body.len();
    let head = format!("{HEAD}content-length: {length}\r\n\r\n") + &" ".repeat(bytes_first);
    Answer::Pause(head.into_bytes(), Arc::clone(go_on), body.into())
}

fn of(user_id: &str) -> Call {
    Call::ListSessions(user_id.into())
}

/// Two long lists are in the memory at most; a third waits, and a short one does not wait behind it.
#[tokio::test]
async fn long_lists_take_turns_and_short_ones_pass() {
    let (long, short) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(1_000)));
    let (held, free) = (Arc::clone(&long), Arc::clone(&short));
    let mut server = Server::start(move |request| match request.contains("user_id=long") {
        true if request.contains("long-3") => two_parts(2 * ANSWER_BYTES_MAX, &free),
        true => two_parts(2 * ANSWER_BYTES_MAX, &held),
        false => two_parts(ANSWER_BYTES_MAX / 2, &free),
    })
    .await;
    let client = Arc::new(client(&server.url));
    let ask = |user: &'static str| {
        let client = Arc::clone(&client);
        tokio::spawn(async move { client.call(&of(user)).await.class })
    };
    let first = [ask("long-1"), ask("long-2")];
    for _ in 0..2 {
        server.request().await;
    }
    // Until both are read past what is free: many turns of the loop rather than a time.
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mut third = ask("long-3");
    for n in 0..8 {
        let reply = timeout(LONG, ask("short")).await.unwrap();
        assert_eq!(reply.unwrap(), Class::Revoked, "short list {n}");
    }
    let waited = timeout(Duration::from_millis(300), &mut third).await;
    assert!(waited.is_err(), "a third long list was read: {waited:?}");
    long.add_permits(2);
    for task in first.into_iter().chain([third]) {
        let class = timeout(LONG, task).await.unwrap().unwrap();
        assert_eq!(class, Class::Revoked);
    }
}
