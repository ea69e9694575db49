//! Tests against a real RabbitMQ, in one binary.
//!
//! Not started by hand: `tests/run live` starts a private node, names it in `LIVE_AMQP_URL` (and its
//! folder, for tests that kill it, in `LIVE_NODE_DIR`). Without a broker they fail, never skip: a
//! green run that has tested nothing is worse than a red one.

use lapin::{Connection, ConnectionProperties};

/// The broker's URL, or a failure that says how to get one.
fn amqp_url() -> String {
    std::env::var("LIVE_AMQP_URL")
        .expect("LIVE_AMQP_URL must name a broker: run these tests with `tests/run live`")
}

#[tokio::test]
async fn the_broker_answers() {
    let connection = Connection::connect(&amqp_url(), ConnectionProperties::default())
        .await
        .expect("the broker at LIVE_AMQP_URL must accept a connection");
    connection
        .close(200, "bye".into())
        .await
        .expect("a fresh connection must close cleanly");
}
