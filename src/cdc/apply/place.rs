//! Where a line of SQL stands, for messages.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cdc::change::Begin;
use crate::cdc::sql_line::SqlLine;
use crate::segment::{Error, Follower, Kind, Next, segment_holding};

/// Transform writes a segment beside the pipe: a line may stand in it this much later. Only an error
/// waits for it.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Where a line stands.
#[derive(Debug, Clone)]
pub enum Place {
    /// The byte in a segment.
    Byte(Arc<Path>, u64),
    /// The line, from 1, of a file.
    Line(Arc<Path>, u64),
    /// The line, from 1, of standard input.
    Piped(Arc<Segments>, u64),
}

/// The folder in which transform writes what it sends through a pipe.
#[derive(Debug)]
pub struct Segments {
    /// Where it is.
    pub folder: PathBuf,
    /// The source's WAL segment size, which names its files.
    pub wal_segment_bytes: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Byte(path, byte) => write!(f, "{}, byte {byte}", path.display()),
            Place::Line(path, line) => write!(f, "{}, line {line}", path.display()),
            Place::Piped(_, line) => write!(f, "standard input, line {line}"),
        }
    }
}

impl Place {
    /// Whether it is a segment of the work directory.
    pub(super) fn is_in_segment(&self) -> bool {
        matches!(self, Place::Byte(..))
    }

    /// Where `line` of the transaction that `begin` begins stands in a segment, if it came from
    /// there through a pipe; else what is known.
    pub(super) fn in_segments(&self, begin: &Begin, line: &SqlLine) -> Self {
        let Place::Piped(segments, _) = self else {
            return self.clone();
        };
        let found = segments.find(begin, line).ok().flatten();
        found.map_or_else(
            || self.clone(),
            |(path, byte)| Place::Byte(path.into(), byte),
        )
    }
}

impl Segments {
    fn find(&self, begin: &Begin, wanted: &SqlLine) -> Result<Option<(PathBuf, u64)>, Error> {
        let first = segment_holding(&self.folder, Kind::Sql, begin.lsn, self.wal_segment_bytes)?;
        let mut follower = Follower::new(&self.folder, Kind::Sql, first)?;
        let (mut opening, mut searched) = (Vec::new(), Vec::new());
        SqlLine::Begin(begin.clone()).write(&mut opening);
        wanted.write(&mut searched);
        let (opening, searched) = (opening.trim_ascii_end(), searched.trim_ascii_end());
        let begun = Instant::now();
        let (mut line, mut inside) = (Vec::new(), false);
        loop {
            match follower.next(&mut line)? {
                Next::AtEnd if begun.elapsed() >= WRITTEN_WITHIN => return Ok(None),
                Next::AtEnd => std::thread::sleep(LOOK_AGAIN),
                Next::Segment(_) => {}
                Next::Line if !inside => inside = line == opening,
                Next::Line if line == searched => return Ok(Some(follower.place())),
                Next::Line => {}
            }
        }
    }
}
