//! The thinnest worker there can be, as a yardstick: consume, parse, POST, ack.
//!
//! Not a worker anybody should run: it has no retries, no dead letters, no metrics and no logs, and
//! its first error ends it. What the real worker costs beyond this is the price of its promises.
//! It runs until it is stopped, like the real one, so that both are measured from outside alike.

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use lapin::{
    Connection, ConnectionProperties,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

/// Deliveries in flight, and so calls in flight.
const PREFETCH: u16 = 200;

#[derive(Deserialize)]
struct Event {
    session_id: String,
}

#[derive(Serialize)]
struct Request<'a> {
    session_id: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    status_code: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [amqp_url, queue, api_url] = arguments.as_slice() else {
        bail!("usage: bench-ceiling AMQP_URL QUEUE API_URL");
    };
    let url: Url = format!("{api_url}/v1/sessions/revoke").parse()?;
    let client = Client::builder().tcp_nodelay(true).build()?;
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .basic_qos(PREFETCH, BasicQosOptions::default())
        .await?;
    let mut deliveries = channel
        .basic_consume(
            queue.as_str().into(),
            "ceiling".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            delivery = deliveries.next() => {
                let delivery = delivery.context("the consumer was cancelled")??;
                calls.spawn(revoke(client.clone(), url.clone(), delivery));
            }
            Some(done) = calls.join_next() => done??,
        }
    }
}

/// One message from parse to ack.
async fn revoke(client: Client, url: Url, delivery: Delivery) -> anyhow::Result<()> {
    let event: Event = serde_json::from_slice(&delivery.data)?;
    let request = client
        .post(url)
        .basic_auth("project-test-bench", Some("bench"))
        .json(&Request {
            session_id: &event.session_id,
        });
    let answer: Answer = request.send().await?.json().await?;
    ensure!(answer.status_code == 200, "the stub did not answer 200");
    ensure!(
        delivery.ack(BasicAckOptions::default()).await?,
        "the ack was not sent"
    );
    Ok(())
}
