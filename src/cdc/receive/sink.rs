//! Events become lines of the right segment.

use std::path::{Path, PathBuf};

use crate::base::Lsn;
use crate::cdc::change::{Event, Switch};
use crate::cdc::json_line;
use crate::segment::{self, Appender, Kind, Running, SegmentName};

use super::relations::Relations;

/// Lines gathered before they are written to the file.
const WRITE_BYTES: usize = 256 * 1024;
/// A segment ends at this many of the source's WAL segments at the latest: the pieces of a streamed
/// transaction stand where the source was long ago, so their positions end none. Not fewer, because
/// each that ends so takes a name ahead of the source's position.
const SEGMENT_MAX: u64 = 16;

/// How the source numbers its WAL files; segments are named after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) timeline: u32,
    pub(super) wal_segment_bytes: u64,
}

/// The one writer of a folder's JSON segments.
#[derive(Debug)]
pub(super) struct Sink {
    folder: PathBuf,
    geometry: Geometry,
    appender: Option<Appender>,
    /// Of all bytes in the segment.
    checksum: Running,
    /// The last closed segment found at the start: the next one opened comes after it.
    last_closed: Option<SegmentName>,
    pub(super) relations: Relations,
    lines: Vec<u8>,
}

impl Sink {
    /// Goes on behind what `folder` holds.
    pub(super) fn open(folder: &Path, geometry: Geometry) -> Result<Self, segment::Error> {
        let entries = segment::entries(folder, Kind::Json)?;
        let current = match entries.last() {
            Some(last) if !last.closed => Some(last.name),
            // Killed before the next was opened: readers wait for the one that was named.
            Some(last) => segment::closing(&last.path, Kind::Json)?
                .and_then(|closing| closing.next)
                .filter(|next| *next > last.name),
            None => None,
        };
        let mut sink = Self {
            folder: folder.to_owned(),
            geometry,
            appender: None,
            checksum: Running::default(),
            last_closed: entries
                .iter()
                .rev()
                .find(|entry| entry.closed)
                .map(|entry| entry.name),
            relations: Relations::default(),
            lines: Vec::new(),
        };
        if let Some(current) = current {
            sink.begin(current)?;
        }
        Ok(sink)
    }

    /// Makes the first segment of all, if there is none, where following begins: whoever reads knows
    /// from its name that none before it is gone.
    pub(super) fn start_at(&mut self, start: Lsn) -> Result<(), segment::Error> {
        match (&self.appender, self.last_closed) {
            (None, None) => self.turn_to(start),
            _ => Ok(()),
        }
    }

    /// Goes on in the segment `name`, or begins it.
    fn begin(&mut self, name: SegmentName) -> Result<(), segment::Error> {
        let appender = Appender::open(&self.folder, Kind::Json, name)?;
        self.checksum = Running::of(appender.path())?;
        self.appender = Some(appender);
        self.relations.begin_segment();
        Ok(())
    }

