//! A wire between a program and its broker that notes when an event comes out at the program's end.
//!
//! Part of the stub, so that delivery and call are timed by one clock in one process. Transparent:
//! every byte goes on as it comes, in both directions; nothing is parsed but the session ids of
//! events that trickle. The time is taken right before the bytes are written to the program, so what
//! is measured up to the call includes the way through both sockets: no program looks better than it is.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::session::Session;

/// Bytes read at once.
const PIECE_BYTES_MAX: usize = 1 << 16;

/// When events were delivered, and how long their calls took to come.
#[derive(Default)]
pub(super) struct Tap {
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    delivered: HashMap<usize, Instant>,
    took_us: Vec<u64>,
}

impl Tap {
    /// Forgets all.
    pub(super) fn reset(&self) {
        *self.notes() = Notes::default();
    }

    /// The first call for this event has come. Events that were not seen on their way do not count.
    pub(super) fn called(&self, number: usize, now: Instant) {
        let mut notes = self.notes();
        if let Some(delivered) = notes.delivered.remove(&number) {
            let took = now.saturating_duration_since(delivered).as_micros();
            notes.took_us.push(u64::try_from(took).unwrap_or(u64::MAX));
        }
    }

    /// Microseconds from delivery to call, of each event that was called.
    pub(super) fn took_us(&self) -> Vec<u64> {
        self.notes().took_us.clone()
    }

    /// An event goes to the program; if it does so again, the first time counts.
    fn delivered(&self, session: Session, now: Instant) {
        self.notes().delivered.entry(session.number).or_insert(now);
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on every connection that is made to the listener, for ever.
pub(super) async fn run(
    tap: Arc<Tap>,
    listener: TcpListener,
    broker: SocketAddr,
) -> anyhow::Result<()> {
    loop {
        let (program, _) = listener.accept().await?;
        let tap = tap.clone();
        tokio::spawn(async move {
            // An end that is closed or broken closes the other one, which is news enough.
            let _ = pass_on(&tap, program, broker).await;
        });
    }
}

async fn pass_on(tap: &Tap, program: TcpStream, broker: SocketAddr) -> anyhow::Result<()> {
    let broker = TcpStream::connect(broker).await?;
    program.set_nodelay(true)?;
    broker.set_nodelay(true)?;
    let (mut from_program, mut to_program) = program.into_split();
    let (mut from_broker, mut to_broker) = broker.into_split();
    let there = async {
        tokio::io::copy(&mut from_program, &mut to_broker).await?;
        to_broker.shutdown().await
    };
    let back = deliver(tap, &mut from_broker, &mut to_program);
    tokio::try_join!(there, back)?;
    Ok(())
}

async fn deliver(
    tap: &Tap,
    from_broker: &mut OwnedReadHalf,
    to_program: &mut OwnedWriteHalf,
) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES_MAX];
    let mut unread = Vec::new();
    loop {
        let len = from_broker.read(&mut piece).await?;
        if len == 0 {
            return to_program.shutdown().await;
        }
        unread.extend_from_slice(&piece[..len]);
        let now = Instant::now();
        for session in Session::take_all(&mut unread) {
            if session.is_timed() {
                tap.delivered(session, now);
            }
        }
        to_program.write_all(&piece[..len]).await?;
    }
}
