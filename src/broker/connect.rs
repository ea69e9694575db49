//! The loop that keeps making a new session until it stands.

use std::{sync::Arc, time::Duration};

use lapin::Connection;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::task::TaskTracker;

use super::{
    CALL_MAX, Error, Fact, Role, Settings, Watch,
    consume::Source,
    declare, depth,
    dial::dial,
    intake::{Consuming, Open},
    link::Link,
    listen::listen,
    publish::Publisher,
    topology::Names,
};
use crate::event::Lane;

/// First wait before a new try; doubles up to [`AGAIN_MAX`]. Never more than one try a second.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
/// Longest wait before a new try. With its jitter of up to a half more, and the time that connecting
/// takes, a broker that is back is used again within five seconds.
const AGAIN_MAX: Duration = Duration::from_secs(3);
/// Every wait is longer by up to this share, so that workers do not come back in step.
const JITTER: f64 = 0.5;
/// Messages of [`Source::Unhandled`] that are moved at once.
const UNHANDLED_PREFETCH: u16 = 16;

/// Makes sessions.
pub struct Broker {
    settings: Settings,
    watch: Watch,
    /// The earliest time of the next try.
    next_try: Mutex<Instant>,
}

/// One stay with the broker.
pub struct Session {
    /// The lanes, in the order of [`Lane::ALL`].
    pub lanes: Vec<(Lane, Open)>,
    /// What the broker dead-lettered itself.
    pub unhandled: Open,
    /// How it ends, and how a released lane is opened again.
    pub stay: Arc<Stay>,
}

impl Broker {
    /// A broker to be connected to.
    pub fn new(settings: Settings, watch: Watch) -> Self {
        Self {
            settings,
            watch,
            next_try: Mutex::new(Instant::now()),
        }
    }

    /// Makes a session, trying again with growing, jittered waits until it stands. `first`: a
    /// mistake in the settings ends the worker at its start; later, when the broker changed under
    /// us, it is only logged and tried again. `prefetch` says how much a lane takes in.
    ///
    /// # Errors
    /// Only at the first session, and only [`Error::is_a_setting`].
    pub async fn session(
        &self,
        first: bool,
        prefetch: impl Fn(Lane) -> u16,
    ) -> Result<Session, Error> {
        let (mut again, mut told) = (AGAIN_FIRST, String::new());
        loop {
            self.turn().await;
            let error = match self.try_session(&prefetch).await {
                Ok(session) => return Ok(session),
                Err(error) if first && error.is_a_setting() => return Err(error),
                Err(error) => error,
            };
            let delay = again.mul_f64(1.0 + fastrand::f64() * JITTER);
            (self.watch)(Fact::NoSession(error.trouble(), delay));
            log_no_session(&error.to_string(), &mut told, delay);
            sleep(delay).await;
            again = (again * 2).min(AGAIN_MAX);
        }
    }

    /// Waits if the last try was a moment ago: the session that came of it has not lasted.
    async fn turn(&self) {
        let mut next_try = self.next_try.lock().await;
        if Instant::now() < *next_try {
            sleep_until(*next_try + AGAIN_FIRST.mul_f64(fastrand::f64() * JITTER)).await;
        }
        *next_try = Instant::now() + AGAIN_FIRST;
    }

    /// Tells that a session was lost and the next one is being made.
    pub fn reconnecting(&self) {
        (self.watch)(Fact::Reconnecting);
    }

    async fn try_session(&self, prefetch: &impl Fn(Lane) -> u16) -> Result<Session, Error> {
        let names = Names::new(&self.settings.prefix);
        let link = Arc::new(Link::default());
        let consumer = Arc::new(self.connect(Role::Consumer, &link, &names).await?);
        declare::declare(&consumer, &self.settings).await?;
        let publishing = self.connect(Role::Publisher, &link, &names).await?;
        let outbox = Publisher::open(publishing, names.clone(), &link, &self.watch).await?;
        let consuming = Consuming {
            connection: Arc::clone(&consumer),
            names: names.clone(),
            outbox: Arc::new(outbox),
            link: Arc::clone(&link),
            watch: Arc::clone(&self.watch),
            ackers: TaskTracker::new(),
        };
        let mut lanes = Vec::new();
        for lane in Lane::ALL {
            let open = consuming.open(Source::Lane(*lane), prefetch(*lane));
            lanes.push((*lane, open.await?));
        }
        let session = Session {
            lanes,
            unhandled: consuming
                .open(Source::Unhandled, UNHANDLED_PREFETCH)
                .await?,
            stay: Arc::new(Stay(consuming)),
        };
        for role in Role::ALL {
            (self.watch)(Fact::Connected(*role, true));
        }
        let delays = self.settings.retry_delays.clone();
        tokio::spawn(depth::poll(
            consumer,
            names,
            delays,
            link,
            Arc::clone(&self.watch),
        ));
        Ok(session)
    }

    async fn connect(
        &self,
        role: Role,
        link: &Arc<Link>,
        names: &Names,
    ) -> Result<Connection, Error> {
        let connection = dial(&self.settings, role).await?;
        listen(&connection, role, link, &self.watch, names);
        Ok(connection)
    }
}

/// One line for what is wrong; while it lasts the state's own line repeats it, not each new try.
fn log_no_session(error: &str, told: &mut String, delay: Duration) {
    let (delay_ms, next) = (delay.as_millis() as u64, "connect again");
    if error == told {
        tracing::debug!(delay_ms, next, "no session with the broker: {error}");
        return;
    }
    tracing::warn!(delay_ms, next, "no session with the broker: {error}");
    error.clone_into(told);
}

/// A session's connections: their end waited for, or brought about.
pub struct Stay(pub(super) Consuming);

impl Stay {
    /// Opens a lane that was released. A failure ends the session.
    pub async fn open(&self, lane: Lane, prefetch: u16) -> Option<Open> {
        let opened = self.0.open(Source::Lane(lane), prefetch).await;
        opened
            .map_err(|error| {
                self.0
                    .link
                    .fail(format!("a lane could not be opened: {error}"))
            })
            .ok()
    }

    /// Waits until the session has ended, and says why.
    pub async fn ended(&self) -> String {
        self.0.link.failed().await;
        self.0.link.why()
    }

    /// Closes both connections: what is unacked goes back to its queue at once.
    pub async fn close(&self) {
        let Consuming {
            connection,
            outbox,
            link,
            watch,
            ackers,
            ..
        } = &self.0;
        link.fail("the worker closed it");
        ackers.close();
        // What is gone already cannot be closed better.
        let _ = timeout(CALL_MAX, ackers.wait()).await;
        for connection in [connection.as_ref(), outbox.connection()] {
            let _ = timeout(CALL_MAX, connection.close(200, "bye".into())).await;
        }
        for role in Role::ALL {
            watch(Fact::Connected(*role, false));
        }
    }
}