    /// Takes `event`, which stands at `lsn`. It is in the file at the latest after
    /// [`Sink::flush`], and durable after [`Sink::sync`].
    pub(super) fn write(&mut self, lsn: Lsn, event: Event) -> Result<(), segment::Error> {
        if let Event::Relation(relation) = event {
            self.relations.learn(relation);
            return Ok(());
        }
        self.turn_to(lsn)?;
        match &event {
            Event::Row(row) => self.describe(row.rel),
            Event::Truncate(truncate) => truncate.rels.iter().for_each(|rel| self.describe(*rel)),
            _ => {}
        }
        json_line::write(&event, &mut self.lines);
        if self.lines.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Repeats a relation at its first use in this segment.
    fn describe(&mut self, rel: u32) {
        if let Some(relation) = self.relations.describe_once(rel) {
            json_line::write(&Event::Relation(relation.clone()), &mut self.lines);
        }
    }

    /// Makes the segment for `lsn` the current one. Positions inside a transaction may be earlier
    /// than what stands already; they stay in the current segment, unless it is full. Names never go
    /// back, and a reader that looks for a position begins at the last name that is not past it: a
    /// name ahead of what the segment holds makes it begin earlier, and miss nothing.
    fn turn_to(&mut self, lsn: Lsn) -> Result<(), segment::Error> {
        let Geometry {
            timeline,
            wal_segment_bytes,
        } = self.geometry;
        let mut name = SegmentName::holding(lsn, timeline, wal_segment_bytes);
        if let Some(current) = &self.appender {
            let length = current.length() + self.lines.len() as u64;
            if length >= SEGMENT_MAX * wal_segment_bytes {
                name = name.max(current.name().next(wal_segment_bytes));
            }
        }
        match &self.appender {
            Some(current) if name <= current.name() => return Ok(()),
            Some(_) => self.close(lsn, name)?,
            None => {
                if let Some(last) = self.last_closed {
                    name = name.max(last.next(wal_segment_bytes));
                }
            }
        }
        self.begin(name)
    }

    /// Closes the current segment; what stands at `lsn` follows in the segment `next`.
    fn close(&mut self, lsn: Lsn, next: SegmentName) -> Result<(), segment::Error> {
        self.flush()?;
        let switch = Event::Switch(Switch {
            lsn,
            next: Some(next),
            crc32: Some(self.checksum.value()),
        });
        json_line::write(&switch, &mut self.lines);
        self.flush()?;
        if let Some(finished) = self.appender.take() {
            self.last_closed = Some(finished.name());
            finished.close()?;
        }
        Ok(())
    }

    /// Everything taken so far is in the file when this returns, and other processes see it.
    pub(super) fn flush(&mut self) -> Result<(), segment::Error> {
        if let Some(appender) = &mut self.appender {
            appender.append(&self.lines)?;
            self.checksum.add(&self.lines);
            self.lines.clear();
        }
        Ok(())
    }

    /// Everything taken so far is durable when this returns.
    pub(super) fn sync(&mut self) -> Result<(), segment::Error> {
        self.flush()?;
        match &self.appender {
            Some(appender) => appender.sync(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc::change::{Begin, Commit, Identity, Operation, Relation, RowChange};

    const GEOMETRY: Geometry = Geometry {
        timeline: 1,
        wal_segment_bytes: 0x100,
    };

    fn write(sink: &mut Sink, lsn: u64, event: Event) {
        sink.write(Lsn::new(lsn), event).expect("written");
    }

    fn insert(lsn: u64) -> Event {
        Event::Row(RowChange {
            operation: Operation::Insert,
            xid: 1,
            lsn: Lsn::new(lsn),
            rel: 7,
            old: None,
            new: Some(vec![]),
        })
    }

    fn begin() -> Event {
        Event::Begin(Begin {
            xid: 1,
            lsn: Lsn::new(0x10),
            commit_lsn: None,
            timestamp: None,
        })
    }

    fn relation() -> Event {
        Event::Relation(Relation {
            rel: 7,
            schema: "s".into(),
            table: "t".into(),
            columns: vec![],
            identity: Identity::Default,
        })
    }

    fn actions(folder: &Path) -> Vec<(String, bool, String)> {
        let entries = segment::entries(folder, Kind::Json).expect("entries");
        let actions = |path: &Path| {
            let text = std::fs::read_to_string(path).expect("read");
            text.lines().map(|line| line[11..12].to_owned()).collect()
        };
        entries
            .iter()
            .map(|entry| {
                (
                    entry.name.to_string()[16..].to_owned(),
                    entry.closed,
                    actions(&entry.path),
                )
            })
            .collect()
    }

    #[test]
    fn a_transaction_spans_segments_and_each_describes_its_relations() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
        write(&mut sink, 0x10, begin());
        write(&mut sink, 0x10, relation());
        write(&mut sink, 0x20, insert(0x20));
        write(&mut sink, 0x110, insert(0x110));
        write(&mut sink, 0x50, insert(0x50)); // earlier, as in an interleaved transaction
        let commit = Event::Commit(Commit {
            xid: 1,
            lsn: Lsn::new(0x120),
            timestamp: None,
        });
        write(&mut sink, 0x120, commit);
        sink.sync().expect("synced");
        assert_eq!(
            actions(folder.path()),
            [
                ("00000000".into(), true, "BRIX".into()),
                ("00000001".into(), false, "RIIC".into())
            ]
        );
    }

    #[test]
    fn a_transaction_from_long_ago_spans_segments_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
        write(&mut sink, 0x910, begin());
        write(&mut sink, 0x910, relation());
        for _ in 0..100 {
            write(&mut sink, 0x20, insert(0x20));
        }
        write(&mut sink, 0x920, begin());
        sink.sync().expect("synced");
        let actions = actions(folder.path());
        assert!(
            actions.len() == 2 && actions[1].2.starts_with("RI"),
            "{actions:?}"
        );
        assert_eq!(actions[1].0, "0000000A");
    }

    #[test]
    fn after_a_crash_between_two_segments_the_next_name_is_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
        write(&mut sink, 0x10, begin());
        write(&mut sink, 0x110, begin());
        sink.sync().expect("synced");
        drop(sink);
        std::fs::remove_file(Kind::Json.partial_path(
            folder.path(),
            "000000010000000000000001".parse().expect("a name"),
        ))
        .expect("as if never opened");
        let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened again");
        write(&mut sink, 0x10, begin()); // the transaction comes again from its first position
        sink.sync().expect("synced");
        assert_eq!(
            actions(folder.path()),
            [
                ("00000000".into(), true, "BX".into()),
                ("00000001".into(), false, "B".into())
            ]
        );
    }

    fn closings(folder: &Path) -> Vec<(String, Option<segment::Closing>)> {
        let entries = segment::entries(folder, Kind::Json).expect("entries");
        let closing = |path: &Path| segment::closing(path, Kind::Json).expect("what it was");
        entries
            .iter()
            .map(|entry| (entry.name.to_string(), closing(&entry.path)))
            .collect()
    }

    /// Every segment but the last names the one that comes next, and has a checksum.
    fn assert_chained(folder: &Path, names: &[&str]) {
        let closings = closings(folder);
        assert_eq!(
            closings.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            names
        );
        for pair in closings.windows(2) {
            let closing = pair[0].1.expect("closed");
            assert_eq!(
                closing.next.map(|next| next.to_string()),
                Some(pair[1].0.clone())
            );
            assert!(closing.crc32.is_some());
        }
    }

    #[test]
    fn the_first_segment_of_all_is_there_from_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        for start in [0x110, 0x910] {
            let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
            sink.start_at(Lsn::new(start)).expect("started");
        }
        let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
        write(&mut sink, 0x910, begin());
        assert_chained(
            folder.path(),
            &["000000010000000000000001", "000000010000000000000009"],
        );
    }

