//! A network of a test's own: a TCP proxy that does what networks do, and can be told when.
//!
//! It stands between the worker and one address, the broker's or the pretend API's.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    task::AbortHandle,
    time::{Instant, sleep, sleep_until},
};

/// Bytes read at once: few enough that a throttled connection trickles.
const CHUNK_BYTES: usize = 4096;
/// Chunks under way in one direction.
const CHUNKS_MAX: usize = 256;

/// What the network does to every connection, those that are open included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Nothing.
    Pass,
    /// Both ends see a reset; so does whoever connects anew.
    Reset,
    /// Nothing gets through and neither end hears of it. What was sent meanwhile arrives afterwards, as
    /// TCP's own repetitions would.
    Swallow,
    /// Everything arrives so much later.
    Delay(Duration),
    /// So many bytes a second in each direction.
    Throttle(u32),
}

/// A proxy; ends with its value, and its connections with it.
pub(crate) struct Proxy {
    /// The URL it was made for, by way of the proxy.
    pub(crate) url: String,
    state: watch::Sender<State>,
    accepted: Arc<Mutex<Vec<Instant>>>,
    task: AbortHandle,
}

#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    cuts: u32,
}

impl Proxy {
    /// A proxy to the address in this URL.
    pub(crate) async fn to(url: &str) -> Self {
        Self::to_first(&[url]).await
    }

    /// A proxy to the first address in these URLs that takes the connection.
    pub(crate) async fn to_first(urls: &[&str]) -> Self {
        let (address, url) = (address_in(urls[0]), urls[0]);
        let far = urls.iter().map(|url| address_in(url).parse());
        let far: Result<Vec<SocketAddr>, _> = far.collect();
        let far = far.expect("the URLs name addresses");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = listener.local_addr().unwrap().to_string();
        let (state, watched) = watch::channel(State {
            mode: Mode::Pass,
            cuts: 0,
        });
        let accepted = Arc::default();
        let task = tokio::spawn(accept(listener, far, watched, Arc::clone(&accepted)));
        Self {
            url: url.replacen(address, &near, 1),
            state,
            accepted,
            task: task.abort_handle(),
        }
    }

    /// From now on.
    pub(crate) fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Resets the connections that are open; new ones are as before.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// When each connection was opened.
    pub(crate) fn accepted(&self) -> Vec<Instant> {
        self.accepted.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.set(Mode::Reset);
    }
}

fn address_in(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("a URL has a scheme");
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

async fn accept(
    listener: TcpListener,
    far: Vec<SocketAddr>,
    state: watch::Receiver<State>,
    accepted: Arc<Mutex<Vec<Instant>>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        accepted.lock().unwrap().push(Instant::now());
        tokio::spawn(carry(near, far.clone(), state.clone()));
    }
}

/// Carries one connection until both directions have ended, or a reset.
async fn carry(mut near: TcpStream, far: Vec<SocketAddr>, mut state: watch::Receiver<State>) {
    let cuts = state.borrow().cuts;
    let Ok(mut far) = TcpStream::connect(&far[..]).await else {
        let _ = near.set_zero_linger();
        return;
    };
    let was_reset = {
        let (from_near, to_near) = near.split();
        let (from_far, to_far) = far.split();
        let (up, down) = (state.clone(), state.clone());
        tokio::select! {
            both = async { tokio::try_join!(pump(from_near, to_far, up), pump(from_far, to_near, down)) } => {
                both.is_err()
            }
            _ = state.wait_for(|state| state.mode == Mode::Reset || state.cuts != cuts) => true,
        }
    };
    // One end's reset is swallowed, too.
    let _ = state.wait_for(|state| state.mode != Mode::Swallow).await;
    if was_reset {
        let _ = (near.set_zero_linger(), far.set_zero_linger());
    }
}

/// Carries one direction.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let (chunks, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let delays = state.clone();
    let reads = async move {
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let length = from.read(&mut chunk).await?;
            chunk.truncate(length);
            let delay = match delays.borrow().mode {
                Mode::Delay(delay) => delay,
                _ => Duration::ZERO,
            };
            if length == 0 || chunks.send((Instant::now() + delay, chunk)).await.is_err() {
                return Ok(());
            }
        }
    };
    let writes = async move {
        while let Some((due, chunk)) = under_way.recv().await {
            sleep_until(due).await;
            let mode = passable(&mut state).await;
            if let Mode::Throttle(bytes_per_second) = mode {
                let share = chunk.len() as f64 / f64::from(bytes_per_second);
                sleep(Duration::from_secs_f64(share)).await;
            }
            to.write_all(&chunk).await?;
        }
        passable(&mut state).await;
        to.shutdown().await
    };
    tokio::try_join!(reads, writes).map(|_| ())
}

/// Waits until something may get through.
async fn passable(state: &mut watch::Receiver<State>) -> Mode {
    let passable = state.wait_for(|state| state.mode != Mode::Swallow).await;
    passable.map_or(Mode::Reset, |state| state.mode)
}
