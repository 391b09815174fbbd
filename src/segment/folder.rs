//! Which segments a folder holds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::Lsn;

use super::open::{COMPRESSED, is_compressed};
use super::{Error, SegmentName, failed};

/// What the lines of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Changes as receive wrote them.
    Json,
    /// Statements as transform wrote them.
    Sql,
}

impl Kind {
    /// The end of a closed file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Kind::Json => "json",
            Kind::Sql => "sql",
        }
    }

    /// What the lines of the file at `path` are, if its name is that of a closed segment.
    pub fn of_closed(path: &Path) -> Option<Kind> {
        let name = path.file_name()?.to_str()?;
        let name = name.strip_suffix(COMPRESSED).unwrap_or(name);
        let (_, ending) = name.rsplit_once('.')?;
        [Kind::Json, Kind::Sql]
            .into_iter()
            .find(|kind| kind.extension() == ending)
    }

    /// The path of this segment in `folder` when closed.
    pub fn closed_path(self, folder: &Path, name: SegmentName) -> PathBuf {
        folder.join(format!("{name}.{}", self.extension()))
    }

    /// The path of this segment in `folder` when closed and compressed.
    pub fn compressed_path(self, folder: &Path, name: SegmentName) -> PathBuf {
        folder.join(format!("{name}.{}{COMPRESSED}", self.extension()))
    }

    /// Whether this segment of `folder` is closed.
    pub fn is_closed(self, folder: &Path, name: SegmentName) -> bool {
        // In this order: the compressed one is there before the plain one goes.
        self.closed_path(folder, name).exists() || self.compressed_path(folder, name).exists()
    }

    /// The path of this segment in `folder` while it grows.
    pub fn partial_path(self, folder: &Path, name: SegmentName) -> PathBuf {
        folder.join(format!("{name}.{}.partial", self.extension()))
    }
}

/// A segment found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: SegmentName,
    /// Where it was when the folder was read.
    pub path: PathBuf,
    /// Whether it was closed then. Once closed, always closed.
    pub closed: bool,
}

/// The segments of one kind in `folder`, in order. A missing folder has none.
///
/// A listing of a large folder takes several looks by the kernel, and a file that is renamed
/// between two of them may be in neither. Such a file is closed before the next is made, so a
/// listing that shows a later one is only believed when a second, begun after it, agrees.
pub fn entries(folder: &Path, kind: Kind) -> Result<Vec<Entry>, Error> {
    let mut listed = list(folder, kind)?;
    loop {
        let again = list(folder, kind)?;
        let names = |entries: &[Entry]| entries.iter().map(|entry| entry.name).collect::<Vec<_>>();
        if names(&again) == names(&listed) {
            return Ok(again);
        }
        listed = again;
    }
}

fn list(folder: &Path, kind: Kind) -> Result<Vec<Entry>, Error> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("reading", folder)(error)),
    };
    let mut found = Vec::new();
    for file in listing {
        let path = file.map_err(failed("reading", folder))?.path();
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let Some((name, ending)) = file_name.split_once('.') else {
            continue;
        };
        let closed = match ending.strip_prefix(kind.extension()) {
            Some("" | COMPRESSED) => true,
            Some(".partial") => false,
            _ => continue,
        };
        if let Ok(name) = name.parse() {
            found.push(Entry { name, path, closed });
        }
    }
    // Renamed or compressed while the folder was read: two names may be listed. Of these the later
    // one stays.
    found.sort_by_key(|entry| (entry.name, !entry.closed, !is_compressed(&entry.path)));
    found.dedup_by_key(|entry| entry.name);
    Ok(found)
}

/// The last segment that can hold the boundary `applied`: reading from its beginning misses
/// nothing that comes after. Names never go back along
/// the stream, so no later line stands in an earlier file.
pub fn segment_holding(
    folder: &Path,
    kind: Kind,
    applied: Lsn,
    wal_segment_bytes: u64,
) -> Result<Option<SegmentName>, Error> {
    let entries = entries(folder, kind)?;
    let starts = |entry: &Entry| entry.name.first_lsn(wal_segment_bytes);
    let start = entries
        .iter()
        .map(starts)
        .filter(|start| *start <= applied)
        .max();
    // Of two timelines with a segment at the same position, the earlier has what came first.
    let earlier = entries.iter().find(|entry| Some(starts(entry)) == start);
    Ok(earlier.or(entries.first()).map(|entry| entry.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_begins_at_the_segment_that_holds_what_is_applied() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["000000010000000000000002", "000000010000000000000004"];
        for name in names {
            std::fs::write(folder.path().join(format!("{name}.json")), "").expect("written");
        }
        let holding = |lsn| {
            segment_holding(folder.path(), Kind::Json, Lsn::new(lsn), 0x100)
                .expect("read")
                .map(|name| name.to_string())
        };
        assert_eq!(holding(0x150).as_deref(), Some(names[0]));
        assert_eq!(holding(0x3ff).as_deref(), Some(names[0]));
        assert_eq!(holding(0x400).as_deref(), Some(names[1]));
    }
}
