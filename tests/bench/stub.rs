//! An API that answers every revoke with 200, if asked to only after a while and only so many a
//! second, and counts per session what came.
//!
//! Not the sandbox: it knows no sessions and checks nothing, so that it costs as little as it can
//! beside what is measured.
//!
//! Over the limit, in fixed windows of a second, it answers 429. Given the address of a broker, it also
//! is a [`tap`] on the way there. The one line that it prints is its URL and, then, the tap's address.
//! `GET /reset` starts a new count, `GET /count` answers `CALLS REFUSED DISTINCT DOUBLED FIRST LAST`,
//! the times in microseconds since the stub's start. Of timed events, `GET /published` and `GET
//! /delivered` answer `COUNT P50 P99 MAX`, in microseconds from publish and from delivery to the call
//! that was let through.

#[path = "session.rs"]
mod session;
#[path = "tap.rs"]
mod tap;

use std::{
    convert::Infallible,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming, header};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use session::{EVENTS_MAX, Session};
use tap::Tap;
use tokio::net::TcpListener;

/// What the real API answers to a revoke that worked.
const REVOKED: &[u8] =
    br#"{"status_code":200,"request_id":"request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141"}"#;
/// And to one too many.
const REFUSED: &[u8] = br#"{"status_code":429,"request_id":"request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141","error_type":"too_many_requests","error_message":"Too many requests have been made.","error_url":"https://stytch.com/docs/api/errors/429"}"#;

struct Stub {
    latency: Duration,
    limit_per_second: Option<u64>,
    epoch: Instant,
    /// The second since the epoch that is counted, and the calls let through in it.
    window: Mutex<(u64, u64)>,
    calls: AtomicU64,
    refused: AtomicU64,
    distinct: AtomicU64,
    doubled: AtomicU64,
    first_us: AtomicU64,
    last_us: AtomicU64,
    /// Whether a session was revoked, by its number.
    seen: Vec<AtomicU8>,
    /// From publish to the first call let through, microseconds, of each timed event.
    waited_us: Mutex<Vec<u64>>,
    tap: Arc<Tap>,
}

impl Stub {
    fn new(latency: Duration, limit_per_second: Option<u64>) -> Self {
        Self {
            latency,
            limit_per_second,
            epoch: Instant::now(),
            window: Mutex::default(),
            calls: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            distinct: AtomicU64::new(0),
            doubled: AtomicU64::new(0),
            first_us: AtomicU64::new(u64::MAX),
            last_us: AtomicU64::new(0),
            seen: (0..EVENTS_MAX).map(|_| AtomicU8::new(0)).collect(),
            waited_us: Mutex::default(),
            tap: Arc::default(),
        }
    }

    fn reset(&self) {
        for number in [&self.calls, &self.refused, &self.distinct, &self.doubled] {
            number.store(0, Relaxed);
        }
        self.first_us.store(u64::MAX, Relaxed);
        self.last_us.store(0, Relaxed);
        for seen in &self.seen {
            seen.store(0, Relaxed);
        }
        self.waited_us.lock().expect("no panic holds it").clear();
        self.tap.reset();
    }

    /// Counts a call and says whether it is let through.
    fn call(&self, body: &[u8]) -> bool {
        let arrived = Instant::now();
        let now = arrived.duration_since(self.epoch);
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        self.calls.fetch_add(1, Relaxed);
        self.first_us.fetch_min(now_us, Relaxed);
        if !self.is_within_limit(now) {
            self.refused.fetch_add(1, Relaxed);
            return false;
        }
        // A session that is none of ours is a probe.
        let Some(session) = Session::find(body) else {
            return true;
        };
        self.last_us.fetch_max(now_us, Relaxed);
        if self.seen[session.number].swap(1, Relaxed) == 1 {
            self.doubled.fetch_add(1, Relaxed);
            return true;
        }
        self.distinct.fetch_add(1, Relaxed);
        if let Some(waited) = session.waited(SystemTime::now()) {
            let mut waited_us = self.waited_us.lock().expect("no panic holds it");
            waited_us.push(waited);
            self.tap.called(session.number, arrived);
        }
        true
    }

    fn is_within_limit(&self, now: Duration) -> bool {
        let Some(limit) = self.limit_per_second else {
            return true;
        };
        let mut window = self.window.lock().expect("no panic holds it");
        if window.0 != now.as_secs() {
            *window = (now.as_secs(), 0);
        }
        window.1 += 1;
        window.1 <= limit
    }

    fn count(&self) -> String {
        let [calls, refused, distinct, doubled, first, last] = [
            &self.calls,
            &self.refused,
            &self.distinct,
            &self.doubled,
            &self.first_us,
            &self.last_us,
        ]
        .map(|number| number.load(Relaxed));
        format!("{calls} {refused} {distinct} {doubled} {first} {last}\n")
    }

    fn published(&self) -> String {
        ranks(self.waited_us.lock().expect("no panic holds it").clone())
    }
}

/// How many there are, the median, the 99th percentile and the longest.
fn ranks(mut times_us: Vec<u64>) -> String {
    times_us.sort_unstable();
    // The nearest rank: of 40 times the 99th percentile is the longest.
    let rank = |percent: usize| (times_us.len() * percent).div_ceil(100).saturating_sub(1);
    let [p50, p99, max] =
        [50, 99, 100].map(|percent| times_us.get(rank(percent)).copied().unwrap_or(0));
    format!("{} {p50} {p99} {max}\n", times_us.len())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [latency_ms, limit_per_second, broker @ ..] = arguments.as_slice() else {
        bail!("usage: bench-stub LATENCY_MS LIMIT_PER_SECOND [BROKER_ADDRESS], 0 for none");
    };
    let latency = Duration::from_millis(latency_ms.parse().context("LATENCY_MS")?);
    let limit: u64 = limit_per_second.parse().context("LIMIT_PER_SECOND")?;
    let stub = Arc::new(Stub::new(latency, (limit > 0).then_some(limit)));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut addresses = format!("http://{}", listener.local_addr()?);
    if let Some(broker) = broker.first() {
        let broker = broker.parse().context("BROKER_ADDRESS")?;
        let for_tap = TcpListener::bind(("127.0.0.1", 0)).await?;
        addresses = format!("{addresses} {}", for_tap.local_addr()?);
        tokio::spawn(tap::run(stub.tap.clone(), for_tap, broker));
    }
    writeln!(std::io::stdout(), "{addresses}")?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let stub = stub.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &stub));
            // A client that goes away is no news here.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    stub: &Stub,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut status = StatusCode::OK;
    let body = match request.uri().path() {
        "/count" => Bytes::from(stub.count()),
        "/published" => Bytes::from(stub.published()),
        "/delivered" => Bytes::from(ranks(stub.tap.took_us())),
        "/reset" => {
            stub.reset();
            Bytes::new()
        }
        _ => {
            // Read to its end, so that the connection can be used again.
            let body = request.into_body().collect().await;
            let body = body.map(|body| body.to_bytes()).unwrap_or_default();
            if stub.call(&body) {
                if !stub.latency.is_zero() {
                    tokio::time::sleep(stub.latency).await;
                }
                Bytes::from_static(REVOKED)
            } else {
                status = StatusCode::TOO_MANY_REQUESTS;
                Bytes::from_static(REFUSED)
            }
        }
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}
