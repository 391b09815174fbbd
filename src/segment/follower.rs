//! Reading segments one after the other while they grow.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::closing::{End, check, torn};
use super::open::Content;
use super::{Error, Kind, SegmentName, entries, failed};

/// Bytes read at once: large enough that reading is not the cost.
const BLOCK: usize = 256 * 1024;

/// What a [`Follower`] has found.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole line is in the buffer given, without its line feed.
    Line,
    /// A segment begins; its lines come next.
    Segment(SegmentName),
    /// Nothing more for now; the last segment may still grow.
    AtEnd,
}

/// Goes through the lines of a folder's segments, in order, across files, as they grow. None of a
/// closed one is given before the whole of it was found to be what it was, and after each comes the
/// one that it names.
///
/// Memory: one block and twice the longest line.
#[derive(Debug)]
pub struct Follower {
    folder: PathBuf,
    kind: Kind,
    after: Option<SegmentName>,
    /// The one that must come next, if it is known.
    expected: Option<SegmentName>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    name: SegmentName,
    path: PathBuf,
    content: Content,
    closed: bool,
    /// Read from the file and not returned yet: `buffer[start..]`.
    buffer: Vec<u8>,
    start: usize,
    /// `buffer[start..searched]` is known to hold no line feed.
    searched: usize,
    /// Byte in the file of `buffer[start]`.
    offset: u64,
    /// Byte in the file of the line returned last.
    line_offset: u64,
}

impl Follower {
    /// Starts before the segment `first`, or before all.
    pub fn new(folder: &Path, kind: Kind, first: Option<SegmentName>) -> Result<Self, Error> {
        let mut follower = Self {
            folder: folder.to_owned(),
            kind,
            after: None,
            expected: first,
            current: None,
        };
        if let Some(first) = first {
            let earlier = entries(folder, kind)?;
            let earlier = earlier.iter().map(|entry| entry.name);
            follower.after = earlier.take_while(|name| *name < first).last();
        }
        Ok(follower)
    }

    /// Starts behind the segment `after`, whether or not it is there, with the one that is known to
    /// be `next`.
    pub fn after(folder: &Path, kind: Kind, after: SegmentName, next: Option<SegmentName>) -> Self {
        Self {
            folder: folder.to_owned(),
            kind,
            after: Some(after),
            expected: next,
            current: None,
        }
    }

    /// The file and byte of the line returned last, for messages.
    pub fn place(&self) -> (PathBuf, u64) {
        let current = self.current.as_ref();
        let path = current.map_or(&self.folder, |current| &current.path);
        (path.clone(), self.byte())
    }

    /// The byte in its file of the line returned last.
    pub fn byte(&self) -> u64 {
        self.current
            .as_ref()
            .map_or(0, |current| current.line_offset)
    }

    /// Whether it stands in a segment, and not between two.
    pub fn is_within(&self) -> bool {
        self.current.is_some()
    }

    /// What comes next; a line replaces the content of `line`.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<Next, Error> {
        loop {
            let Some(current) = &mut self.current else {
                return self.open_next();
            };
            if current.take_line(line) {
                return Ok(Next::Line);
            }
            if current.fill()? {
                continue;
            }
            if !current.closed {
                // Asked before the last read, the answer "closed" means that the read saw all.
                if !self.kind.is_closed(&self.folder, current.name) {
                    return Ok(Next::AtEnd);
                }
                let path = self.kind.closed_path(&self.folder, current.name);
                self.expected = closed_before(self.kind, &path, &mut current.content)?;
                current.closed = true;
                continue;
            }
            if current.start < current.buffer.len() {
                return Err(Error::Damaged {
                    path: current.path.clone(),
                    problem: torn(current.offset),
                });
            }
            self.after = Some(current.name);
            self.current = None;
        }
    }

    fn open_next(&mut self) -> Result<Next, Error> {
        let all = entries(&self.folder, self.kind)?;
        let is_there = |name| all.iter().any(|entry| entry.name == name);
        let missing = self.expected.filter(|expected| !is_there(*expected));
        let Some(entry) = all.into_iter().find(|entry| Some(entry.name) > self.after) else {
            return Ok(Next::AtEnd);
        };
        if let Some(missing) = missing {
            let path = self.kind.closed_path(&self.folder, missing);
            return Err(Error::Missing(path));
        }
        let mut content = match Content::open(&entry.path) {
            // Renamed or compressed since the folder was read: the next call sees the new name.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Next::AtEnd),
            other => other.map_err(failed("opening", &entry.path))?,
        };
        if entry.closed {
            self.expected = closed_before(self.kind, &entry.path, &mut content)?;
            content = content.rewound().map_err(failed("reading", &entry.path))?;
        }
        self.current = Some(Current {
            name: entry.name,
            path: entry.path,
            content,
            closed: entry.closed,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            offset: 0,
            line_offset: 0,
        });
        Ok(Next::Segment(entry.name))
    }
}

