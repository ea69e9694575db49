//! Publishing: persistent, mandatory, confirmed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use lapin::{
    BasicProperties, Confirmation, Connection, ErrorKind, PublisherConfirm,
    options::BasicPublishOptions, types::ShortString,
};
use tokio::time::timeout;

use super::{
    CALL_MAX, Error, Fact, Role, Settings, Watch,
    confirms::{Confirms, confirming},
    declare::in_time,
    dial::dial,
    headers,
    link::Link,
    topology::Names,
};
use crate::{
    failpoint::{self, Point},
    settle::{Outbox, Outgoing, PublishError, To},
};

/// How long a confirm may take while the broker does not block us.
const CONFIRM_MAX: Duration = CALL_MAX;
/// How often a blocked publish looks whether it still is.
const BLOCKED_LOOK: Duration = Duration::from_secs(1);
/// AMQP 0-9-1: the reply code of a right that is lacking.
const ACCESS_REFUSED: u16 = 403;
/// AMQP 0-9-1: the reply code of an exchange that is not there.
const NOT_FOUND: u16 = 404;

/// The publishing half of a session.
pub struct Publisher {
    connection: Connection,
    names: Names,
    /// Retries and dead letters.
    settling: Confirms,
    /// Outcomes: on their own, so that a broken audit stream does not close the way for the rest.
    outcomes: Confirms,
    link: Arc<Link>,
    watch: Watch,
}

impl Publisher {
    pub(crate) async fn open(
        connection: Connection,
        names: Names,
        link: &Arc<Link>,
        watch: &Watch,
    ) -> Result<Self, Error> {
        Ok(Self {
            settling: Confirms::open(&connection).await?,
            outcomes: Confirms::open(&connection).await?,
            connection,
            names,
            link: Arc::clone(link),
            watch: Arc::clone(watch),
        })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn send(&self, message: &Outgoing) -> Result<(), PublishError> {
        if !self.link.is_up() {
            return Err(PublishError::LinkDown);
        }
        let (exchange, confirms) = match message.to {
            To::Retry(lane, delay) => (self.names.retry(lane, delay), &self.settling),
            To::Dead => (self.names.dead(), &self.settling),
            To::Outcome => (self.names.outcomes(), &self.outcomes),
        };
        let channel = confirms.channel(&self.connection).await;
        let channel = channel.map_err(|error| self.no_channel(&error))?;
        let properties = headers::write(message);
        let publish = channel.basic_publish(
            short(&exchange),
            short(&message.routing_key),
            mandatory(),
            &message.body,
            properties,
        );
        let confirm = publish.await.map_err(|error| reason(&error))?;
        if message.to == To::Dead {
            failpoint::pass(Point::DeadLetterSent);
        }
        let result = self.confirmed(confirm).await;
        if result == Err(PublishError::Nacked) {
            let renewed = confirms.refused(&channel, &self.connection).await;
            renewed.map_err(|error| self.no_channel(&error))?;
        }
        result
    }

    fn no_channel(&self, error: &Error) -> PublishError {
        let why = format!("a channel could not be opened: {error}");
        self.link.fail(why);
        PublishError::LinkDown
    }

    /// Waits for the confirm. While the broker blocks us (a memory or disk alarm) the publish is
    /// under way and only late: publishing it again would make one dead letter into many.
    async fn confirmed(&self, mut confirm: PublisherConfirm) -> Result<(), PublishError> {
        let mut waited = Duration::ZERO;
        loop {
            tokio::select! {
                answer = &mut confirm => return judge(answer),
                () = self.link.failed() => return Err(PublishError::LinkDown),
                () = tokio::time::sleep(BLOCKED_LOOK) => {}
            }
            if self.connection.status().blocked() {
                waited = Duration::ZERO;
                continue;
            }
            waited += BLOCKED_LOOK;
            if waited >= CONFIRM_MAX {
                self.link.fail("a publish was not confirmed in time");
                return Err(PublishError::TimedOut);
            }
        }
    }
}

impl Outbox for Publisher {
    async fn publish(&self, message: &Outgoing) -> Result<(), PublishError> {
        let result = self.send(message).await;
        (self.watch)(Fact::Published(message.to, result));
        if result == Err(PublishError::Returned) && message.to != To::Outcome {
            // Somebody deleted the queue or exchange: a new session declares what is missing.
            self.link.fail("a queue or exchange of ours is missing");
        }
        result
    }

