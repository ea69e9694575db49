//! What RabbitMQ passes on and the client library cannot read, mended on its way in.
//!
//! Pure. RabbitMQ hands a publisher's properties on as they came, and the library reads them before we
//! do. A byte that is not UTF-8 in one of them is an error of the whole connection to it, and tables
//! within tables overflow its stack, which ends the process: one message at the head of a queue would stop
//! every worker for ever. So the bytes between socket and library are looked at, frame by frame: in
//! short strings what is not UTF-8 becomes `?`, and tables and arrays among the headers, which we never
//! carry on, become an empty value.
//!
//! The format: AMQP 0-9-1, sections 2.3.5 and 4.2, with the types of RabbitMQ's errata.

/// Frame kinds.
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
/// Kind, channel and size stand before the payload.
const HEAD_LEN: usize = 7;
/// One byte ends a frame.
const END_LEN: usize = 1;
/// Longest method or header that is looked at, bytes; RabbitMQ takes 128 KiB unless told otherwise.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The bytes of one connection, in whatever pieces they come.
#[derive(Debug, Default)]
pub struct Sieve {
    /// The beginning of a frame of which not enough has come yet.
    held: Vec<u8>,
    /// How many bytes to pass on as they are.
    passing: usize,
    /// Whether all that comes is passed on: these are no frames.
    blind: bool,
}

impl Sieve {
    /// Takes in what has come, and puts out what the library may have.
    pub fn strain(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            if self.blind {
                return out.extend_from_slice(bytes);
            }
            if self.passing > 0 {
                let (pass, rest) = bytes.split_at(self.passing.min(bytes.len()));
                out.extend_from_slice(pass);
                self.passing -= pass.len();
                bytes = rest;
                continue;
            }
            let missing = self.wanted() - self.held.len();
            let (piece, rest) = bytes.split_at(missing.min(bytes.len()));
            self.held.extend_from_slice(piece);
            bytes = rest;
            if self.held.len() == self.wanted() {
                self.release(out);
            }
        }
    }

    /// How much of the frame at hand must be there before anything can be said of it.
    fn wanted(&self) -> usize {
        match self.head() {
            Some((METHOD | HEADER, size)) if size <= FRAME_BYTES_MAX => HEAD_LEN + size + END_LEN,
            _ => HEAD_LEN,
        }
    }

    /// Kind and payload size of the frame at hand.
    fn head(&self) -> Option<(u8, usize)> {
        let head = self.held.get(..HEAD_LEN)?;
        let size = u32::from_be_bytes(head[3..].try_into().ok()?);
        Some((head[0], usize::try_from(size).ok()?))
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        match self.head() {
            Some((kind @ (METHOD | HEADER), size)) if size <= FRAME_BYTES_MAX => {
                let (head, payload) = self.held.split_at(HEAD_LEN);
                let (payload, end) = payload.split_at(size);
                out.extend_from_slice(&head[..3]);
                with_len(out, |out| match kind {
                    METHOD => method(payload, out),
                    _ => header(payload, out),
                });
                out.extend_from_slice(end);
            }
            Some((BODY | HEARTBEAT, size)) => {
                out.extend_from_slice(&self.held);
                self.passing = size.saturating_add(END_LEN);
            }
            _ => {
                out.extend_from_slice(&self.held);
                self.blind = true;
            }
        }
        self.held.clear();
    }
}

/// A method's arguments, where they hold names that a publisher chose: its routing key.
pub fn method(payload: &[u8], to: &mut Vec<u8>) {
    let mut from = Reader(payload);
    // `None` where it ends too early: what is left goes on as it is, for the library to judge.
    let _ = names(&mut from, to);
    to.extend_from_slice(from.0);
}

fn names(from: &mut Reader<'_>, to: &mut Vec<u8>) -> Option<()> {
    const DELIVER: &[u8] = &[0, 60, 0, 60];
    const GET_OK: &[u8] = &[0, 60, 0, 71];
    const RETURN: &[u8] = &[0, 60, 0, 50];
    /// A delivery tag, and whether it was given out before.
    const TAG_LEN: usize = 8 + 1;
    match from.copy(4, to)? {
        DELIVER => {
            from.short_string(to)?;
            from.copy(TAG_LEN, to)?;
        }
        GET_OK => drop(from.copy(TAG_LEN, to)?),
        RETURN => {
            from.copy(2, to)?; // the reply code
            from.short_string(to)?;
        }
        _ => return None,
    }
    from.short_string(to)?;
    from.short_string(to)
}

