//! Removing segments that nobody needs any more.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::compress::unfinished;
use super::{Error, Kind, SegmentName, entries, failed};

/// Removes the closed segments of `kind` before `keep`, oldest first, and never the last. Gives how
/// many there were.
pub fn remove_before(folder: &Path, kind: Kind, keep: SegmentName) -> Result<usize, Error> {
    let all = entries(folder, kind)?;
    let Some((_, earlier)) = all.split_last() else {
        return Ok(0);
    };
    let mut removed = 0;
    for entry in earlier
        .iter()
        .filter(|entry| entry.closed && entry.name < keep)
    {
        let plain = kind.closed_path(folder, entry.name);
        let compressed = kind.compressed_path(folder, entry.name);
        // A compression that was killed has left the second.
        for path in [&plain, &unfinished(&plain), &compressed] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(failed("removing", path)(error));
                }
                _ => {}
            }
        }
        removed += 1;
    }
    Ok(removed)
}

/// The bytes that all files in `folder` take on the disk.
pub fn bytes_taken(folder: &Path) -> Result<u64, Error> {
    use std::os::unix::fs::MetadataExt;
    /// What `st_blocks` counts.
    const BLOCK: u64 = 512;
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed("reading", folder)(error)),
    };
    let mut bytes = 0;
    for file in listing {
        let file = file.map_err(failed("reading", folder))?;
        match file.metadata() {
            Ok(metadata) => bytes += metadata.blocks() * BLOCK,
            // Renamed or removed since.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("reading", &file.path())(error)),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_before_goes_and_the_last_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = |low: u32| format!("0000000100000000{low:08X}");
        for (low, ending) in [
            (1, "json"),
            (2, "json.zst"),
            (3, "json"),
            (4, "json"),
            (1, "sql"),
        ] {
            let path = folder.path().join(format!("{}.{ending}", name(low)));
            fs::write(path, vec![b'x'; 10_000]).expect("written");
        }
        let keep = |low| name(low).parse().expect("a name");
        let left = || {
            let entries = entries(folder.path(), Kind::Json).expect("listed");
            entries.iter().map(|entry| entry.name).collect::<Vec<_>>()
        };
        fs::write(
            unfinished(&Kind::Json.closed_path(folder.path(), keep(1))),
            "x",
        )
        .expect("written");
        assert!(bytes_taken(folder.path()).expect("counted") >= 50_000);
        assert_eq!(
            remove_before(folder.path(), Kind::Json, keep(3)).expect("removed"),
            2
        );
        assert_eq!(left(), [keep(3), keep(4)]);
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 3);
        assert_eq!(
            remove_before(folder.path(), Kind::Json, keep(9)).expect("removed"),
            1
        );
        assert_eq!(left(), [keep(4)]);
        assert_eq!(entries(folder.path(), Kind::Sql).expect("listed").len(), 1);
    }
}
