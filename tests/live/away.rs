//! A broker that is not there, or refuses us, when the worker starts: a state, never an exit.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::copy_bidirectional,
    net::{TcpSocket, TcpStream},
    time::sleep,
};

use crate::harness::{PATIENCE, World, wait, worker::Worker};

/// How long a worker that should wait is watched: several tries to connect.
const WATCHED: Duration = Duration::from_secs(4);
const WRONG_PASSWORD: &str = "hunter2-Xq7bV0pLdE3sN";

/// It lives and waits: alive, not ready, and says why.
async fn check_waits(worker: &mut Worker) {
    sleep(WATCHED).await;
    assert!(worker.process.ended().is_none(), "{}", worker.process.log());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let healthz = client.get(format!("{}/healthz", worker.url)).send();
    let healthz = healthz.await.unwrap();
    assert_eq!(healthz.status(), 200);
    let (status, shown) = worker.readyz().await.unwrap();
    assert_eq!(status, 503);
    assert!(shown.contains("\"state\":\"broker\""), "{shown}");
    assert_eq!(worker.metrics().await.state(), "broker");
}

/// The waits before new tries, as they were logged.
fn delays_ms(worker: &Worker, why: &str) -> Vec<u64> {
    let log = worker.log();
    let tries = log.iter().filter(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("no session with the broker: ") && message.contains(why)
    });
    tries
        .map(|line| line["delay_ms"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_broker_that_comes_later() {
    let world = World::new("late").await;
    // The port is held without anybody listening, so that nobody else gets it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let (user, address) = world.broker.url.split_once('@').unwrap();
    let (address, vhost) = address.split_once('/').unwrap();
    let url = format!("{user}@127.0.0.1:{port}/{vhost}");
    let worker = world.worker().set("REVOKER_AMQP_URL", url);
    let mut worker = worker.set("REVOKER_LOG", "debug").launch().await;
    check_waits(&mut worker).await;
    let delays = delays_ms(&worker, "cannot be reached");
    assert!(
        delays.len() >= 2 && delays.iter().all(|ms| *ms >= 1000),
        "{delays:?}"
    );
    let log = worker.log();
    let told = log.iter().filter(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        line["level"] == "WARN" && message.starts_with("no session with the broker: ")
    });
    assert_eq!(told.count(), 1, "what repeats itself is told once");

    let listener = socket.listen(16).unwrap();
    let broker: SocketAddr = address.parse().unwrap();
    let forwarded = tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(broker).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    });
    worker.until_ready().await;
    world.check_unharmed(&mut worker).await;
    forwarded.abort();
}

#[tokio::test]
async fn a_password_that_is_wrong_in_the_url() {
    let world = World::new("url-password").await;
    let url = world
        .broker
        .url
        .replace(":guest@", &format!(":{WRONG_PASSWORD}@"));
    assert_ne!(url, world.broker.url);
    let worker = world.worker().set("REVOKER_AMQP_URL", url);
    let mut worker = worker.set("REVOKER_LOG", "trace").launch().await;
    check_waits(&mut worker).await;
    assert!(delays_ms(&worker, "the broker refused us: ").len() >= 2);
    worker.assert_withholds(WRONG_PASSWORD).await;
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "told to stop while it waits: {status}");
}

#[tokio::test]
async fn a_password_that_is_put_right_in_its_file() {
    let world = World::new("file-password").await;
    let file = world.file("password");
    std::fs::write(&file, format!("{WRONG_PASSWORD}\n")).unwrap();
    let worker = world
        .worker()
        .set("REVOKER_AMQP_PASSWORD_FILE", file.display())
        .set("REVOKER_LOG", "trace");
    let mut worker = worker.launch().await;
    check_waits(&mut worker).await;
    worker.assert_withholds(WRONG_PASSWORD).await;

    // Gone for a moment, as while it is replaced: a state, too.
    std::fs::remove_file(&file).unwrap();
    wait::until("a try without the file", PATIENCE, async || {
        !delays_ms(&worker, "the password file cannot be read").is_empty()
    })
    .await;
    std::fs::write(&file, "guest\n").unwrap();
    worker.until_ready().await;
    world.check_unharmed(&mut worker).await;
}