/// Reads a closed segment to its end: it is what it was. Gives the segment that comes next, if it
/// says so.
fn closed_before(
    kind: Kind,
    path: &Path,
    content: &mut Content,
) -> Result<Option<SegmentName>, Error> {
    if let Content::Plain(file) = content {
        file.rewind().map_err(failed("reading", path))?;
    }
    match check(kind, path, content)? {
        End::Closing(closing) => Ok(closing.next),
        End::Other(problem) => Err(Error::Damaged {
            path: path.to_owned(),
            problem,
        }),
    }
}

impl Current {
    /// Moves the next whole line out of the buffer, if one is there.
    fn take_line(&mut self, line: &mut Vec<u8>) -> bool {
        let unsearched = &self.buffer[self.searched..];
        let Some(at) = memchr::memchr(b'\n', unsearched) else {
            self.searched = self.buffer.len();
            return false;
        };
        let end = self.searched + at;
        line.clear();
        line.extend_from_slice(&self.buffer[self.start..end]);
        self.line_offset = self.offset;
        self.offset += (end + 1 - self.start) as u64;
        self.start = end + 1;
        self.searched = self.start;
        true
    }

    /// Reads more of the file; false if there is no more for now.
    ///
    /// The beginning of a line is read again with the rest of it: if its writer was killed, the
    /// next one has cut it off and may have written another line there. Each time twice as much,
    /// so that a line of many blocks costs no more than twice its length.
    fn fill(&mut self) -> Result<bool, Error> {
        let begun = self.buffer.len() - self.start;
        let file = match &mut self.content {
            Content::Plain(file) => file,
            Content::Compressed(lines) => {
                // It does not change any more, and is only read forwards.
                self.buffer.drain(..self.start);
                self.start = 0;
                self.searched = begun;
                self.buffer.resize(begun + begun.max(BLOCK), 0);
                let read = lines.read(&mut self.buffer[begun..]);
                let read = read.map_err(failed("reading", &self.path))?;
                self.buffer.truncate(begun + read);
                return Ok(read > 0);
            }
        };
        self.buffer.clear();
        self.start = 0;
        self.searched = 0;
        self.buffer.resize(begun + begun.max(BLOCK), 0);
        let read = file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| file.read(&mut self.buffer))
            .map_err(failed("reading", &self.path))?;
        self.buffer.truncate(read);
        Ok(read > begun)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Appender;
    use super::*;

    fn name(low: u32) -> SegmentName {
        format!("0000000100000000{low:08X}")
            .parse()
            .expect("a name")
    }

    /// The shortest line that closes a segment.
    const CLOSING: &[u8] = b"{\"action\":\"X\"}\n";

    #[test]
    fn lines_come_once_and_in_order_across_growing_and_closed_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut follower = Follower::new(folder.path(), Kind::Json, None).expect("made");
        let mut line = Vec::new();
        let mut next = |follower: &mut Follower| {
            let next = follower.next(&mut line).expect("read");
            (next == Next::Line)
                .then(|| String::from_utf8_lossy(&line).into_owned())
                .ok_or(next)
        };
        assert_eq!(next(&mut follower), Err(Next::AtEnd));
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        assert_eq!(next(&mut follower), Err(Next::Segment(name(1))));
        first.append(b"one\ntw").expect("appended");
        assert_eq!(next(&mut follower), Ok("one".into()));
        assert_eq!(next(&mut follower), Err(Next::AtEnd));
        first.append(b"o\n").expect("appended");
        first.append(CLOSING).expect("appended");
        first.close().expect("closed");
        let mut second = Appender::open(folder.path(), Kind::Json, name(2)).expect("opened");
        second.append(b"three\n").expect("appended");
        assert_eq!(next(&mut follower), Ok("two".into()));
        assert!(next(&mut follower).is_ok());
        assert_eq!(next(&mut follower), Err(Next::Segment(name(2))));
        assert_eq!(next(&mut follower), Ok("three".into()));
        assert_eq!(next(&mut follower), Err(Next::AtEnd));

