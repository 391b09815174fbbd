//! Data on stdout.
//!
//! Rust ignores SIGPIPE, so `pgflit … | head` shows up as a write error instead. The reader has
//! what it wanted: that is no error.

use std::io::{self, ErrorKind, Write};

use console::Term;

use super::summary::Page;

/// What stdout is.
pub fn page() -> Page {
    let term = Term::stdout();
    match term.is_term() {
        true => Page::Terminal(term.size().1.into()),
        false => Page::Endless,
    }
}

/// Writes `data`; fine if the reader has gone away.
pub fn write(data: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    forgive_closed_pipe(stdout.write_all(data).and_then(|()| stdout.flush()))
}

/// Writes `text` and a line end; fine if the reader has gone away.
pub fn write_line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    forgive_closed_pipe(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Data that comes bit by bit, seen by the reader line by line. Once the reader has gone away, the
/// rest goes nowhere.
#[derive(Debug)]
pub struct Stream(io::Stdout);

impl Stream {
    /// A stream to stdout.
    pub fn new() -> Self {
        Self(io::stdout())
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        forgive_closed_pipe(self.0.write_all(data))?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        forgive_closed_pipe(self.0.flush())
    }
}

fn forgive_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
