//! Writes evidence as it comes.

use std::io::{self, Write};

use serde::Serialize;

use super::{Chain, Footer, Header, Line};

/// Writes evidence, line by line; holds none of it.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    chain: Chain,
    lines: u64,
}

impl<W: Write> Writer<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// As writing.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self {
            out,
            chain: Chain::default(),
            lines: 0,
        };
        writer.line(header)?;
        Ok(writer)
    }

    /// The number of the next outcome's line.
    pub fn seq(&self) -> u64 {
        self.lines
    }

    /// Writes an outcome.
    ///
    /// # Errors
    /// As writing.
    pub fn outcome(&mut self, line: &Line<'_>) -> io::Result<()> {
        self.line(line)
    }

    /// Ends with the footer; gives back what was written to, the number of lines, and the end of the chain.
    ///
    /// # Errors
    /// As writing.
    pub fn finish(mut self, footer: &Footer) -> io::Result<(W, u64, String)> {
        self.line(footer)?;
        self.out.flush()?;
        Ok((self.out, self.lines, self.chain.end()))
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let body = serde_json::to_vec(value)?;
        let line = self.chain.link(body);
        self.lines += 1;
        self.out.write_all(&line)
    }
}
