//! A socket of which everything is read that the other side has said, though it has closed meanwhile.
//!
//! A TLS server refuses a client's certificate when the client may be writing already: it says why in an
//! alert, and closes. What the client writes then fails, and whoever gives up there never reads the alert, which
//! lies in the system's buffer. So a write that fails is told where the socket is read, behind what is left in it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::io::{AsyncRead, AsyncWrite};

/// The socket.
pub(super) struct LastWords<S> {
    socket: S,
    /// Why nothing can be written any more.
    broken: Option<io::Error>,
}

impl<S> LastWords<S> {
    pub(super) const fn new(socket: S) -> Self {
        Self {
            socket,
            broken: None,
        }
    }

    /// What a write came to; one that failed counts as done, as one that is lost on its way would.
    fn written(&mut self, written: io::Result<usize>, len: usize) -> io::Result<usize> {
        written.or_else(|error| match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                self.broken = Some(error);
                Ok(len)
            }
            _ => Err(error),
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LastWords<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let read = ready!(Pin::new(&mut this.socket).poll_read(cx, into));
        Poll::Ready(match (read, this.broken.take()) {
            (Ok(0), Some(broken)) => Err(broken),
            (read, broken) => {
                this.broken = broken;
                read
            }
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LastWords<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.socket).poll_write(cx, bytes));
        Poll::Ready(this.written(written, bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.socket).poll_write_vectored(cx, pieces));
        let len = pieces.iter().map(|piece| piece.len()).sum();
        Poll::Ready(this.written(written, len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
    };

    use futures_util::io::{AllowStdIo, AsyncReadExt, AsyncWriteExt};

    use super::LastWords;

    /// As a TLS server does: it speaks and closes with something unread, so that the client is reset.
    #[tokio::test]
    async fn what_was_said_before_a_close_is_read_after_a_write_that_failed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"unread").unwrap();
        server.write_all(b"why").unwrap();
        // One byte of what came, so that all has come.
        server.read_exact(&mut [0]).unwrap();
        drop(server);
        let mut socket = LastWords::new(AllowStdIo::new(client));
        // The first may reach a system that does not know yet; the last cannot.
        for _ in 0..3 {
            socket.write_all(b"more").await.unwrap();
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let mut heard = [0; 8];
        assert_eq!(socket.read(&mut heard).await.unwrap(), 3);
        assert_eq!(&heard[..3], b"why");
        socket.read(&mut heard).await.unwrap_err();
    }
}