/// A content header's properties, as many as can be read.
pub fn header(payload: &[u8], to: &mut Vec<u8>) {
    /// Class, weight and size of the body.
    const FIXED_LEN: usize = 2 + 2 + 8;
    let mut from = Reader(payload);
    let (Some(fixed), Some(flags)) = (from.take(FIXED_LEN), from.take(2)) else {
        return to.extend_from_slice(payload); // no header at all, for the library to judge
    };
    to.extend_from_slice(fixed);
    let flags = u16::from_be_bytes([flags[0], flags[1]]);
    let flags_at = to.len();
    to.extend_from_slice(&[0; 2]);
    let mut read = 0_u16;
    for bit in (2..16).rev().filter(|bit| flags & (1 << bit) != 0) {
        let len = to.len();
        if property(bit, &mut from, to).is_none() {
            to.truncate(len);
            break;
        }
        read |= 1 << bit;
    }
    to[flags_at..flags_at + 2].copy_from_slice(&read.to_be_bytes());
}

/// The property of that bit of the flags.
fn property(bit: u32, from: &mut Reader<'_>, to: &mut Vec<u8>) -> Option<()> {
    match bit {
        13 => table(from, to),
        12 | 11 => from.copy(1, to).map(|_| ()), // delivery mode, priority
        6 => from.copy(8, to).map(|_| ()),       // timestamp
        _ => from.short_string(to),
    }
}

/// The headers; entries after one of an unknown type are left out.
fn table(from: &mut Reader<'_>, to: &mut Vec<u8>) -> Option<()> {
    let mut entries = Reader(from.long()?);
    with_len(to, |to| {
        while !entries.0.is_empty() {
            let len = to.len();
            if entry(&mut entries, to).is_none() {
                to.truncate(len);
                break;
            }
        }
    });
    Some(())
}

fn entry(from: &mut Reader<'_>, to: &mut Vec<u8>) -> Option<()> {
    from.short_string(to)?;
    let kind = from.take(1)?[0];
    let len = match kind {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'u' | b'U' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'l' | b'L' | b'd' | b'T' => 8,
        b'S' | b'x' => {
            let value = from.long()?;
            to.push(kind);
            with_len(to, |to| to.extend_from_slice(value));
            return Some(());
        }
        b'A' | b'F' => {
            from.long()?;
            to.push(b'V');
            return Some(());
        }
        _ => return None,
    };
    to.push(kind);
    from.copy(len, to).map(|_| ())
}

/// What is not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn copy(&mut self, len: usize, to: &mut Vec<u8>) -> Option<&'a [u8]> {
        let taken = self.take(len)?;
        to.extend_from_slice(taken);
        Some(taken)
    }

    /// What stands behind its length.
    fn long(&mut self) -> Option<&'a [u8]> {
        let (len, _) = self.0.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
        self.take(4_usize.checked_add(len)?).map(|all| &all[4..])
    }

    /// A short string, of the same length if it must be mended.
    fn short_string(&mut self, to: &mut Vec<u8>) -> Option<()> {
        let len = *self.0.first()?;
        let text = &self.take(1 + usize::from(len))?[1..];
        to.push(len);
        for chunk in text.utf8_chunks() {
            to.extend_from_slice(chunk.valid().as_bytes());
            to.extend(chunk.invalid().iter().map(|_| b'?'));
        }
        Some(())
    }
}

/// Puts a length as AMQP writes it before what is put. Nothing is longer than the frame it came in.
fn with_len(to: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    let at = to.len();
    to.extend_from_slice(&[0; 4]);
    put(to);
    let len = u32::try_from(to.len() - at - 4).unwrap_or(u32::MAX);
    to[at..at + 4].copy_from_slice(&len.to_be_bytes());
}
