//! How much room is left for segments.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use crate::base::quantity::ByteSize;

/// The disk that segments are written to, as last told.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    told: Room,
}

/// How much is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Enough,
    /// A tenth of the disk, or 10 GB of a large one: time to act.
    Little,
    /// A fiftieth, or 1 GB: some minutes of a busy source.
    VeryLittle,
}

impl Room {
    fn of(free: u64, size: u64) -> Self {
        match free {
            _ if free <= (size / 50).min(1 << 30) => Room::VeryLittle,
            _ if free <= (size / 10).min(10 << 30) => Room::Little,
            _ => Room::Enough,
        }
    }
}

impl Disk {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            told: Room::Enough,
        }
    }

    /// Tells what has got worse since. A system that does not say is not asked in vain.
    pub(super) fn look(&mut self) {
        let Ok(found) = statvfs(&self.folder) else {
            return;
        };
        let block = found.fragment_size();
        let free = found.blocks_available() * block;
        let room = Room::of(free, found.blocks() * block);
        if room > self.told {
            tracing::warn!(
                "{} left for changes in {}: when it is full, nothing more is received and the source keeps its WAL; make room, or bound what is kept there with --cdc-disk-limit and --compress-segments",
                ByteSize(free),
                self.folder.display()
            );
        }
        self.told = room;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_disk_counts_in_shares_and_a_large_one_in_gigabytes() {
        let of = |free: u64, size: u64| Room::of(free << 20, size << 20);
        assert_eq!(of(101, 1000), Room::Enough);
        assert_eq!(of(100, 1000), Room::Little);
        assert_eq!(of(20, 1000), Room::VeryLittle);
        let large = 10 << 20;
        assert_eq!(of((10 << 10) + 1, large), Room::Enough);
        assert_eq!(of(10 << 10, large), Room::Little);
        assert_eq!(of(1 << 10, large), Room::VeryLittle);
        assert_eq!(of(0, 0), Room::VeryLittle);
    }
}
