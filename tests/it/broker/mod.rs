//! Tests of the broker stage without a broker: what is declared, what its errors say, whose headers
//! are believed.

mod acks;
mod compat;
mod explain;
mod headers;
mod hostile;
mod route;
mod sieve;
mod topology;

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use revoker::{
    event::{HeaderValue, Properties},
    settle::{Outgoing, To},
};

/// Properties with these headers.
fn with_headers(headers: impl IntoIterator<Item = (&'static str, AMQPValue)>) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert(name.into(), value);
    }
    BasicProperties::default().with_headers(table)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// A dead letter with these properties and headers of ours.
fn outgoing(properties: Properties, headers: Vec<(&'static str, HeaderValue)>) -> Outgoing {
    Outgoing {
        to: To::Dead,
        routing_key: "accounts".into(),
        body: "{}".into(),
        properties,
        headers,
    }
}
