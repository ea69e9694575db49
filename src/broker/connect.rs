//! Dialling, and the loop that keeps making a new session until it stands.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use lapin::{Connection, ConnectionProperties, Event, uri::AMQPUri};
use secrecy::ExposeSecret;
use tokio::time::{sleep, timeout};

use super::{
    CALL_MAX, Error, Fact, Role, Settings, Watch,
    consume::{Deliveries, Kept, Source},
    declare::{self, in_time},
    depth,
    link::Link,
    publish::Publisher,
    topology::Names,
};
use crate::event::Lane;

/// Seconds between heartbeats: a dead network is noticed after two. The server's own wish is 60.
const HEARTBEAT: u16 = 10;
/// Longest frame on the publishing connection, bytes. The library keeps buffers of 64 frames for a
/// connection: at RabbitMQ's own 128 KiB that is 8 MiB. Our headers are far shorter, and bodies are cut into
/// frames. The consuming connection keeps 128 KiB: a publisher's headers come in one frame.
const PUBLISHER_FRAME_BYTES_MAX: u32 = 32 * 1024;
/// First wait before a new try; doubles up to [`AGAIN_MAX`]. Never more than one try a second.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
/// Longest wait before a new try. With its jitter of up to a half more, and the time that connecting
/// takes, a broker that is back is used again within five seconds.
const AGAIN_MAX: Duration = Duration::from_secs(3);
/// Messages of [`Source::Unhandled`] that are moved at once.
const UNHANDLED_PREFETCH: u16 = 16;

/// Makes sessions.
pub struct Broker {
    settings: Settings,
    /// Unacked messages at most, a lane.
    prefetch: u16,
    watch: Watch,
}

/// One stay with the broker.
pub struct Session {
    /// The urgent lane.
    pub urgent: Deliveries,
    /// The bulk lane.
    pub bulk: Deliveries,
    /// What the broker dead-lettered itself.
    pub unhandled: Deliveries,
    /// Where retries, dead letters and outcomes go.
    pub outbox: Arc<Publisher>,
    /// How it ends.
    pub stay: Stay,
}

impl Broker {
    /// A broker to be connected to.
    pub fn new(settings: Settings, prefetch: u16, watch: Watch) -> Self {
        Self {
            settings,
            prefetch,
            watch,
        }
    }

    /// Makes a session, trying again with growing, jittered waits until it stands. `first`: a
    /// mistake in the settings ends the worker at its start; later, when the broker changed under
    /// us, it is only logged and tried again.
    ///
    /// # Errors
    /// Only at the first session, and only [`Error::is_a_setting`].
    pub async fn session(&self, first: bool) -> Result<Session, Error> {
        let mut again = AGAIN_FIRST;
        loop {
            let error = match self.try_session().await {
                Ok(session) => return Ok(session),
                Err(error) if first && error.is_a_setting() => return Err(error),
                Err(error) => error,
            };
            let delay = again.mul_f64(1.0 + fastrand::f64() * 0.5);
            tracing::warn!(
                delay_ms = delay.as_millis() as u64,
                next = "connect again",
                "no session with the broker: {error}"
            );
            sleep(delay).await;
            again = (again * 2).min(AGAIN_MAX);
        }
    }

    /// Tells that a session was lost and the next one is being made.
    pub fn reconnecting(&self) {
        (self.watch)(Fact::Reconnecting);
    }