        let mut from_second =
            Follower::new(folder.path(), Kind::Json, Some(name(2))).expect("made");
        assert_eq!(next(&mut from_second), Err(Next::Segment(name(2))));
    }

    #[test]
    fn a_torn_line_that_the_next_writer_cuts_off_is_not_read_as_the_beginning_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let torn = b"one\n{\"new\":[\"100";
        std::fs::write(Kind::Json.partial_path(folder.path(), name(1)), torn).expect("written");
        let mut follower = Follower::new(folder.path(), Kind::Json, None).expect("made");
        let mut line = Vec::new();
        let mut next = |follower: &mut Follower| {
            let next = follower.next(&mut line).expect("read");
            (next == Next::Line)
                .then(|| String::from_utf8_lossy(&line).into_owned())
                .ok_or(next)
        };
        assert_eq!(next(&mut follower), Err(Next::Segment(name(1))));
        assert_eq!(next(&mut follower), Ok("one".into()));
        assert_eq!(next(&mut follower), Err(Next::AtEnd));
        let mut appender = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        assert_eq!(next(&mut follower), Err(Next::AtEnd));
        let lines = b"{\"new\":[\"200\"]}\n{\"new\":[\"3\"]}\n";
        appender.append(lines).expect("appended");
        assert_eq!(next(&mut follower), Ok("{\"new\":[\"200\"]}".into()));
        assert_eq!(next(&mut follower), Ok("{\"new\":[\"3\"]}".into()));
        assert_eq!(next(&mut follower), Err(Next::AtEnd));
    }

    #[test]
    fn a_line_of_many_blocks_is_read_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut follower = Follower::new(folder.path(), Kind::Json, None).expect("made");
        let mut appender = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        let long = [vec![b'x'; 5 * BLOCK + 3], b"\nshort\n".to_vec()].concat();
        let mut line = Vec::new();
        follower.next(&mut line).expect("segment");
        for piece in long.chunks(BLOCK - 7) {
            appender.append(piece).expect("appended");
            if !piece.ends_with(b"\n") {
                assert_eq!(follower.next(&mut line).expect("read"), Next::AtEnd);
            }
        }
        assert_eq!(follower.next(&mut line).expect("read"), Next::Line);
        assert_eq!(line.len(), 5 * BLOCK + 3);
        assert_eq!(follower.next(&mut line).expect("read"), Next::Line);
        assert_eq!(line, b"short");
    }

    #[test]
    fn nothing_is_given_of_a_closed_segment_that_has_lost_its_end_or_was_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Kind::Json.closed_path(folder.path(), name(1));
        for (content, told) in [
            (&b"one\ntorn"[..], "begins at byte 4"),
            (b"one\n", "byte 4: the closed segment ends here"),
            (
                b"one\n{\"action\":\"X\",\"crc32\":\"00000000\"}\n",
                "bytes 0 to 4: changed",
            ),
        ] {
            std::fs::write(&path, content).expect("written");
            let mut follower = Follower::new(folder.path(), Kind::Json, None).expect("made");
            let error = follower.next(&mut Vec::new()).expect_err(told).to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn one_that_was_changed_while_it_was_followed_is_told_when_it_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut follower = Follower::new(folder.path(), Kind::Json, None).expect("made");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        first.append(b"one\n").expect("appended");
        let mut line = Vec::new();
        assert!(follower.next(&mut line).expect("read") == Next::Segment(name(1)));
        assert!(follower.next(&mut line).expect("read") == Next::Line);
        first
            .append(b"{\"action\":\"X\",\"crc32\":\"00000000\"}\n")
            .expect("appended");
        assert!(follower.next(&mut line).expect("read") == Next::Line);
        assert!(follower.next(&mut line).expect("read") == Next::AtEnd);
        first.close().expect("closed");
        for _ in 0..2 {
            let error = follower.next(&mut line).expect_err("changed");
            assert!(matches!(error, Error::Changed { bytes: 4, .. }), "{error}");
        }
    }

    #[test]
    fn a_segment_that_is_gone_is_missed_once_a_later_one_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Kind::Json.closed_path(folder.path(), name(1));
        let closing = format!("{{\"action\":\"X\",\"next\":\"{}\"}}\n", name(3));
        std::fs::write(first, closing).expect("written");
        let mut line = Vec::new();
        let mut at_end = |follower: &mut Follower| loop {
            match follower.next(&mut line) {
                Ok(Next::AtEnd) => return None,
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        };
        let mut reading = Follower::new(folder.path(), Kind::Json, None).expect("made");
        let mut behind = Follower::after(folder.path(), Kind::Json, name(1), Some(name(3)));
        assert!(at_end(&mut reading).is_none());
        assert!(at_end(&mut behind).is_none());
        std::fs::write(Kind::Json.partial_path(folder.path(), name(4)), "").expect("written");
        let third = Kind::Json.closed_path(folder.path(), name(3));
        for follower in [&mut reading, &mut behind] {
            let error = at_end(follower).expect("noticed");
            assert!(matches!(error, Error::Missing(path) if path == third));
        }
        std::fs::write(third, CLOSING).expect("put back");
        assert!(at_end(&mut reading).is_none());
    }
}
