//! How far a comparison is, for whoever watches. Nothing is decided by it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use super::unit::Unit;
use crate::base::QualifiedName;

/// What the workers said so far.
#[derive(Debug, Default)]
pub struct Progress {
    /// Tables in all.
    pub tables: AtomicUsize,
    /// Tables of both sides that are known.
    pub tables_done: AtomicUsize,
    /// What there is to read on both sides together.
    pub bytes: AtomicU64,
    /// What was read.
    pub bytes_done: AtomicU64,
    /// Rows of the source that were read.
    pub rows: AtomicU64,
    /// By the place of their units.
    reading: Mutex<HashMap<usize, TableRead>>,
}

/// A table that is being read, on either side or both.
#[derive(Debug, Clone)]
pub struct TableRead {
    /// Its OID: on the source, if it is there.
    pub oid: u32,
    /// Which.
    pub name: QualifiedName,
    /// Its size on both sides together.
    pub bytes: u64,
    /// What of that was read; a part counts once it is read to its end.
    pub bytes_done: u64,
    /// Since when.
    pub begun: Instant,
}

impl Progress {
    /// What is being read, the longest running first.
    pub fn reading(&self) -> Vec<TableRead> {
        let mut reading: Vec<_> = self.lock().values().cloned().collect();
        reading.sort_by_key(|table| (table.begun, table.oid));
        reading
    }

    /// There are `known` tables from before, and these to read.
    pub(super) fn begin(&self, known: usize, to_count: &[Unit]) {
        let bytes = to_count.iter().map(Unit::bytes).sum();
        self.tables.store(known + to_count.len(), Ordering::Relaxed);
        self.tables_done.store(known, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// A part of the unit at `place` is about to be read.
    pub(super) fn part_begun(&self, place: usize, unit: &Unit) {
        let first = unit.sides.iter().flatten().next();
        self.lock().entry(place).or_insert_with(|| TableRead {
            oid: first.map_or(0, |relation| relation.table.oid),
            name: unit.name.clone(),
            bytes: unit.bytes(),
            bytes_done: 0,
            begun: Instant::now(),
        });
    }

    /// So many bytes of the unit at `place` were read.
    pub(super) fn part_read(&self, place: usize, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        if let Some(table) = self.lock().get_mut(&place) {
            // What has to be read again, in another form, counts once.
            table.bytes_done = (table.bytes_done + bytes).min(table.bytes);
        }
    }

    /// The unit at `place` is known.
    pub(super) fn table_known(&self, place: usize) {
        self.lock().remove(&place);
        self.tables_done.fetch_add(1, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, TableRead>> {
        self.reading
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str) -> Unit {
        Unit {
            name: QualifiedName::new("public", name),
            sides: [Vec::new(), Vec::new()],
            key: None,
            columns_differ: None,
        }
    }

    #[test]
    fn tables_are_told_from_their_first_part_until_they_are_known() {
        let progress = Progress::default();
        let units = [unit("a"), unit("b")];
        progress.begin(1, &units);
        progress.part_begun(1, &units[1]);
        progress.part_begun(0, &units[0]);
        progress.part_begun(1, &units[1]);
        let names = || -> Vec<_> {
            let reading = progress.reading().into_iter();
            reading.map(|table| table.name.name).collect()
        };
        assert_eq!(names(), ["b", "a"]);
        progress.part_read(1, 10);
        assert_eq!(progress.bytes_done.load(Ordering::Relaxed), 10);
        // Never more than there is of it.
        assert_eq!(progress.reading()[0].bytes_done, 0);
        progress.table_known(1);
        assert_eq!(names(), ["a"]);
        assert_eq!(progress.tables_done.load(Ordering::Relaxed), 2);
        assert_eq!(progress.tables.load(Ordering::Relaxed), 3);
    }
}
