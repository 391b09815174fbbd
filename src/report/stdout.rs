//! Data on stdout.
//!
//! Rust ignores SIGPIPE, so `pgflit … | head` shows up as a write error instead. The reader has
//! what it wanted: that is no error.

use std::io::{self, ErrorKind, Write};

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

/// Stdout for a command that tells what it does while it does it. Every line is seen at once.
pub fn narrator() -> impl Write {
    io::stdout().lock()
}

fn forgive_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
