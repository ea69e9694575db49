//! A socket that can be reset: closed with a TCP RST, so that the client sees an abrupt end.
//!
//! The linger time that makes a close a reset must be set on the socket just before it is dropped, by
//! when it belongs to hyper; so the wish for it is shared, and carried out on drop.

use std::{
    future::pending,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

/// The wish to reset a connection.
#[derive(Debug, Default)]
pub(super) struct Reset {
    is_wanted: AtomicBool,
    notify: Notify,
}

impl Reset {
    /// Has the connection reset, and with it ends whoever waits here.
    pub(super) async fn now<T>(&self) -> T {
        self.is_wanted.store(true, Ordering::Relaxed);
        self.notify.notify_one();
        pending().await
    }

    /// Until somebody wants it.
    pub(super) async fn wanted(&self) {
        self.notify.notified().await;
    }
}

/// A TCP connection that is reset when it is dropped, if that is wanted by then.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    reset: Arc<Reset>,
}

impl Socket {
    pub(super) const fn new(tcp: TcpStream, reset: Arc<Reset>) -> Self {
        Self { tcp, reset }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.is_wanted.load(Ordering::Relaxed) {
            // If this fails the client sees an orderly end without an answer: much the same.
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
