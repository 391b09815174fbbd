//! Removing the segments that the target has replayed.

use std::path::Path;

use crate::segment::{self, Kind, SegmentName, entries, remove_before, segment_holding};
use crate::store::{self, Store};

/// Segments could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The folder.
    #[error(transparent)]
    Segment(#[from] segment::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Removes the closed segments of `folder` that hold only what the target has confirmed, as far as
/// the store knows, and gives their number. Those from `read` on are still being read.
///
/// A JSON segment stays until its SQL is written, and both stay from the one on that holds the
/// last confirmed position: every reader begins there. What the target has committed is noted
/// before anything is removed, so that one that goes back behind it is told, instead of served from
/// the middle.
pub fn prune(
    folder: &Path,
    store: &mut Store,
    wal_segment_bytes: u64,
    read: Option<SegmentName>,
) -> Result<usize, PruneError> {
    let replayed = store.sentinel()?.replay_lsn;
    if replayed.is_zero() {
        return Ok(0);
    }
    let holding = |kind| segment_holding(folder, kind, replayed, wal_segment_bytes);
    let transformed = entries(folder, Kind::Sql)?.last().map(|last| last.name);
    let needed = [holding(Kind::Json)?, transformed, read];
    let json = needed.into_iter().flatten().min();
    let sql = holding(Kind::Sql)?;
    let kept = [(Kind::Json, json), (Kind::Sql, sql)];
    let is_there = |kind, keep| -> Result<bool, segment::Error> {
        Ok(entries(folder, kind)?
            .first()
            .is_some_and(|first| first.name < keep))
    };
    let mut removed = 0;
    for (kind, keep) in kept {
        let Some(keep) = keep else { continue };
        if is_there(kind, keep)? {
            store.note_pruned()?;
            removed += remove_before(folder, kind, keep)?;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Lsn;
    use crate::store::WorkDir;

    const SEGMENT: u64 = 0x100;

    #[test]
    fn what_is_replayed_and_transformed_and_not_being_read_goes() {
        let root = tempfile::tempdir().expect("a folder");
        let work_dir = WorkDir::new(root.path().join("work"), root.path().join("work/cdc"));
        work_dir.create().expect("made");
        let mut store = Store::create(&work_dir.store_path()).expect("made");
        let name = |low: u32| -> SegmentName {
            format!("0000000100000000{low:08X}")
                .parse()
                .expect("a name")
        };
        for low in 1..=6 {
            std::fs::write(Kind::Json.closed_path(&work_dir.cdc, name(low)), "").expect("written");
        }
        for low in 1..=4 {
            std::fs::write(Kind::Sql.closed_path(&work_dir.cdc, name(low)), "").expect("written");
        }
        let left = |kind| -> Vec<u64> {
            let entries = entries(&work_dir.cdc, kind).expect("listed");
            let first = |name: SegmentName| name.first_lsn(SEGMENT).as_u64() / SEGMENT;
            entries.iter().map(|entry| first(entry.name)).collect()
        };
        for (replayed, read, json, sql) in [
            (0, None, vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3, 4]),
            (0x2ff, None, vec![2, 3, 4, 5, 6], vec![2, 3, 4]),
            (0x300, Some(2), vec![2, 3, 4, 5, 6], vec![3, 4]),
            // Transform is behind the pipe.
            (0x5ff, None, vec![4, 5, 6], vec![4]),
        ] {
            let committed = Lsn::new(replayed / 2);
            store
                .report_replayed(Lsn::new(replayed), committed, Lsn::ZERO)
                .expect("reported");
            prune(&work_dir.cdc, &mut store, SEGMENT, read.map(name)).expect("pruned");
            assert_eq!(
                (left(Kind::Json), left(Kind::Sql)),
                (json, sql),
                "{replayed:x}"
            );
            assert_eq!(store.pruned().expect("read"), committed);
        }
    }
}
