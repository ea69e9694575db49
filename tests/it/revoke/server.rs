//! A server that answers one connection after the other as it is told, byte for byte: what no
//! well-behaved HTTP library would send.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::sleep,
};

/// What a connection is answered after its request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, then nothing until the server is told to go on, then these.
    Pause(Vec<u8>, Arc<Semaphore>, Vec<u8>),
    /// This head, then a byte now and then, for ever.
    Drip(Vec<u8>, Duration),
    /// Nothing, and no end.
    Silence,
}

/// Listens on a free port until it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: mpsc::UnboundedReceiver<String>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers each connection by what `answer` makes of its request.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (told, requests) = mpsc::unbounded_channel();
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (told, answer) = (told.clone(), Arc::clone(&answer));
                tokio::spawn(async move { serve(tcp, &told, &*answer).await });
            }
        });
        Self {
            url,
            requests,
            task,
        }
    }

    /// Answers everything the same.
    pub(crate) async fn same(answer: Answer) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    /// Answers everything with this status line, header lines and body, its length told.
    pub(crate) async fn http(status: &str, headers: &str, body: &str) -> Self {
        Self::same(http(status, headers, body)).await
    }

    /// The next request, head and body as they came.
    pub(crate) async fn request(&mut self) -> String {
        let patience = Duration::from_secs(30);
        let next = tokio::time::timeout(patience, self.requests.recv());
        next.await.expect("a request comes").unwrap()
    }

    /// How many requests came that were not asked for yet.
    pub(crate) fn waiting(&self) -> usize {
        self.requests.len()
    }
}

/// An answer with a told length; each header line ends in `\r\n`.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
            .into_bytes(),
    )
}

async fn serve(
    mut tcp: TcpStream,
    told: &mpsc::UnboundedSender<String>,
    answer: &(impl Fn(&str) -> Answer + Send + Sync),
) {
    let Some(request) = read(&mut tcp).await else {
        return;
    };
    let answer = answer(&request);
    let _ = told.send(request);
    // A client that has heard enough goes away: no write has to end well.
    match answer {
        Answer::Bytes(bytes) => drop(tcp.write_all(&bytes).await),
        Answer::Pause(first, go_on, then) => {
            let _ = tcp.write_all(&first).await;
            if let Ok(permit) = go_on.acquire().await {
                permit.forget();
            }
            let _ = tcp.write_all(&then).await;
        }
        Answer::Drip(head, every) => {
            let mut alive = tcp.write_all(&head).await.is_ok();
            while alive {
                sleep(every).await;
                alive = tcp.write_all(b" ").await.is_ok();
            }
        }
        Answer::Silence => std::future::pending().await,
    }
    let _ = tcp.shutdown().await;
}

/// A request with a body of the length it tells.
async fn read(tcp: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let told = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            if told.is_none_or(|length| length.parse() == Ok(body.len())) {
                return Some(text);
            }
        }
        if tcp.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