    fn is_up(&self) -> bool {
        self.link.is_up()
    }

    async fn down(&self) {
        self.link.failed().await;
    }
}

/// The outbox of what came in through one lane: down as soon as its deliveries are no longer ours.
pub struct OnLane {
    publisher: Arc<Publisher>,
    link: Arc<Link>,
}

impl OnLane {
    pub(super) fn new(publisher: Arc<Publisher>, link: Arc<Link>) -> Self {
        Self { publisher, link }
    }
}

impl Outbox for OnLane {
    async fn publish(&self, message: &Outgoing) -> Result<(), PublishError> {
        self.publisher.publish(message).await
    }

    fn is_up(&self) -> bool {
        self.link.is_up()
    }

    async fn down(&self) {
        self.link.failed().await;
    }
}

/// One message for [`publish_once`].
#[derive(Debug, Clone)]
pub struct PublishOne {
    /// The exchange: a lane.
    pub exchange: String,
    /// The publisher's name.
    pub routing_key: String,
    /// The event.
    pub body: Bytes,
    /// MIME type of the body.
    pub content_type: String,
    /// Application message id: the event's id.
    pub message_id: String,
}

/// Publishes one message on a connection of its own, as any publisher would: nothing is declared.
///
/// # Errors
/// [`Error::Missing`] when the exchange is not there, [`Error::Publish`] when no queue takes the
/// message or the broker refuses it, the others when there is no way to the broker.
pub async fn publish_once(settings: &Settings, message: PublishOne) -> Result<(), Error> {
    let connection = dial(settings, Role::Publisher).await?;
    publish_over(&connection, &message).await?;
    // The message is safe: how the farewell goes no longer matters.
    let _ = timeout(CALL_MAX, connection.close(200, "done".into())).await;
    Ok(())
}

/// The same on a connection that stands.
pub(super) async fn publish_over(
    connection: &Connection,
    message: &PublishOne,
) -> Result<(), Error> {
    let channel = confirming(connection).await?;
    let publish = channel.basic_publish(
        short(&message.exchange),
        short(&message.routing_key),
        mandatory(),
        &message.body,
        properties(message),
    );
    let confirm = in_time("publish", publish).await?;
    match in_time("confirm", confirm).await? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) => Err(PublishError::Returned.into()),
        Confirmation::Nack(_) | Confirmation::NotRequested => Err(PublishError::Nacked.into()),
    }
}

/// The properties of a message for an exchange that is given: what every publisher should set.
pub(super) fn properties(message: &PublishOne) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(headers::PERSISTENT)
        .with_content_type(short(&message.content_type))
        .with_message_id(short(&message.message_id))
}

pub(super) fn mandatory() -> BasicPublishOptions {
    BasicPublishOptions {
        mandatory: true,  // what no queue takes comes back instead of vanishing
        immediate: false, // not implemented by RabbitMQ
    }
}

fn judge(answer: lapin::Result<Confirmation>) -> Result<(), PublishError> {
    match answer {
        Ok(Confirmation::Ack(None)) => Ok(()),
        Ok(Confirmation::Ack(Some(_))) => Err(PublishError::Returned),
        Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Err(PublishError::Nacked),
        Err(error) => Err(reason(&error)),
    }
}

fn reason(error: &lapin::Error) -> PublishError {
    match error.kind() {
        ErrorKind::ProtocolError(amqp) if amqp.get_id() == NOT_FOUND => PublishError::Returned,
        ErrorKind::ProtocolError(amqp) if amqp.get_id() == ACCESS_REFUSED => {
            PublishError::Forbidden
        }
        // The channel was closed over another message: only it is lost.
        ErrorKind::ProtocolError(_) if error.is_amqp_soft_error() => PublishError::Nacked,
        ErrorKind::InvalidChannelState(..) => PublishError::Nacked,
        _ => PublishError::LinkDown,
    }
}

/// Names of ours and routing keys that came over AMQP fit; anything else is cut rather than a panic.
pub(super) fn short(text: &str) -> ShortString {
    let mut end = text.len().min(255);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].into()
}
