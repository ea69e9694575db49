//! The session ids of the benchmark: they carry a number and, of urgent events, when they were
//! published, so that whoever sees a call knows which event it is for and how long that waited.
//!
//! `session-test-NNNNNNNN-LLLL-4000-8000-TTTTTTTTTTTT`, all hexadecimal: the number, the lane (0
//! bulk, 1 urgent) and the time, the lower 48 bits of microseconds since 1970.

#![allow(dead_code)] // each program that includes this file uses a part of it

use std::time::{SystemTime, UNIX_EPOCH};

/// Numbers are below this.
pub(super) const EVENTS_MAX: usize = 1 << 20;
/// What fits into the id.
const TIME_MASK: u64 = (1 << 48) - 1;
const START: &[u8] = b"session-test-";
/// Bytes of the part after `START`.
const UUID_LEN: usize = 36;

/// What an id says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    /// Which event.
    pub(super) number: usize,
    /// When it was published, if it is urgent.
    published: Option<u64>,
}

impl Session {
    /// A bulk event's.
    pub(super) fn bulk(number: usize) -> Self {
        let published = None;
        Self { number, published }
    }

    /// An urgent event's, published now.
    pub(super) fn urgent(number: usize, now: SystemTime) -> Self {
        let published = Some(micros(now));
        Self { number, published }
    }

    /// The id.
    pub(super) fn id(self) -> String {
        let lane = u8::from(self.published.is_some());
        let time = self.published.unwrap_or(0);
        format!(
            "session-test-{:08x}-{lane:04x}-4000-8000-{time:012x}",
            self.number
        )
    }

    /// The one whose id is in the body, if it is one of ours.
    pub(super) fn find(body: &[u8]) -> Option<Self> {
        let start = body.windows(START.len()).position(|part| part == START)? + START.len();
        let uuid = std::str::from_utf8(body.get(start..start + UUID_LEN)?).ok()?;
        let mut parts = uuid.split('-');
        let mut next = || u64::from_str_radix(parts.next()?, 16).ok();
        let (number, lane, fixed, time) = (next()?, next()?, (next()?, next()?), next()?);
        let number = usize::try_from(number).ok()?;
        let is_ours = number < EVENTS_MAX && lane <= 1 && fixed == (0x4000, 0x8000);
        is_ours.then_some(Self {
            number,
            published: (lane == 1).then_some(time),
        })
    }

    /// Microseconds since it was published, if it is urgent.
    pub(super) fn waited(self, now: SystemTime) -> Option<u64> {
        Some(micros(now).wrapping_sub(self.published?) & TIME_MASK)
    }
}

fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(0) & TIME_MASK
}
