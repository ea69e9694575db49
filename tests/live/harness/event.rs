//! Events to publish, right ones by default and wrong ones by changing what is wanted.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use lapin::BasicProperties;
use serde_json::{Value, json};
use uuid::Uuid;

use super::sandbox::PROJECT_ID;

/// An event to publish.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its id.
    pub(crate) id: String,
    /// The last part of the exchange's name: `urgent`, `bulk`, or another; empty for the default exchange.
    pub(crate) exchange: String,
    /// The routing key.
    pub(crate) publisher: String,
    /// The message body.
    pub(crate) body: Vec<u8>,
    /// Persistent JSON unless changed.
    pub(crate) properties: BasicProperties,
}

impl Event {
    /// An urgent event with this target, such as `{"session_id": …}`, and perhaps further fields.
    pub(crate) fn new(fields: Value) -> Self {
        Self::typed("session.revoke.v1", fields)
    }

    /// An event that asks to revoke a session.
    pub(crate) fn session(session_id: &str) -> Self {
        Self::new(json!({ "session_id": session_id }))
    }

    /// An event that asks to revoke a user's sessions.
    pub(crate) fn user(user_id: &str) -> Self {
        Self::new(json!({ "user_id": user_id }))
    }

    /// An event that asks for nothing but its outcome.
    pub(crate) fn verify() -> Self {
        Self::typed("session.revoke.verify.v1", json!({}))
    }

    /// A body that need not be an event.
    pub(crate) fn raw(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::verify()
        }
    }

    fn typed(kind: &str, fields: Value) -> Self {
        let id = Uuid::new_v4().to_string();
        let mut body = json!({
            "type": kind,
            "id": id,
            "occurred_at": Timestamp::now(),
            "reason": "security_incident",
        });
        let Value::Object(fields) = fields else {
            panic!("the fields are an object");
        };
        for (name, value) in fields {
            body[name] = value;
        }
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into());
        Self {
            id: body["id"].as_str().unwrap_or_default().to_owned(),
            exchange: "urgent".to_owned(),
            publisher: "live-test".to_owned(),
            body: body.to_string().into_bytes(),
            properties,
        }
    }

    /// In the other lane.
    pub(crate) fn bulk(self) -> Self {
        self.in_exchange("bulk")
    }

    /// To the exchange `PREFIX.name`.
    pub(crate) fn in_exchange(mut self, name: &str) -> Self {
        self.exchange = name.to_owned();
        self
    }

    /// To the default exchange, which takes the publisher's name for a queue's.
    pub(crate) fn in_default_exchange(self) -> Self {
        self.in_exchange("")
    }

    /// From this publisher.
    pub(crate) fn by(mut self, publisher: &str) -> Self {
        self.publisher = publisher.to_owned();
        self
    }

    /// With properties changed.
    pub(crate) fn with(mut self, change: impl FnOnce(BasicProperties) -> BasicProperties) -> Self {
        self.properties = change(self.properties);
        self
    }
}

/// A session JWT of the sandbox's project, as far as it is read: the signature is not.
pub(crate) fn jwt_of(session_id: &str) -> String {
    let payload = json!({
        "aud": [PROJECT_ID],
        "https://stytch.com/session": { "id": session_id },
    });
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    format!(
        "{}.{payload}.c2lnbmF0dXJl",
        URL_SAFE_NO_PAD.encode("{\"alg\":\"RS256\"}")
    )
}
