//! Where an earlier receive stopped, as its segments tell.

use std::path::Path;

use crate::base::Lsn;
use crate::cdc::json_line;
use crate::segment::{self, Kind};

/// The last transaction boundary in the JSON segments of `folder`: everything up to it is on this
/// disk, whole. None if there is no boundary yet.
///
/// Reads whole segments from the last one backwards, until one holds a boundary.
pub fn last_boundary(folder: &Path) -> Result<Option<Lsn>, segment::Error> {
    for entry in segment::entries(folder, Kind::Json)?.iter().rev() {
        let mut last = None;
        segment::for_each_line(&entry.path, |line| {
            if let Ok(Some(lsn)) = json_line::boundary(line) {
                // The highest: an `E` may stand behind a keepalive past it.
                last = last.max(Some(lsn));
            }
        })?;
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Appender;

    #[test]
    fn an_unfinished_transaction_over_two_segments_is_behind_the_boundary() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(last_boundary(folder.path()).expect("read"), None);
        let write = |name: &str, lines: &str, close: bool| {
            let name = name.parse().expect("a name");
            let mut appender = Appender::open(folder.path(), Kind::Json, name).expect("opened");
            appender.append(lines.as_bytes()).expect("appended");
            if close {
                appender.close().expect("closed");
            }
        };
        write(
            "000000010000000000000001",
            "{\"action\":\"C\",\"xid\":1,\"lsn\":\"0/10\"}\n{\"action\":\"B\",\"xid\":2,\"lsn\":\"0/11\"}\n{\"action\":\"X\",\"lsn\":\"0/99\"}\n",
            true,
        );
        write(
            "000000010000000000000002",
            "{\"action\":\"I\",\"xid\":2}\n{\"action\":\"C\"",
            false,
        );
        assert_eq!(
            last_boundary(folder.path()).expect("read"),
            Some(Lsn::new(0x10))
        );
    }
}
