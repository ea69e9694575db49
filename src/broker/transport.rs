//! The library's connection to the broker, with a sieve in it.
//!
//! Not what the sieve does (`sieve`), only how it gets between: the library lets its caller open the
//! socket, and is given one that mends what comes in.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use async_rs::{
    Runtime, Tokio,
    traits::Reactor,
    util::{DummyIO, RuntimeParts},
};
use futures_util::{
    Stream,
    io::{AsyncRead, AsyncWrite},
};
use lapin::{
    Connection, ConnectionProperties,
    tcp::{AsyncTcpStream, RustlsConnector, RustlsConnectorConfig},
    uri::{AMQPAuthority, AMQPScheme, AMQPUri},
};

use super::{last_words::LastWords, sieve::Sieve};
use crate::tls::Loaded;

/// How much is read from the socket at once, bytes.
const READ_BYTES: usize = 32 * 1024;

/// Connects as `Connection::connect_uri` does, but for the sieve and for whom we trust.
pub(super) async fn connect(
    uri: AMQPUri,
    properties: ConnectionProperties,
    files: Loaded,
) -> lapin::Result<Connection> {
    let tokio = Tokio::current();
    let runtime = Runtime::new(RuntimeParts::new(tokio.clone(), Timers(tokio.clone())));
    let tokio = Runtime::new(tokio);
    let tls = match uri.scheme {
        AMQPScheme::AMQP => None,
        AMQPScheme::AMQPS => Some(connector(files)?),
    };
    let open = async move |uri: AMQPUri, _| {
        let AMQPAuthority { host, port, .. } = uri.authority;
        let address = tokio.to_socket_addrs((host.clone(), port));
        let socket = LastWords::new(tokio.tcp_connect(address).await?);
        let socket = AsyncTcpStream::Plain(socket);
        let socket = match &tls {
            None => socket,
            Some(tls) => socket.into_rustls(tls, &host).await?,
        };
        Ok(AsyncTcpStream::Plain(Strained::new(socket)))
    };
    Connection::connector(uri, runtime, open, properties).await
}

/// The given CAs alone are trusted, not the system's beside them: a private broker has a private CA.
fn connector(files: Loaded) -> io::Result<RustlsConnector> {
    let trusted = match files.authorities {
        Some(authorities) => {
            RustlsConnectorConfig::default().with_parsable_certificates(authorities)
        }
        None => RustlsConnectorConfig::new_with_platform_verifier(),
    };
    match files.identity {
        Some((certificates, key)) => trusted.connector_with_single_cert(certificates, key),
        None => trusted.connector_with_no_client_auth(),
    }
}

/// The library's socket, with TLS or without it.
type Socket = AsyncTcpStream<LastWords<<Tokio as Reactor>::TcpStream>>;

/// A socket that is read through a sieve. TLS, if any, is below it.
struct Strained {
    socket: Socket,
    sieve: Sieve,
    read: Box<[u8]>,
    /// What the library may have, and how much of it has been given.
    ready: Vec<u8>,
    given: usize,
}

impl Strained {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            sieve: Sieve::default(),
            read: vec![0; READ_BYTES].into(),
            ready: Vec::new(),
            given: 0,
        }
    }
}

impl AsyncRead for Strained {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // Until there is something to give: a frame may come in many pieces.
        while this.given == this.ready.len() {
            let len = ready!(Pin::new(&mut this.socket).poll_read(cx, &mut this.read))?;
            if len == 0 {
                return Poll::Ready(Ok(0));
            }
            this.ready.clear();
            this.given = 0;
            this.sieve.strain(&this.read[..len], &mut this.ready);
        }
        let rest = &this.ready[this.given..];
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        this.given += len;
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Strained {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, pieces)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx)
    }
}

/// Tokio's timers for the library, under the type of our sockets. It opens none itself.
#[derive(Debug, Clone)]
struct Timers(Tokio);

impl Reactor for Timers {
    type TcpStream = Strained;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<DummyIO, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        _: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
