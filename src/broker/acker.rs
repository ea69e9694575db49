//! Sends the acks of one channel, gathered for a few milliseconds by [`Acks`], and closes it at the end.
//!
//! Whoever sends the acks closes the channel: in this order every ack is taken. (The library closes a
//! channel with its last handle, and acks written after that are lost without a word.)

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lapin::{Channel, options::BasicAckOptions};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, error::TryRecvError, unbounded_channel},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    CALL_MAX,
    acks::{AckFrame, Acks},
    link::Link,
};

/// An ack waits at most this long for others to go with it.
const GATHER_MAX: Duration = Duration::from_millis(5);
/// So many finished messages wait for no more.
const GATHERED_MAX: usize = 100;
/// How long the broker may need for the last acks. It hands them on to a quorum queue's log, some 32 at
/// a time, and forgets those that wait when their channel closes: the messages would come again.
const TAKEN_MAX: Duration = Duration::from_millis(250);

/// Where a channel's deliveries and their ends are told.
#[derive(Clone)]
pub(super) struct Tally {
    /// The highest delivered tag.
    delivered: Arc<AtomicU64>,
    /// Tags of finished messages; no more can be on the way than the prefetch allows.
    finished: UnboundedSender<u64>,
}

impl Tally {
    /// A message was delivered. While one consumer takes another's place, their tags mix.
    pub(super) fn deliver(&self, tag: u64) {
        self.delivered.fetch_max(tag, Ordering::Relaxed);
    }

    /// A message is finished. False if nobody sends acks any more.
    pub(super) fn finish(&self, tag: u64) -> bool {
        self.finished.send(tag).is_ok()
    }
}

/// Starts sending the acks of a channel. The task ends, with what it has gathered sent and the channel
/// closed, when the link goes down or nobody is left who could finish a message.
pub(super) fn start(channel: Channel, link: Arc<Link>, tasks: &TaskTracker) -> Tally {
    let (sender, finished) = unbounded_channel();
    let delivered = Arc::new(AtomicU64::new(0));
    let acker = Acker {
        channel,
        link,
        delivered: Arc::clone(&delivered),
        finished,
        acks: Acks::default(),
        began: Instant::now(),
        frames: Vec::new(),
        sent_at: None,
    };
    let tally = Tally {
        delivered,
        finished: sender,
    };
    tasks.spawn(acker.run());
    tally
}

struct Acker {
    channel: Channel,
    link: Arc<Link>,
    delivered: Arc<AtomicU64>,
    finished: UnboundedReceiver<u64>,
    acks: Acks,
    began: Instant,
    frames: Vec<AckFrame>,
    /// When an ack was last sent.
    sent_at: Option<Instant>,
}

impl Acker {
    async fn run(mut self) {
        self.send_all().await;
        if let Some(sent_at) = self.sent_at.filter(|_| self.channel.status().connected()) {
            sleep_until(sent_at + TAKEN_MAX).await;
        }
        // What was not acked goes back to its queue. A channel that is gone cannot be closed better.
        let _ = timeout(CALL_MAX, self.channel.close(200, "bye".into())).await;
    }

    async fn send_all(&mut self) {
        while let Some(tag) = self.next().await {
            self.acks.finish(tag);
            // What a message in hand holds back goes when its time is over, whether or not more comes.
            while self.acks.finished() > 0 {
                let open = self.gather().await;
                if !self.flush(!open).await {
                    return;
                }
            }
        }
        while let Ok(tag) = self.finished.try_recv() {
            self.acks.finish(tag);
        }
        self.flush(true).await;
    }

    async fn next(&mut self) -> Option<u64> {
        tokio::select! {
            biased;
            tag = self.finished.recv() => tag,
            () = self.link.failed() => None,
        }
    }

    /// Takes in more for a short while, and no longer once there is nothing to wait for. False if no
    /// more will come.
    async fn gather(&mut self) -> bool {
        let until = Instant::now() + GATHER_MAX;
        for _ in 0..GATHERED_MAX {
            let tag = match self.finished.try_recv() {
                Ok(tag) => Some(tag),
                Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => {
                    if self.acks.is_idle(self.delivered.load(Ordering::Relaxed)) {
                        return true;
                    }
                    match timeout_at(until, self.finished.recv()).await {
                        Ok(Some(tag)) => Some(tag),
                        Ok(None) => return false,
                        Err(_) => None,
                    }
                }
            };
            match tag {
                Some(tag) => self.acks.finish(tag),
                None => return self.link.is_up(),
            }
        }
        true
    }

    /// Sends what may be sent; false if the channel does not take it any more.
    async fn flush(&mut self, all: bool) -> bool {
        let gathered = self.acks.finished();
        self.frames.clear();
        self.acks.flush(self.began.elapsed(), all, &mut self.frames);
        for frame in &self.frames {
            let options = BasicAckOptions {
                multiple: frame.multiple,
            };
            let sent = timeout(CALL_MAX, self.channel.basic_ack(frame.tag, options)).await;
            if !matches!(sent, Ok(Ok(()))) {
                tracing::warn!(
                    events = gathered,
                    next = "they come again, and are found done",
                    "acks could not be sent"
                );
                self.link.fail("an ack could not be sent");
                return false;
            }
            self.sent_at = Some(Instant::now());
        }
        true
    }
}
