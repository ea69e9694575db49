//! Whoever is told of alerts: a web hook that remembers what Alertmanager said, and where.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::harness::{prometheus::ARRIVES, wait};

/// One alert of a notification: the path that it came to, and the alert.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// The web hook; it ends with its value.
pub(super) struct Told {
    pub(super) url: String,
    heard: Heard,
    task: JoinHandle<()>,
}

impl Told {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Heard::default();
        let hears = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&hears)));
            }
        });
        Self { url, heard, task }
    }

    /// Waits until this path has heard of an alert in this state.
    pub(super) async fn until(&self, path: &str, name: &str, status: &str) -> Value {
        let what = format!("{path} hears that {name} is {status}");
        let found = async || {
            let heard = self.heard.lock().unwrap();
            let mut alerts = heard.iter().filter(|(at, _)| at == path);
            alerts
                .find(|(_, alert)| {
                    alert["labels"]["alertname"] == name && alert["status"] == status
                })
                .map(|(_, alert)| alert.clone())
        };
        wait::value(&what, ARRIVES, found).await
    }

    /// The names of the alerts that this path has heard of.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let alerts = heard.iter().filter(|(at, _)| at == path);
        alerts
            .map(|(_, alert)| alert["labels"]["alertname"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes one request after the other, until the connection ends.
async fn serve(stream: TcpStream, heard: Heard) {
    let mut stream = BufReader::new(stream);
    while let Some((path, body)) = request(&mut stream).await {
        let notification: Value = serde_json::from_slice(&body).unwrap();
        let alerts = notification["alerts"].as_array().unwrap().iter();
        let alerts = alerts.map(|alert| (path.clone(), alert.clone()));
        heard.lock().unwrap().extend(alerts);
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The path and the body of the next request.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut path, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        path = path.or_else(|| line.split(' ').nth(1).map(str::to_owned));
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((path?, body))
}
