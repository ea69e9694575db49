//! The HTTP client: with `http` below it, the only one that names `reqwest` beside the command line.
//!
//! Every way a call can end is a [`Reply`]; nothing here decides what follows from it.

mod http;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use base64::Engine as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Api, CA_FILE, Call, Reply, SecretSource, Session, Settings,
    outcome::{Class, Failure},
    users::{self, UsersPage},
    wire::{self, Whoami},
};
use http::Http;

/// Long lists read at once: each may take up to [`wire::LIST_BYTES_MAX`] of memory. Those within
/// [`wire::ANSWER_BYTES_MAX`] wait for none: nearly all are, and an urgent one must not stand behind a campaign's.
const LONG_LISTS_AT_ONCE: usize = 2;

/// Stytch, over HTTP.
#[derive(Debug)]
pub struct Client {
    http: Http,
    settings: Settings,
    revoke_url: reqwest::Url,
    list_url: reqwest::Url,
    users_url: reqwest::Url,
    whoami_url: reqwest::Url,
    authorization: RwLock<Arc<HeaderValue>>,
    long_lists: Semaphore,
}

/// Why the client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS roots or the resolver could not be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(#[from] reqwest::Error),
    /// The file of CAs cannot be used.
    #[error("{CA_FILE} {0}")]
    Authorities(String),
    /// The base URL is not one.
    #[error("the base URL cannot be joined with the API's paths")]
    BaseUrl,
    /// The secret cannot be read.
    #[error("the API secret cannot be read: {0}; give a readable file with the secret in it")]
    Secret(#[from] std::io::Error),
}

impl Client {
    /// Makes a client and reads the API secret.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let http = Http::new(&settings)?;
        let url = |path: &str| {
            reqwest::Url::parse(&format!("{}{path}", settings.base_url))
                .map_err(|_| ClientError::BaseUrl)
        };
        let secret = read_secret(&settings.secret)?;
        Ok(Self {
            http,
            revoke_url: url("/v1/sessions/revoke")?,
            list_url: url("/v1/sessions")?,
            users_url: url("/v1/users/search")?,
            whoami_url: url("/v1/debug/whoami")?,
            authorization: RwLock::new(Arc::new(basic(&settings.project_id, &secret))),
            long_lists: Semaphore::new(LONG_LISTS_AT_ONCE),
            settings,
        })
    }

    /// The project that our credentials belong to, in Stytch's own words; `None` if it does not say.
    pub async fn whoami(&self) -> Option<Whoami> {
        let request = self.http.current().get(self.whoami_url.clone());
        let heard = self.hear(request, wire::ANSWER_BYTES_MAX).await.ok()?;
        wire::whoami(heard.status, &heard.body)
    }

    /// A page of the project's users: at most `limit` of them, 1 to [`users::PAGE_USERS_MAX`], from the
    /// cursor of the page before on.
    ///
    /// # Errors
    /// How the call ended, classified as other calls are.
    pub async fn search_users(&self, cursor: Option<&str>, limit: u16) -> Result<UsersPage, Reply> {
        let started = Instant::now();
        let request = self.http.current().post(self.users_url.clone());
        let request = with_body(request, users::body(cursor, limit));
        let heard = self.hear(request, users::PAGE_BYTES_MAX).await;
        let unanswered = |failure| Reply::unanswered(failure, started.elapsed());
        let heard = heard.map_err(unanswered)?;
        users::page(heard.status, &heard.body)
            .map_err(|answer| Reply::answered(answer, &heard, started.elapsed()))
    }

    /// What the TLS handshake with Stytch fails of, what to do about it; `None` if it does not, as far as is known.
    pub fn tls_trouble(&self) -> Option<String> {
        self.http.trouble()
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        self.http.failed(error);
        failure(error)
    }

    fn authorization(&self) -> HeaderValue {
        let held = self.authorization.read();
        HeaderValue::clone(&held.unwrap_or_else(PoisonError::into_inner))
    }

    fn request(&self, call: &Call) -> reqwest::RequestBuilder {
        let request = match call {
            Call::ListSessions(user_id) => {
                let mut url = self.list_url.clone();
                url.query_pairs_mut().append_pair("user_id", user_id);
                self.http.current().get(url)
            }
            _ => self.http.current().post(self.revoke_url.clone()),
        };
        match wire::body(call) {
            Some(body) => with_body(request, body),
            None => request,
        }
    }

    /// Sends a request and reads its answer to the end, within these bytes.
    async fn hear(
        &self,
        request: reqwest::RequestBuilder,
        bytes_max: usize,
    ) -> Result<Heard<'_>, Failure> {
        let request = request
            .header(AUTHORIZATION, self.authorization())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let mut response = request.send().await.map_err(|e| self.failure(&e))?;
        self.http.answered();
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|v| v.to_str().ok())
            .and_then(retry_after);
        let (mut body, mut turn) = (Vec::new(), None);
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failure(&e))? {
            let length = body.len() + chunk.len();
            if length > bytes_max {
                return Err(Failure::InvalidResponse);
            }
            if length > wire::ANSWER_BYTES_MAX && turn.is_none() {
                turn = self.long_lists.acquire().await.ok();
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Heard {
            status,
            retry_after,
            body,
            _turn: turn,
        })
    }
}