    async fn try_session(&self) -> Result<Session, Error> {
        let names = Names::new(&self.settings.prefix);
        let link = Arc::new(Link::default());
        let consumer = Arc::new(self.connect(Role::Consumer, &link).await?);
        declare::declare(&consumer, &self.settings).await?;
        let publishing = self.connect(Role::Publisher, &link).await?;
        let outbox =
            Arc::new(Publisher::open(publishing, names.clone(), &link, &self.watch).await?);
        let open = async |source, prefetch| {
            Deliveries::open(&consumer, &names, source, prefetch, &link, &self.watch).await
        };
        let (urgent, kept_urgent) = open(Source::Lane(Lane::Urgent), self.prefetch).await?;
        let (bulk, kept_bulk) = open(Source::Lane(Lane::Bulk), self.prefetch).await?;
        let (unhandled, kept_unhandled) = open(Source::Unhandled, UNHANDLED_PREFETCH).await?;
        let session = Session {
            stay: Stay {
                kept: [kept_urgent, kept_bulk, kept_unhandled],
                outbox: Arc::clone(&outbox),
                consumer: Arc::clone(&consumer),
                link: Arc::clone(&link),
                watch: Arc::clone(&self.watch),
            },
            urgent,
            bulk,
            unhandled,
            outbox,
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

    async fn connect(&self, role: Role, link: &Arc<Link>) -> Result<Connection, Error> {
        let connection = dial(&self.settings, role).await?;
        let mut events = Box::pin(connection.events_listener());
        let (link, watch) = (Arc::clone(link), Arc::clone(&self.watch));
        let status = connection.status().clone();
        tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    event = events.next() => event,
                    () = link.failed() => return,
                };
                match event {
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(
                            reason,
                            next = "wait until the broker unblocks us",
                            "the broker blocks publishing"
                        );
                        watch(Fact::Blocked(true));
                    }
                    Some(Event::ConnectionUnblocked) => watch(Fact::Blocked(false)),
                    // A channel of the publisher's was closed, over a right we lack or an exchange that is
                    // gone: whoever publishes on it hears of it, and the other kinds go on.
                    Some(Event::Error(error))
                        if role == Role::Publisher
                            && error.is_amqp_soft_error()
                            && status.connected() => {}
                    Some(Event::Error(error)) => {
                        link.fail(format!("the {} connection failed: {error}", role.as_str()))
                    }
                    Some(_) => {}
                    None => return link.fail(format!("the {} connection ended", role.as_str())),
                }
            }
        });
        Ok(connection)
    }
}

/// The end of a session: waited for, or brought about.
pub struct Stay {
    kept: [Kept; 3],
    consumer: Arc<Connection>,
    outbox: Arc<Publisher>,
    link: Arc<Link>,
    watch: Watch,
}

impl Stay {
    /// Waits until the session has ended, and says why.
    pub async fn ended(&self) -> String {
        self.link.failed().await;
        self.link.why()
    }

    /// Closes both connections: what is unacked goes back to its queue at once.
    pub async fn close(self) {
        self.link.fail("the worker closed it");
        for Kept { channel, acker } in self.kept {
            // In this order, so that every ack before it is taken.
            let _ = timeout(CALL_MAX, acker).await;
            let _ = timeout(CALL_MAX, channel.close(200, "bye".into())).await;
        }
        for connection in [self.consumer.as_ref(), self.outbox.connection()] {
            // A connection that is gone already cannot be closed better.
            let _ = timeout(CALL_MAX, connection.close(200, "bye".into())).await;
        }
        for role in Role::ALL {
            (self.watch)(Fact::Connected(*role, false));
        }
    }
}

/// Opens one connection.
pub(crate) async fn dial(settings: &Settings, role: Role) -> Result<Connection, Error> {
    // The parser's own text could repeat the URL, and with it the password.
    let mut uri: AMQPUri = settings.url.expose_secret().parse().map_err(|_| {
        Error::BadUrl("it is not an AMQP URL such as amqp://user@host:5672/vhost".into())
    })?;
    if let Some(path) = &settings.password_file {
        let password = std::fs::read_to_string(path).map_err(|error| {
            Error::Refused(format!("the password file cannot be read: {error}"))
        })?;
        uri.authority.userinfo.password = password.trim().to_owned();
    }
    uri.query.heartbeat = Some(HEARTBEAT);
    if role == Role::Publisher {
        uri.query.frame_max = Some(PUBLISHER_FRAME_BYTES_MAX);
    }
    uri.query.connection_timeout = u64::try_from(CALL_MAX.as_millis()).ok();
    // No automatic recovery: it hung for ever under load and resets. The loop above is our own.
    let properties = ConnectionProperties::default()
        .with_connection_name(format!("revoker {}", role.as_str()).into());
    in_time("connect", Connection::connect_uri(uri, properties)).await
}
