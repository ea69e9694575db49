//! The chain that runs through the lines of the evidence; the rules are in the module above.

use sha2::{Digest, Sha256};

use crate::campaign::id::hex;

/// What stands before the digits of a line's chain.
const BEFORE: &[u8] = br#","chain":""#;
/// What stands behind them.
const BEHIND: &[u8] = br#""}"#;
/// Bytes of a SHA-256.
const BYTES: usize = 32;

/// The chain as it is behind a line; zeros before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain([u8; BYTES]);

/// A line that does not continue the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It does not end in a chain.
    None,
    /// Its chain is of another line or another predecessor.
    Other,
}

impl Chain {
    /// Makes the line of a body, a JSON object that is not empty, its line feed included.
    pub fn link(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.hash(&body);
        let mut line = body;
        line.pop();
        line.extend_from_slice(BEFORE);
        line.extend_from_slice(self.end().as_bytes());
        line.extend_from_slice(BEHIND);
        line.push(b'\n');
        line
    }

    /// Checks a line, without its line feed, and makes it its body.
    ///
    /// # Errors
    /// When it does not continue the chain.
    pub fn check(&mut self, line: &mut Vec<u8>) -> Result<(), Broken> {
        let tail = BEFORE.len() + 2 * BYTES + BEHIND.len();
        let at = line.len().checked_sub(tail).ok_or(Broken::None)?;
        let digits = line[at..].strip_prefix(BEFORE);
        let digits = digits.and_then(|rest| rest.strip_suffix(BEHIND));
        let claimed = digits.ok_or(Broken::None)?.to_vec();
        line.truncate(at);
        line.push(b'}');
        self.hash(line);
        match self.end().as_bytes() == claimed {
            true => Ok(()),
            false => Err(Broken::Other),
        }
    }

    /// The chain behind the last line, as 64 hexadecimal digits.
    pub fn end(&self) -> String {
        hex(&self.0)
    }

    fn hash(&mut self, body: &[u8]) {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(body);
        self.0.copy_from_slice(&hash.finalize());
    }
}