/// An answer that came whole.
struct Heard<'a> {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
    /// Held for as long as the body is.
    _turn: Option<SemaphorePermit<'a>>,
}

impl Api for Client {
    async fn call(&self, call: &Call) -> Reply {
        let bytes_max = match call {
            Call::ListSessions(_) => wire::LIST_BYTES_MAX,
            _ => wire::ANSWER_BYTES_MAX,
        };
        let started = Instant::now();
        match self.hear(self.request(call), bytes_max).await {
            Ok(heard) => {
                let answer = wire::answer(call, heard.status, &heard.body);
                Reply::answered(answer, &heard, started.elapsed())
            }
            Err(failure) => Reply::unanswered(failure, started.elapsed()),
        }
    }

    fn reload_secret(&self) -> bool {
        // An unreadable file keeps the old secret: it is being replaced, and is read again soon.
        let Ok(secret) = read_secret(&self.settings.secret) else {
            return false;
        };
        let fresh = basic(&self.settings.project_id, &secret);
        let mut held = self
            .authorization
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let changed = fresh.as_bytes() != held.as_bytes();
        *held = Arc::new(fresh);
        changed
    }
}

impl Reply {
    fn answered(answer: wire::Answer, heard: &Heard<'_>, elapsed: Duration) -> Self {
        Self {
            class: answer.class,
            status: Some(heard.status),
            request_id: answer.request_id,
            error_type: answer.error_type,
            retry_after: heard.retry_after,
            sessions: answer.sessions,
            elapsed,
        }
    }

    /// A call without a usable answer.
    pub fn unanswered(failure: Failure, elapsed: Duration) -> Self {
        let sessions: Vec<Session> = Vec::new();
        Self {
            class: Class::Retryable(failure),
            status: None,
            request_id: None,
            error_type: None,
            retry_after: None,
            sessions,
            elapsed,
        }
    }
}

fn with_body(request: reqwest::RequestBuilder, body: Vec<u8>) -> reqwest::RequestBuilder {
    // Exactly this: the API rejects a charset suffix.
    let json = HeaderValue::from_static("application/json");
    request.header(CONTENT_TYPE, json).body(body)
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::Timeout
    } else if error.is_body() || error.is_decode() {
        Failure::InvalidResponse
    } else {
        Failure::Network
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, as a wait from now.
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(
        at.duration_since(std::time::SystemTime::now())
            .unwrap_or_default(),
    )
}

fn read_secret(source: &SecretSource) -> std::io::Result<SecretString> {
    match source {
        SecretSource::Fixed(secret) => Ok(secret.clone()),
        SecretSource::File(path) => {
            let secret = std::fs::read_to_string(path)?;
            match secret.trim() {
                "" => Err(std::io::Error::other("the file is empty")),
                secret => Ok(SecretString::from(secret)),
            }
        }
    }
}

fn basic(project_id: &str, secret: &SecretString) -> HeaderValue {
    let pair = format!("{project_id}:{}", secret.expose_secret());
    let encoded = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    );
    let mut value = HeaderValue::from_str(&encoded).expect("base64 is a valid header value");
    value.set_sensitive(true);
    value
}
