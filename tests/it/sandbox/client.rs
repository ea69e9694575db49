//! A client that hides nothing: raw HTTP/1.1 on a socket, so that broken answers can be told apart.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use revoker::revoke::sandbox::{PROJECT_ID_DEFAULT, SECRET_DEFAULT};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// How long a request may stay without an end before it counts as hanging.
const PATIENCE: Duration = Duration::from_millis(600);
/// The most that is read of one answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A request; by default the right headers for `POST /v1/sessions/revoke`.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) authorization: Option<String>,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: String,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// In the middle of the head or of the body.
    BrokenOff,
    Reset,
    /// Not within the client's patience.
    Open,
    /// Not within the client's memory.
    TooLong,
}

/// An answer; status 0 if there is none.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    pub(super) end: End,
}

impl Got {
    /// A field of the JSON body, as text; empty if there is none.
    pub(super) fn field(&self, name: &str) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        match &body[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

pub(super) fn basic(user: &str, password: &str) -> Option<String> {
    Some(format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    ))
}

pub(super) fn post(path: &str, body: impl Into<String>) -> Request {
    Request {
        line: format!("POST {path}"),
        authorization: basic(PROJECT_ID_DEFAULT, SECRET_DEFAULT),
        content_type: Some("application/json"),
        body: body.into(),
    }
}

pub(super) fn get(path: &str) -> Request {
    Request {
        line: format!("GET {path}"),
        content_type: None,
        ..post("", "")
    }
}

pub(super) fn revoke(session_id: &str) -> Request {
    post(
        "/v1/sessions/revoke",
        format!(r#"{{"session_id":"{session_id}"}}"#),
    )
}

pub(super) fn list(user_id: &str) -> Request {
    get(&format!("/v1/sessions?user_id={user_id}"))
}

/// Sends a request on a connection of its own and reads until that ends.
pub(super) async fn send(addr: SocketAddr, request: &Request) -> Got {
    let Request {
        line,
        authorization,
        content_type,
        body,
    } = request;
    let mut text = format!(
        "{line} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    if let Some(value) = authorization {
        text += &format!("authorization: {value}\r\n");
    }
    if let Some(value) = content_type {
        text += &format!("content-type: {value}\r\n");
    }
    text += "\r\n";
    text += body;
    let mut tcp = TcpStream::connect(addr).await.expect("the sandbox listens");
    tcp.write_all(text.as_bytes())
        .await
        .expect("the sandbox reads");

    let (mut bytes, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    let end = loop {
        match timeout_at(deadline, tcp.read_buf(&mut bytes)).await {
            Err(_) => break End::Open,
            Ok(Ok(0)) => break End::BrokenOff,
            Ok(Ok(_)) if bytes.len() > ANSWER_BYTES_MAX => break End::TooLong,
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Ok(Err(error)) => panic!("{error}"),
        }
    };
    parse(
        &String::from_utf8(bytes).expect("the sandbox answers in UTF-8"),
        end,
    )
}

/// Splits an answer; one that ended with its connection is whole if its own framing says so.
fn parse(text: &str, end: End) -> Got {
    let (head, rest) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let status = head
        .get(9..12)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let mut got = Got {
        status,
        head: head.to_owned(),
        body: String::new(),
        end,
    };
    let length = got.header("content-length").map(str::parse);
    let (body, whole) = match length {
        Some(length) => (rest.to_owned(), length == Ok(rest.len())),
        None => dechunk(rest),
    };
    got.body = body;
    if end == End::BrokenOff && status != 0 && whole {
        got.end = End::Whole;
    }
    got
}

fn dechunk(mut rest: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a chunk begins with its length");
        if length == 0 {
            return (body, true);
        }
        body += &after[..length.min(after.len())];
        rest = after.get(length + 2..).unwrap_or_default();
    }
    (body, false)
}
