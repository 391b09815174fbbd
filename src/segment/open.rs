//! Opening a segment for reading, compressed or not.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use super::closing::check;
use super::{Error, Kind, failed};

/// What the name of a compressed segment ends in.
pub(super) const COMPRESSED: &str = ".zst";

/// What a segment's bytes are read from.
pub(super) enum Content {
    /// The file itself, which may be growing.
    Plain(File),
    /// A closed segment, decompressed on the way.
    Compressed(Box<zstd::stream::read::Decoder<'static, BufReader<File>>>),
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
        match is_compressed(path) {
            false => Ok(Content::Plain(file)),
            true => Self::compressed(file),
        }
    }

    pub(super) fn compressed(file: File) -> io::Result<Self> {
        let decoder = zstd::stream::read::Decoder::with_buffer(BufReader::new(file))?;
        Ok(Content::Compressed(Box::new(decoder)))
    }

    /// The same from its beginning.
    pub(super) fn rewound(self) -> io::Result<Self> {
        match self {
            Content::Plain(mut file) => {
                file.rewind()?;
                Ok(Content::Plain(file))
            }
            Content::Compressed(decoder) => {
                let mut file = decoder.finish().into_inner();
                file.rewind()?;
                Self::compressed(file)
            }
        }
    }

    /// Whether it can be read twice; a pipe that is named as a segment is, cannot.
    fn is_a_file(&self) -> bool {
        match self {
            Content::Plain(file) => file.metadata().is_ok_and(|metadata| metadata.is_file()),
            Content::Compressed(decoder) => {
                let metadata = decoder.get_ref().get_ref().metadata();
                metadata.is_ok_and(|metadata| metadata.is_file())
            }
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Content::Plain(file) => file.read(buffer),
            Content::Compressed(decoder) => decoder.read(buffer),
        }
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
/// since its path was learnt is found under its later name. One that is closed is read once before,
/// and is what its last line says.
pub fn open(path: &Path) -> Result<impl Read + Send + use<>, Error> {
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
            Ok(content) => return checked(content, &tried),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match later(&tried) {
                Some(other) => tried = other,
                None => return Err(failed("opening", path)(error)),
            },
            Err(error) => return Err(failed("opening", &tried)(error)),
        }
    }
}

fn checked(mut content: Content, path: &Path) -> Result<Content, Error> {
    match Kind::of_closed(path).filter(|_| content.is_a_file()) {
        None => Ok(content),
        Some(kind) => {
            check(kind, path, &mut content)?;
            content.rewound().map_err(failed("reading", path))
        }
    }
}
