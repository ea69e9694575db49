//! An API that answers every revoke with 200 at once, and notes when the first and the last came.
//!
//! Not the sandbox: it knows no sessions and checks nothing, so that it costs as little as it can
//! beside what is measured.
//!
//! `GET /count` answers `COUNT FIRST LAST`, the times in microseconds since the stub's start;
//! `GET /reset` starts a new count. Its address is the first line it prints.

use std::{
    convert::Infallible,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, header, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What the real API answers to a revoke that worked.
const REVOKED: &[u8] =
    br#"{"status_code":200,"request_id":"request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141"}"#;

struct Count {
    epoch: Instant,
    calls: AtomicU64,
    first_us: AtomicU64,
    last_us: AtomicU64,
}

impl Count {
    fn reset(&self) {
        self.calls.store(0, Relaxed);
        self.first_us.store(u64::MAX, Relaxed);
        self.last_us.store(0, Relaxed);
    }

    fn add(&self) {
        let now = u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.calls.fetch_add(1, Relaxed);
        self.first_us.fetch_min(now, Relaxed);
        self.last_us.fetch_max(now, Relaxed);
    }

    fn line(&self) -> String {
        let [calls, first, last] =
            [&self.calls, &self.first_us, &self.last_us].map(|number| number.load(Relaxed));
        format!("{calls} {first} {last}\n")
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let count = Arc::new(Count {
        epoch: Instant::now(),
        calls: AtomicU64::new(0),
        first_us: AtomicU64::new(u64::MAX),
        last_us: AtomicU64::new(0),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let count = count.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &count));
            // A client that goes away is no news here.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    count: &Count,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.uri().path() {
        "/count" => Bytes::from(count.line()),
        "/reset" => {
            count.reset();
            Bytes::new()
        }
        _ => {
            // Read to its end, so that the connection can be used again.
            let _ = request.into_body().collect().await;
            count.add();
            Bytes::from_static(REVOKED)
        }
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}
