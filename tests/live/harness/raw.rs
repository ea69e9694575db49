//! A publisher that writes its frames itself, byte by byte: what no client library would send.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use lapin::uri::AMQPUri;

use super::{Event, broker::Broker};

/// What stands between an event's header frame and the broker's check of it.
pub(crate) struct Raw {
    /// The routing key.
    pub(crate) routing_key: Vec<u8>,
    /// The flags of the properties that follow.
    pub(crate) flags: u16,
    /// The properties.
    pub(crate) properties: Vec<u8>,
}

/// A short string.
pub(crate) fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text].concat()
}

/// A long string, a table or an array.
pub(crate) fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// A header of a table: its name, its type and its value.
pub(crate) fn entry(name: &[u8], kind: u8, value: &[u8]) -> Vec<u8> {
    [&short(name)[..], &[kind], value].concat()
}

impl Broker {
    /// Publishes an event with these bytes in place of its properties.
    ///
    /// # Panics
    /// When the broker does not confirm it.
    pub(crate) async fn publish_raw(&self, event: &Event, raw: Raw) {
        let uri: AMQPUri = self.url.parse().unwrap();
        let (exchange, body) = (self.name(&event.exchange), event.body.clone());
        let publish = move || {
            let mut connection = Connected::new(&uri);
            let publish = [
                &[0, 60, 0, 40, 0, 0][..],
                &short(exchange.as_bytes()),
                &short(&raw.routing_key),
                &[1], // mandatory
            ];
            let header = [
                &[0, 60, 0, 0][..],
                &(body.len() as u64).to_be_bytes(),
                &raw.flags.to_be_bytes(),
                &raw.properties,
            ];
            connection.send(1, 1, &publish.concat());
            connection.send(2, 1, &header.concat());
            connection.send(3, 1, &body);
            let answer = connection.read();
            let text = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with(&[0, 60, 0, 80]), "no confirm: {text:?}");
        };
        tokio::task::spawn_blocking(publish).await.unwrap();
    }
}

struct Connected(TcpStream);

impl Connected {
    /// A connection with one channel, on which publishes are confirmed.
    fn new(uri: &AMQPUri) -> Self {
        let (at, user) = (&uri.authority, &uri.authority.userinfo);
        let socket = TcpStream::connect((at.host.as_str(), at.port)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut connection = Self(socket);
        connection.0.write_all(b"AMQP\0\0\x09\x01").unwrap();
        connection.read();
        let response = format!("\0{}\0{}", user.username, user.password);
        let start_ok = [
            &[0, 10, 0, 11][..],
            &long(b""),
            &short(b"PLAIN"),
            &long(response.as_bytes()),
            &short(b"en_US"),
        ];
        connection.send(1, 0, &start_ok.concat());
        let tune = connection.read();
        // The broker's own limits, without heartbeats.
        let tune_ok = [&[0, 10, 0, 31][..], &tune[4..10], &[0, 0]];
        connection.send(1, 0, &tune_ok.concat());
        let open = [
            &[0, 10, 0, 40][..],
            &short(uri.vhost.as_bytes()),
            &short(b""),
            &[0],
        ];
        connection.send(1, 0, &open.concat());
        connection.read();
        for open_then_confirm in [&[0, 20, 0, 10, 0][..], &[0, 85, 0, 10, 0]] {
            connection.send(1, 1, open_then_confirm);
            connection.read();
        }
        connection
    }

    fn send(&mut self, kind: u8, channel: u8, payload: &[u8]) {
        let frame = [&[kind, 0, channel], &long(payload)[..], &[0xCE]].concat();
        self.0.write_all(&frame).unwrap();
    }

    /// The payload of the next frame.
    fn read(&mut self) -> Vec<u8> {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).expect("the broker answers");
        let len = u32::from_be_bytes(head[3..].try_into().unwrap());
        let mut payload = vec![0; len as usize + 1];
        self.0.read_exact(&mut payload).unwrap();
        payload.pop();
        payload
    }
}
