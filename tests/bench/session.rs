//! The session ids of the benchmark: they carry a number and, of timed events, when they were
//! published, so that whoever sees a call knows which event it is for and how long that waited.
//!
//! `session-test-NNNNNNNN-KKKK-4000-8000-TTTTTTTTTTTT`, all hexadecimal: the number, the kind (0
//! from a backlog, 1 timed) and the time, the lower 48 bits of microseconds since 1970.

#![allow(dead_code)] // each program that includes this file uses a part of it

use std::time::{SystemTime, UNIX_EPOCH};

/// Numbers are below this.
pub(super) const EVENTS_MAX: usize = 1 << 20;
/// What fits into the id.
const TIME_MASK: u64 = (1 << 48) - 1;
const START: &[u8] = b"session-test-";
/// Bytes of the part after `START`.
const UUID_LEN: usize = 36;
/// Bytes of an id.
const ID_LEN: usize = START.len() + UUID_LEN;

/// What an id says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    /// Which event.
    pub(super) number: usize,
    /// When it was published, if it is timed.
    published: Option<u64>,
}

impl Session {
    /// That of an event of a backlog.
    pub(super) fn backlog(number: usize) -> Self {
        let published = None;
        Self { number, published }
    }

    /// That of a timed event, published now.
    pub(super) fn timed(number: usize, now: SystemTime) -> Self {
        let published = Some(micros(now));
        Self { number, published }
    }

    /// The id.
    pub(super) fn id(self) -> String {
        let kind = u8::from(self.published.is_some());
        let time = self.published.unwrap_or(0);
        format!(
            "session-test-{:08x}-{kind:04x}-4000-8000-{time:012x}",
            self.number
        )
    }

    /// The first one whose id is in the bytes.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        Self::find_at(bytes).map(|(session, _)| session)
    }

    /// All whose ids are in a stream of which this is what came last. What may be the beginning of
    /// another id stays, for the next piece to be appended to; the rest is removed.
    pub(super) fn take_all(stream: &mut Vec<u8>) -> Vec<Self> {
        let (mut found, mut read) = (Vec::new(), 0);
        while let Some((session, end)) = Self::find_at(&stream[read..]) {
            found.push(session);
            read += end;
        }
        stream.drain(..read.max((stream.len() + 1).saturating_sub(ID_LEN)));
        found
    }

    /// The first one whose id is in the bytes, and where the id ends.
    fn find_at(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut ids = bytes.windows(ID_LEN).enumerate();
        ids.find_map(|(at, id)| Some((Self::parse(id.strip_prefix(START)?)?, at + ID_LEN)))
    }

    fn parse(uuid: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(uuid).ok()?.split('-');
        let mut next = || u64::from_str_radix(parts.next()?, 16).ok();
        let (number, kind, fixed, time) = (next()?, next()?, (next()?, next()?), next()?);
        let number = usize::try_from(number).ok()?;
        let is_ours = number < EVENTS_MAX && kind <= 1 && fixed == (0x4000, 0x8000);
        is_ours.then_some(Self {
            number,
            published: (kind == 1).then_some(time),
        })
    }

    /// Whether it is a timed event's.
    pub(super) fn is_timed(self) -> bool {
        self.published.is_some()
    }

    /// Microseconds since it was published, if it is timed.
    pub(super) fn waited(self, now: SystemTime) -> Option<u64> {
        Some(micros(now).wrapping_sub(self.published?) & TIME_MASK)
    }
}

fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(0) & TIME_MASK
}
