//! All the lines of one segment, once.

use std::io::{BufRead, BufReader};
use std::path::Path;

use super::{Error, failed, open};

/// Calls `look` with each whole line of the segment at `path`, without its line feed. None of a
/// closed one that is not what its last line says.
pub fn for_each_line(path: &Path, mut look: impl FnMut(&[u8])) -> Result<(), Error> {
    let mut reader = BufReader::with_capacity(256 * 1024, open(path)?);
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
