//! The HTTP client below the calls: its options, each with its reason, and whom it trusts.
//!
//! It keeps connections, so that it cannot ask for each of them what the file of CAs says. It is made again
//! when that file has changed instead; a file that cannot be used then changes nothing, for it is being
//! replaced.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{CA_FILE, ClientError, Settings};
use crate::tls::{self, Failure, Peer};

/// Idle connections are closed after this, before a load balancer does it under us.
const IDLE_CONNECTION_MAX: Duration = Duration::from_secs(50);

/// What tells one state of a file from another: its inode, its length, and when it was changed, in
/// seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

/// The client in use.
#[derive(Debug)]
pub(super) struct Http {
    current: Mutex<Current>,
    files: tls::Files,
    call_timeout: Duration,
}

#[derive(Debug)]
struct Current {
    client: reqwest::Client,
    stamp: Option<Stamp>,
    /// What the last failed handshake was told to mean; none since one succeeded.
    told: Option<String>,
}

impl Http {
    /// Makes the first client.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub(super) fn new(settings: &Settings) -> Result<Self, ClientError> {
        let (files, call_timeout) = (settings.tls.clone(), settings.call_timeout);
        let stamp = stamp(&files);
        let current = Current {
            client: client(&files, call_timeout)?,
            stamp,
            told: None,
        };
        Ok(Self {
            current: Mutex::new(current),
            files,
            call_timeout,
        })
    }

    /// The client, which trusts what the file of CAs says now.
    pub(super) fn current(&self) -> reqwest::Client {
        let stamp = stamp(&self.files);
        let mut current = self.lock();
        if stamp != current.stamp {
            current.stamp = stamp;
            match client(&self.files, self.call_timeout) {
                Ok(client) => {
                    tracing::info!("the file of {CA_FILE} has changed: it is used from now on");
                    current.client = client;
                }
                Err(error) => {
                    let next = "trust what it said before, until it changes again";
                    tracing::warn!(next, "the file of {CA_FILE} has changed: {error}");
                }
            }
        }
        current.client.clone()
    }

    /// A call was answered.
    pub(super) fn answered(&self) {
        self.lock().told = None;
    }

    /// A call failed: if TLS is at its root, what that means is logged, once while it lasts.
    pub(super) fn failed(&self, error: &reqwest::Error) {
        let peer = Peer {
            name: "Stytch",
            url: "REVOKER_STYTCH_BASE_URL",
            authorities: CA_FILE,
            identity: None,
            has_authorities: self.files.authorities.is_some(),
            has_identity: false,
        };
        let Some(failure) = Failure::of(error, &peer) else {
            return;
        };
        let mut current = self.lock();
        if current.told.as_ref() != Some(&failure.text) {
            tracing::warn!("{}", failure.text);
            current.told = Some(failure.text);
        }
    }

    /// What the last handshake failed of, if none has succeeded since.
    pub(super) fn trouble(&self) -> Option<String> {
        self.lock().told.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamp(files: &tls::Files) -> Option<Stamp> {
    let file = fs::metadata(files.authorities.as_ref()?).ok()?;
    Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

fn client(files: &tls::Files, call_timeout: Duration) -> Result<reqwest::Client, ClientError> {
    let loaded = files.load().map_err(|flaws| {
        let flaws: Vec<_> = flaws.iter().map(ToString::to_string).collect();
        ClientError::Authorities(flaws.join("; "))
    })?;
    let trusted = loaded.authorities.unwrap_or_default();
    let trusted = trusted.iter().map(|ca| reqwest::Certificate::from_der(ca));
    let client = reqwest::Client::builder()
        // Beside the system's: what stands between is not always there.
        .tls_certs_merge(trusted.collect::<Result<Vec<_>, _>>()?)
        // A redirect would turn the POST into a GET: a revocation that silently does not happen.
        .redirect(reqwest::redirect::Policy::none())
        // One deadline for connecting, sending and the last byte of the answer.
        .timeout(call_timeout)
        // The secret goes to the API and to nothing between that the environment may name.
        .no_proxy()
        .pool_idle_timeout(IDLE_CONNECTION_MAX)
        .user_agent(concat!("revoker/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}
