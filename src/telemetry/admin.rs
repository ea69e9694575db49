//! The admin port: `/metrics`, `/healthz` and `/readyz`, on a thread and a runtime of their own.
//!
//! Their own, so that a worker whose runtime is busy or stuck still answers its scrape: that is when
//! the numbers matter. Not a way in: GET and HEAD only, nothing in an answer but numbers and fixed
//! words, and a limit on everything a stranger can hold: connections, header time, header size, and
//! the time of one connection, which serves one request.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, header, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::Semaphore, time};
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use super::state::{Snapshot, StateBoard, shown_time};

/// Connections at once; further ones are closed unanswered.
pub const CONNECTIONS_MAX: usize = 64;
/// From the start of a connection to the end of the request's header.
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(5);
/// From the start of a connection to its end.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(15);
/// Bytes of a request's header.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Wait after a failed accept (no file descriptor left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The running admin port; stops when dropped.
#[derive(Debug)]
pub struct Admin {
    addr: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Listens on `addr` (port 0: any free one) and answers from a new thread.
    ///
    /// # Errors
    /// The address cannot be listened on, or the thread cannot be started.
    pub fn start(
        addr: SocketAddr,
        metrics: Arc<Metrics>,
        board: Arc<StateBoard>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).map_err(|e| explain(addr, &e))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let pages = Arc::new(Pages { metrics, board });
        let thread = thread::Builder::new()
            .name("admin".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = stopped => {}
                        () = serve(listener, pages) => {}
                    }
                });
            })?;
        Ok(Self {
            addr,
            stop,
            thread: Some(thread),
        })
    }

    /// The address in use.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // It only ever ends by this token; a panic in it was reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// What to do about an address that cannot be listened on.
fn explain(addr: SocketAddr, error: &io::Error) -> io::Error {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "something else, perhaps another worker, listens there",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege",
        _ => "the system refused",
    };
    let text = format!(
        "the admin port cannot listen on {addr}: {advice} ({error}); choose another REVOKER_ADMIN_ADDR"
    );
    io::Error::new(error.kind(), text)
}

/// Accepts for ever.
async fn serve(listener: TcpListener, pages: Arc<Pages>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the admin port cannot be served"),
    };
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&free).try_acquire_owned() else {
            continue; // dropping the stream closes it
        };
        let pages = Arc::clone(&pages);
        tokio::spawn(async move {
            // A client that is too slow or breaks the protocol is its own problem: nothing to log.
            let _ = time::timeout(CONNECTION_TIME_MAX, answer(stream, pages)).await;
            drop(permit);
        });
    }
}

/// Serves the one request of a connection.
async fn answer(stream: TcpStream, pages: Arc<Pages>) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let response = pages.page(request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

/// What the pages show.
#[derive(Debug)]
struct Pages {
    metrics: Arc<Metrics>,
    board: Arc<StateBoard>,
}

impl Pages {
    /// The answer to one request; the server leaves the body out for HEAD.
    fn page(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        const TEXT: &str = "text/plain; charset=utf-8";
        let page: fn(&Self) -> (StatusCode, &'static str, String) = match path {
            "/metrics" => |s| (StatusCode::OK, prometheus::TEXT_FORMAT, s.metrics.render()),
            "/healthz" => |_| (StatusCode::OK, TEXT, "ok\n".to_owned()),
            "/readyz" => Self::readiness,
            _ => |_| (StatusCode::NOT_FOUND, TEXT, "not found\n".to_owned()),
        };
        let allowed = method == Method::GET || method == Method::HEAD;
        let (status, content_type, body) = if allowed {
            page(self)
        } else {
            (
                StatusCode::METHOD_NOT_ALLOWED,
                TEXT,
                "only GET and HEAD\n".to_owned(),
            )
        };
        let mut response = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CACHE_CONTROL, "no-store");
        if !allowed {
            response = response.header(header::ALLOW, "GET, HEAD");
        }
        response
            .body(Full::from(body))
            .expect("status and headers are constants")
    }

    /// `/readyz`: 503 only where nothing can come in.
    fn readiness(&self) -> (StatusCode, &'static str, String) {
        let (shown, also) = self.board.now();
        let status = if shown.ready() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let also: Vec<Value> = also.iter().map(told).collect();
        let mut body = told(&shown);
        body["ready"] = shown.ready().into();
        body["also"] = also.into();
        (status, "application/json", format!("{body}\n"))
    }
}

/// A state in the answer of `/readyz`.
fn told(held: &Snapshot) -> Value {
    json!({
        "state": held.state.as_str(),
        "since": shown_time(held.since),
        "reason": held.why.sentence(),
        "why": held.why.as_str(),
        "next_probe": held.next_probe.map(shown_time),
    })
}