    #[test]
    fn the_checksum_is_that_of_what_an_earlier_process_left_too() {
        let folder = tempfile::tempdir().expect("a folder");
        for torn in ["", "{\"action\":", "{\"action\":\"K\",\"lsn\":\"0/11\"}\n"] {
            let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
            write(&mut sink, 0x10, begin());
            sink.sync().expect("synced");
            let current = sink.appender.as_ref().expect("a segment").path();
            let left = std::fs::read_to_string(current).expect("read") + torn;
            std::fs::write(current, left).expect("as left by a crash");
        }
        let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
        write(&mut sink, 0x110, begin());
        assert_chained(
            folder.path(),
            &["000000010000000000000000", "000000010000000000000001"],
        );
    }

    #[test]
    fn what_a_closed_segment_names_as_the_next_is_the_next_whatever_comes_between() {
        let (first, named) = ("000000010000000000000000", "000000010000000000000009");
        for (lsn, timeline, names) in [
            (0x10, 1, &[first, named][..]),
            (0x910, 1, &[first, named]),
            (0xC10, 1, &[first, named, "00000001000000000000000C"]),
            (0x910, 2, &[first, named, "000000020000000000000009"]),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut sink = Sink::open(folder.path(), GEOMETRY).expect("opened");
            write(&mut sink, 0x10, begin());
            write(&mut sink, 0x910, begin());
            drop(sink);
            let opened = Kind::Json.partial_path(folder.path(), named.parse().expect("a name"));
            std::fs::remove_file(opened).expect("as if never opened");
            let geometry = Geometry {
                timeline,
                ..GEOMETRY
            };
            let mut sink = Sink::open(folder.path(), geometry).expect("opened again");
            write(&mut sink, lsn, begin());
            sink.sync().expect("synced");
            assert_chained(folder.path(), names);
        }
    }
}
