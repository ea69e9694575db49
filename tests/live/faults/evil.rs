//! A server before the pretend API that answers as no sane one does, byte for byte, while it is told to.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// The longest answer that anything here tries to send.
const ENDLESS_BYTES: u64 = 1 << 30;
/// Bytes in one write of an endless answer.
const CHUNK_BYTES: usize = 64 << 10;
/// Between two bytes of a slow answer.
const BYTE_EVERY: Duration = Duration::from_secs(1);
const BODY: &str = r#"{"status_code":200,"request_id":"request-id-test-1"}"#;

/// How long a late answer takes.
const LATE: Duration = Duration::from_secs(1);

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Evil {
    /// As the pretend API does.
    No,
    /// So, after a while: what calls that take long cost by themselves.
    Late,
    /// A byte of the status line a second.
    SlowHead,
    /// A byte of the body a second.
    SlowBody,
    /// A body of 1 GiB, its length told before.
    HugeBody,
    /// A body that is never said to end.
    EndlessBody,
    /// One header after the other.
    EndlessHeaders,
    /// One header whose value does not end.
    EndlessHeader,
    /// As many bytes of one header as may be, and not one more.
    HeldHeader,
}

/// The server; it ends with its value.
pub(super) struct Server {
    pub(super) url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    evil: Mutex<Evil>,
    /// The most bytes that one connection took.
    taken_max: AtomicU64,
    leads_to: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts one before the server at this URL.
    pub(super) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let leads_to = url.strip_prefix("http://").expect("it is plain HTTP");
        let shared = Arc::new(Shared {
            evil: Mutex::new(Evil::No),
            taken_max: AtomicU64::new(0),
            leads_to: leads_to.to_owned(),
        });
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                // A client that has heard enough goes away: no write has to end well.
                tokio::spawn(async move { shared.serve(tcp).await.ok() });
            }
        });
        Self { url, shared, task }
    }

    /// Answers so from now on.
    pub(super) fn be(&self, evil: Evil) {
        *self.shared.evil.lock().unwrap() = evil;
    }

    /// The most bytes of an answer that one connection took, those in the kernel's buffers included.
    pub(super) fn taken_max(&self) -> u64 {
        self.shared.taken_max.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// One request; the connection ends with its answer.
    async fn serve(&self, mut tcp: TcpStream) -> std::io::Result<()> {
        let request = request(&mut tcp).await?;
        let evil = *self.evil.lock().unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let told = |length: u64| format!("{head}content-length: {length}\r\n\r\n");
        match evil {
            Evil::No | Evil::Late => {
                if evil == Evil::Late {
                    sleep(LATE).await;
                }
                let mut far = TcpStream::connect(&self.leads_to).await?;
                far.write_all(&request).await?;
                copy(&mut far, &mut tcp).await.map(drop)
            }
            Evil::SlowHead => slowly(&mut tcp, head).await,
            Evil::SlowBody => {
                tcp.write_all(told(BODY.len() as u64).as_bytes()).await?;
                slowly(&mut tcp, BODY).await
            }
            Evil::HugeBody => {
                tcp.write_all(told(ENDLESS_BYTES).as_bytes()).await?;
                self.endlessly(&mut tcp, b"x").await
            }
            Evil::EndlessBody => {
                tcp.write_all(format!("{head}\r\n").as_bytes()).await?;
                self.endlessly(&mut tcp, b" ").await
            }
            Evil::EndlessHeaders => {
                tcp.write_all(head.as_bytes()).await?;
                self.endlessly(&mut tcp, b"x-evil: evil\r\n").await
            }
            Evil::EndlessHeader => {
                tcp.write_all(format!("{head}x-evil: ").as_bytes()).await?;
                self.endlessly(&mut tcp, b"x").await
            }
            Evil::HeldHeader => {
                let long = "x".repeat(400_000);
                tcp.write_all(format!("{head}x-evil: {long}").as_bytes())
                    .await?;
                tcp.read(&mut [0]).await.map(drop)
            }
        }
    }

    async fn endlessly(&self, tcp: &mut TcpStream, what: &[u8]) -> std::io::Result<()> {
        let chunk = what.repeat(CHUNK_BYTES / what.len());
        let mut taken = 0;
        while taken < ENDLESS_BYTES {
            taken += tcp.write(&chunk).await? as u64;
            self.taken_max.fetch_max(taken, Ordering::Relaxed);
        }
        Ok(())
    }
}

async fn slowly(tcp: &mut TcpStream, text: &str) -> std::io::Result<()> {
    for byte in text.bytes() {
        tcp.write_all(&[byte]).await?;
        sleep(BYTE_EVERY).await;
    }
    Ok(())
}

/// A request with a body of the length it tells, to be sent on as the last of its connection.
async fn request(tcp: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let told = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            if told.is_none_or(|length| length.parse() == Ok(body.len())) {
                return Ok(format!("{head}\r\nconnection: close\r\n\r\n{body}").into_bytes());
            }
        }
        if tcp.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
