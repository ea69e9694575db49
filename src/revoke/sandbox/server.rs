//! The pretend API on a socket: HTTP/1.1 and HTTP/2 in clear on one port.
//!
//! Nothing is decided here; a request becomes an [`Answer`] in [`super::route`].

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER},
    http::request::Parts,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use jiff::Timestamp;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    answer::{Answer, Delivery},
    body::{Body, body},
    control,
    route::Project,
    socket::{Reset, Socket},
};

/// Connections open at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 4096;
/// Bytes of a request's body.
const REQUEST_BYTES_MAX: usize = 64 << 10;
/// Streams of one HTTP/2 connection.
const STREAMS_MAX: u32 = 1024;
/// For a request's head, idle time before it included: longer than clients keep idle connections.
const HEAD_MAX: Duration = Duration::from_secs(300);
/// For a request's body.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// The longest that a request hangs; the connection is reset then.
const HANG_MAX: Duration = Duration::from_secs(600);
/// Before another try to accept, when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    project: Mutex<Project>,
    latency: Duration,
}

impl Shared {
    pub(super) const fn new(project: Project, latency: Duration) -> Self {
        Self {
            project: Mutex::new(project),
            latency,
        }
    }

    /// The project, for the moment of one request.
    pub(super) fn project(&self) -> MutexGuard<'_, Project> {
        // A panic in one request leaves counts at worst one short: good enough for a sandbox.
        self.project.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until it is dropped, and every connection with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((tcp, _)) => drop(connections.spawn(connection(tcp, Arc::clone(&shared)))),
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(tcp: TcpStream, shared: Arc<Shared>) {
    // Without it answers may wait for the client's acknowledgement; a failure costs only time.
    let _ = tcp.set_nodelay(true);
    let reset = Arc::new(Reset::default());
    let service = service_fn({
        let reset = Arc::clone(&reset);
        move |request| handle(Arc::clone(&shared), Arc::clone(&reset), request)
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX);
    server.http2().max_concurrent_streams(STREAMS_MAX);
    let io = TokioIo::new(Socket::new(tcp, Arc::clone(&reset)));
    tokio::select! {
        // How a client's connection ends is the client's affair.
        _ = server.serve_connection(io, service) => {}
        () = reset.wanted() => {}
    }
}

async fn handle(
    shared: Arc<Shared>,
    reset: Arc<Reset>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (parts, incoming) = request.into_parts();
    let answer = match read(incoming).await {
        Ok(body) => answer(&shared, &parts, &body).await,
        Err(complaint) => Answer::json(413, serde_json::json!({"error": complaint}).to_string()),
    };
    match answer.delivery {
        Delivery::Hang => {
            sleep(HANG_MAX).await;
            reset.now().await
        }
        Delivery::Reset => reset.now().await,
        _ => Ok(respond(answer, &shared)),
    }
}

async fn read(incoming: Incoming) -> Result<Bytes, &'static str> {
    let read = timeout(
        REQUEST_MAX,
        Limited::new(incoming, REQUEST_BYTES_MAX).collect(),
    );
    let collected = read.await.map_err(|_| "the body took longer than 30 s")?;
    Ok(collected
        .map_err(|_| "the body is longer than 64 KiB, or broke off")?
        .to_bytes())
}

async fn answer(shared: &Shared, parts: &Parts, body: &[u8]) -> Answer {
    if parts.uri.path().starts_with(control::PREFIX) {
        return shared.project().control(parts, body, Timestamp::now());
    }
    let answer = {
        let mut project = shared.project();
        // Looked at in here: times that come in another order than the calls would open a window twice.
        project.answer(parts, body, Timestamp::now())
    };
    if !shared.latency.is_zero() {
        sleep(shared.latency).await;
    }
    answer
}

fn respond(answer: Answer, shared: &Arc<Shared>) -> Response<Body> {
    let Answer {
        status,
        content_type,
        retry_after,
        location,
        ..
    } = answer;
    let mut response = Response::new(body(answer.delivery, answer.body, shared));
    *response.status_mut() = status.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(value) = retry_after.map(|after| after.value(Timestamp::now())) {
        // Digits or a date: always a header's value.
        headers.extend(HeaderValue::try_from(value).map(|value| (RETRY_AFTER, value)));
    }
    if let Some(location) = location {
        headers.insert(LOCATION, HeaderValue::from_static(location));
    }
    response
}
