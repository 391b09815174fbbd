//! Opening a segment for reading, compressed or not.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Error, failed};

/// What the name of a compressed segment ends in.
pub(super) const COMPRESSED: &str = ".zst";

/// What a segment's bytes are read from.
pub(super) enum Content {
    /// The file itself, which may be growing.
    Plain(File),
    /// A closed segment, decompressed on the way.
    Compressed(Box<dyn Read + Send>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Content::Plain(_) => "Plain",
            Content::Compressed(_) => "Compressed",
        })
    }
}

impl Content {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !is_compressed(path) {
            return Ok(Content::Plain(file));
        }
        let decoder = zstd::stream::read::Decoder::with_buffer(BufReader::new(file))?;
        Ok(Content::Compressed(Box::new(decoder)))
    }
}

/// Whether the name of `path` says that it is compressed.
pub(super) fn is_compressed(path: &Path) -> bool {
    path.to_string_lossy().ends_with(COMPRESSED)
}

/// Whether the name of `path` says that it is still written to.
pub fn is_growing(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "partial")
}

/// The lines of the segment at `path`, decompressed if need be. One that was closed or compressed
/// since its path was learnt is found under its later name.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, Error> {
    let later = |path: &Path| {
        let text = path.to_string_lossy();
        match text.strip_suffix(".partial") {
            Some(closed) => Some(PathBuf::from(closed)),
            None if is_compressed(path) => None,
            None => Some(PathBuf::from(format!("{text}{COMPRESSED}"))),
        }
    };
    let mut tried = path.to_owned();
    loop {
        match Content::open(&tried) {
            Ok(Content::Plain(file)) => return Ok(Box::new(file)),
            Ok(Content::Compressed(lines)) => return Ok(lines),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match later(&tried) {
                Some(other) => tried = other,
                None => return Err(failed("opening", path)(error)),
            },
            Err(error) => return Err(failed("opening", &tried)(error)),
        }
    }
}
