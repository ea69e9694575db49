//! Asks Revoker to end a user's sessions, or one: `publish AMQP_URL USER_OR_SESSION_ID [EXCHANGE]`.
//!
//! With the crates jiff, lapin, serde_json, tokio and uuid. Not the fastest way: one connection for one event.

use std::time::Duration;

use lapin::{
    BasicProperties, Confirmation, Connection, ConnectionProperties, Error,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::time::{sleep, timeout};

/// Your service: the routing key, and by rights its user's name in RabbitMQ.
const PUBLISHER: &str = "password-reset";
/// For each try; three tries. The library has no time-outs of its own.
const TIMEOUT: Duration = Duration::from_secs(5);

enum Failed {
    /// Trying again at once is pointless.
    Refused(String),
    /// A full queue, or the connection is gone: it may have arrived all the same.
    Unconfirmed(String),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error.is_amqp_soft_error() {
            // 404, 403, 406: the broker closes the channel.
            true => Self::Refused(format!("refused: {error}")),
            false => Self::Unconfirmed(error.to_string()),
        }
    }
}

fn new_event(id: &str, target: &str) -> Vec<u8> {
    let field = match target.starts_with("session-") {
        true => "session_id",
        false => "user_id",
    };
    let event = serde_json::json!({
        "type": "session.revoke.v1",
        "id": id,
        "occurred_at": jiff::Timestamp::now(), // before the password is changed
        "reason": "password_reset",
        field: target,
    });
    event.to_string().into_bytes()
}

async fn publish(amqp_url: &str, exchange: &str, id: &str, event: &[u8]) -> Result<(), Failed> {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_message_id(id.into());
    let publish = channel.basic_publish(
        exchange.into(),
        PUBLISHER.into(),
        options,
        event,
        properties,
    );
    match publish.await?.await? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) => Err(Failed::Refused(format!(
            "returned: no queue takes what is published to {exchange}; does a worker run with this vhost and prefix?"
        ))),
        _ => Err(Failed::Unconfirmed(
            "the broker refused it: a full queue".to_owned(),
        )),
    }
}

/// The event's id, once the broker has the event.
pub async fn run(amqp_url: &str, target: &str, exchange: &str) -> Result<String, String> {
    let id = uuid::Uuid::new_v4().to_string(); // of this event for ever: published again, it is the same
    // In a service: written to an outbox, in the transaction that changes the password.
    let event = new_event(&id, target);
    for wait in [1, 2, 0] {
        let tried = timeout(TIMEOUT, publish(amqp_url, exchange, &id, &event)).await;
        match tried.unwrap_or_else(|_| Err(Failed::Unconfirmed("no confirm in time".to_owned()))) {
            Ok(()) => return Ok(id),
            Err(Failed::Refused(why)) => return Err(why),
            Err(Failed::Unconfirmed(why)) => eprintln!("not confirmed: {why}"),
        }
        sleep(Duration::from_secs(wait)).await;
    }
    Err(
        "given up: the event stays in the outbox, and is published again with the same id"
            .to_owned(),
    )
}

#[tokio::main]
async fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next();
    let (url, target) = (
        next().ok_or("AMQP_URL is missing")?,
        next().ok_or("an id is missing")?,
    );
    let exchange = next().unwrap_or_else(|| "revocation.urgent".to_owned());
    let id = run(&url, &target, &exchange).await?;
    println!("published {id}");
    Ok(())
}
