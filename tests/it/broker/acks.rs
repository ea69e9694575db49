//! Acks in any order of completion, against a broker that closes the channel over a wrong one.

use std::{collections::BTreeSet, time::Duration};

use revoker::broker::acks::{AckFrame, Acks, BLOCKED_MAX};

/// What RabbitMQ keeps of a channel: what was delivered and is not acked.
#[derive(Default)]
struct Channel {
    delivered: u64,
    unacked: BTreeSet<u64>,
}

impl Channel {
    fn deliver(&mut self) -> u64 {
        self.delivered += 1;
        self.unacked.insert(self.delivered);
        self.delivered
    }

    /// As RabbitMQ: a tag it does not know closes the channel.
    fn take(&mut self, frame: AckFrame, in_hand: &BTreeSet<u64>) {
        assert!(
            self.unacked.contains(&frame.tag),
            "{frame:?}: unknown delivery tag"
        );
        let acked: Vec<u64> = match frame.multiple {
            true => self.unacked.range(..=frame.tag).copied().collect(),
            false => vec![frame.tag],
        };
        for tag in acked {
            assert!(
                !in_hand.contains(&tag),
                "{frame:?} acks {tag}, which is in hand"
            );
            self.unacked.remove(&tag);
        }
    }
}

fn flush(acks: &mut Acks, now_ms: u64, all: bool) -> Vec<AckFrame> {
    let mut frames = Vec::new();
    acks.flush(Duration::from_millis(now_ms), all, &mut frames);
    frames
}

const fn frame(tag: u64, multiple: bool) -> AckFrame {
    AckFrame { tag, multiple }
}

#[test]
fn a_finished_prefix_goes_with_one_frame() {
    let mut acks = Acks::default();
    for tag in [2, 1, 3] {
        acks.finish(tag);
    }
    assert!(acks.is_idle(3) && !acks.is_idle(4));
    assert_eq!(flush(&mut acks, 0, false), [frame(3, true)]);
    acks.finish(4);
    assert_eq!(flush(&mut acks, 1, false), [frame(4, false)]);
    assert_eq!(acks.finished(), 0);
}

#[test]
fn a_message_in_hand_holds_acks_back_for_a_while_only() {
    let mut acks = Acks::default();
    acks.finish(2);
    acks.finish(3);
    let blocked_ms = BLOCKED_MAX.as_millis() as u64;
    assert_eq!(flush(&mut acks, 10, false), []);
    assert_eq!(flush(&mut acks, 10 + blocked_ms - 1, false), []);
    assert_eq!(
        flush(&mut acks, 10 + blocked_ms, false),
        [frame(2, false), frame(3, false)]
    );
    // Behind the same message nobody waits anew.
    acks.finish(4);
    assert_eq!(
        flush(&mut acks, 10 + blocked_ms + 1, false),
        [frame(4, false)]
    );
    // The prefix ends at 4, but 4 was acked: the channel would be closed over it.
    acks.finish(1);
    assert_eq!(flush(&mut acks, 200, false), [frame(1, false)]);
    acks.finish(5);
    assert_eq!(flush(&mut acks, 201, false), [frame(5, false)]);
}

#[test]
fn the_last_ones_go_at_once() {
    let mut acks = Acks::default();
    acks.finish(2);
    assert_eq!(flush(&mut acks, 0, true), [frame(2, false)]);
}

/// A retry stays in memory for seconds while thousands pass it by: each flush costs what is new, not all
/// that has passed.
#[test]
fn a_message_long_in_hand_makes_nothing_pile_up() {
    let (mut acks, mut acked) = (Acks::default(), 0);
    for tag in 2..=400_000 {
        acks.finish(tag);
        if tag % 50 == 0 {
            acked += flush(&mut acks, tag, false).len();
        }
    }
    assert_eq!(acked, 399_999);
    acks.finish(1);
    assert_eq!(flush(&mut acks, 400_001, false), [frame(1, false)]);
}

/// Messages end in random order, some much later than others, while acks are flushed at random times.
#[test]
fn any_order_acks_each_message_once() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut channel, mut acks) = (Channel::default(), Acks::default());
        let mut in_hand = BTreeSet::new();
        let prefetch = rng.usize(1..64);
        let (mut now_ms, mut finished, mut frames) = (0, 0, 0);
        while finished < 2_000 {
            while in_hand.len() < prefetch && channel.unacked.len() < prefetch * 2 {
                in_hand.insert(channel.deliver());
            }
            // Mostly the oldest ones, as in life; sometimes any.
            for _ in 0..rng.usize(1..16).min(in_hand.len()) {
                let nth = if rng.u8(..) < 200 {
                    rng.usize(..in_hand.len().min(4))
                } else {
                    rng.usize(..in_hand.len())
                };
                let tag = *in_hand.iter().nth(nth).unwrap();
                in_hand.remove(&tag);
                acks.finish(tag);
                finished += 1;
            }
            now_ms += rng.u64(0..20);
            for frame in flush(&mut acks, now_ms, rng.u8(..) < 3) {
                channel.take(frame, &in_hand);
                frames += 1;
            }
        }
        for tag in std::mem::take(&mut in_hand) {
            acks.finish(tag);
        }
        for frame in flush(&mut acks, now_ms, true) {
            channel.take(frame, &in_hand);
        }
        assert!(
            channel.unacked.is_empty(),
            "seed {seed}: {:?} are not acked",
            channel.unacked
        );
        let saved = if prefetch > 16 { 2 } else { 1 };
        assert!(
            frames * saved <= finished,
            "seed {seed}: {frames} frames for {finished} messages"
        );
    }
}
