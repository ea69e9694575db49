//! The pretend API: Stytch's sessions endpoints, and the search of users, in memory, with rate limits and faults.
//!
//! Not a mock of our own client: it speaks HTTP/1.1 and HTTP/2 on a socket and keeps the API's
//! documented order of complaints, so that the official SDKs work against it unchanged and a test
//! proves a revocation as a customer would, by listing the user's sessions. What is not documented
//! (whether a second revoke answers 200 or 404) is a switch.

mod answer;
mod body;
mod control;
mod errors;
mod faults;
mod ids;
pub mod limit;
pub mod limiter;
mod meter;
mod plan;
mod request;
mod retry_after;
mod route;
mod search;
pub mod seconds;
mod seed;
mod server;
mod socket;
mod stats;
mod world;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::{net::TcpListener, task::JoinHandle};

pub use errors::ApiError;
pub use faults::{Fault, Faults, Odd};
pub use plan::{LimitForm, Plan, PlanError, Targeted};
pub use seed::{Seed, SeedError, Seeded};
pub use stats::{Calls, PerSecond, Revokes, Sessions, Stats};

/// The project id that a sandbox serves unless told otherwise.
pub const PROJECT_ID_DEFAULT: &str = "project-test-11111111-1111-4111-8111-111111111111";
/// The secret of that project; it protects nothing.
pub const SECRET_DEFAULT: &str = "secret-test-sandbox";

/// What a sandbox is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be another address than loopback.
    pub allow_remote: bool,
    /// The one project that exists; `project-live-…` makes all ids live ones.
    pub project_id: String,
    /// That project's secret.
    pub secret: SecretString,
    /// The same seed makes the same ids and draws the same faults.
    pub seed: u64,
    /// How long every API answer is held back.
    pub latency: Duration,
    /// Revoking any well-formed id or token answers 200, however often: for measuring throughput.
    pub accept_any: bool,
    /// Revoking a session that was revoked before answers 200 instead of 404.
    pub gone_answers_200: bool,
    /// Faults and limits to begin with.
    pub plan: Plan,
    /// Users and sessions to begin with.
    pub preload: Seed,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            project_id: PROJECT_ID_DEFAULT.to_owned(),
            secret: SecretString::from(SECRET_DEFAULT),
            seed: 0,
            latency: Duration::ZERO,
            accept_any: false,
            gone_answers_200: false,
            plan: Plan::default(),
            preload: Seed::default(),
        }
    }
}

/// A running sandbox; it ends when dropped.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    shared: Arc<server::Shared>,
    task: JoinHandle<()>,
}

impl Sandbox {
    /// Starts listening, on the caller's Tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be had, is remote without leave, or the plan or the preload is refused.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        if !settings.listen.ip().is_loopback() && !settings.allow_remote {
            let why = "the sandbox listens on loopback only, as anyone may control it; allow_remote lifts that";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let project = route::Project::new(&settings, Timestamp::now())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = TcpListener::bind(settings.listen).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(server::Shared::new(project, settings.latency));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { addr, shared, task })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The API's base URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Makes users and sessions, as `POST /sandbox/seed` does.
    ///
    /// # Errors
    /// When an id is none, or there would be too many.
    pub fn seed(&self, seed: &Seed) -> Result<Seeded, SeedError> {
        self.shared.project().world.seed(seed, Timestamp::now())
    }

    /// Replaces all faults and limits, as `POST /sandbox/faults` does.
    ///
    /// # Errors
    /// When the plan is refused; the one before it stays.
    pub fn set_plan(&self, plan: &Plan) -> Result<(), PlanError> {
        self.shared.project().set_plan(plan)
    }

    /// The counts, as `GET /sandbox/stats` answers them.
    pub fn stats(&self) -> Stats {
        self.shared.project().stats_now()
    }

    /// Ends it and all its connections; the port is free afterwards.
    pub async fn stop(mut self) {
        self.task.abort();
        // The end of an aborted task is an error by definition.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}
