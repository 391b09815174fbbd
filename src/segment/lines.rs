//! All the lines of one segment, once.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::{Error, failed};

/// Calls `look` with each whole line of the file at `path`, without its line feed.
pub fn for_each_line(path: &Path, mut look: impl FnMut(&[u8])) -> Result<(), Error> {
    let file = File::open(path).map_err(failed("opening", path))?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        read.map_err(failed("reading", path))?;
        match line.pop() {
            Some(b'\n') => look(&line),
            _ => return Ok(()),
        }
    }
}
