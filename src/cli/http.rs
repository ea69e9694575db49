//! GET requests of the command line: to a worker's admin port and to RabbitMQ's management API.
//!
//! Not the Stytch call, which has rules of its own. What goes wrong is told without the URL, which may
//! hold a password.

use std::{error::Error as _, time::Duration};

use reqwest::{Certificate, Client, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::{broker, tls};

/// From connecting to the last byte.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Longest answer, bytes: the queues of one prefix are a few KiB.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// A server to be asked.
#[derive(Debug, Clone)]
pub(super) struct Server {
    client: Client,
    base: Url,
    user: Option<(String, SecretString)>,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Server {
    /// The server at a URL; `user` counts if the URL has none. CAs of a file are trusted in place of this
    /// system's, as for AMQP.
    ///
    /// # Errors
    /// What is wrong with the URL, with the file, or with this system's TLS roots.
    pub(super) fn new(
        url: &str,
        user: Option<(String, SecretString)>,
        files: &tls::Files,
    ) -> Result<Self, String> {
        let mut base = Url::parse(url).map_err(|_| "it is not a URL".to_owned())?;
        if !base.path().ends_with('/') {
            // Joined paths go under the last slash.
            base.set_path(&format!("{}/", base.path()));
        }
        let loaded = files.load().map_err(|flaws| {
            let flaws = flaws.iter().map(ToString::to_string);
            format!(
                "{} {}",
                broker::CA_FILE,
                flaws.collect::<Vec<_>>().join("; ")
            )
        })?;
        let mut client = Client::builder();
        if let Some(authorities) = loaded.authorities {
            let trusted = authorities.iter().map(|ca| Certificate::from_der(ca));
            let trusted: Result<Vec<_>, _> = trusted.collect();
            client = client.tls_certs_only(trusted.map_err(|error| root(&error))?);
        }
        let client = client
            .timeout(TIME_MAX)
            // A redirect leads away from whom the user named.
            .redirect(reqwest::redirect::Policy::none())
            // What is asked is near, and the answer nobody else's.
            .no_proxy()
            .user_agent(concat!("revoker/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client cannot be set up: {}", root(&error)))?;
        Ok(Self { client, base, user })
    }

    /// Host and port, as they may be shown.
    pub(super) fn shown(&self) -> String {
        let port = self.base.port_or_known_default().unwrap_or_default();
        format!("{}:{port}", self.base.host_str().unwrap_or_default())
    }

    /// Asks for a path under the URL; each of `query` is escaped.
    ///
    /// # Errors
    /// Why there is no answer, in words for people.
    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.get(url);
        if let Some((user, password)) = self.user.as_ref().filter(|_| !self.has_user()) {
            request = request.basic_auth(user, Some(password.expose_secret()));
        }
        let mut response = request.send().await.map_err(|error| explain(&error))?;
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
            if body.len() + chunk.len() > BYTES_MAX {
                return Err(format!("its answer is longer than {BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let body = String::from_utf8(body).map_err(|_| "its answer is not text".to_owned())?;
        Ok(Answer { status, body })
    }

    fn has_user(&self) -> bool {
        !self.base.username().is_empty()
    }
}

fn explain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIME_MAX.as_secs());
    }
    root(error)
}

/// The innermost cause: the system's or TLS's own words, which hold no URL.
fn root(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(|cause| cause.source()) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "it cannot be asked".to_owned(), ToString::to_string)
}
