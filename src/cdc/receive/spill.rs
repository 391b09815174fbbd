//! Transactions that the source streams while they are in progress, on disk until they end.
//!
//! One file a top-level transaction, `<xid>.streamed` beside the segments. It holds the pieces as
//! they came, in order:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the piece, big-endian; 0: a block begins |
//! | 8 | the piece's LSN; for a block, its [`Moment`] |
//! | length | the piece, with the xid of its subtransaction |
//!
//! When a subtransaction is aborted, everything since its first piece belongs to it or to its
//! children: the file is cut there. So nothing need be kept of what was aborted.
//!
//! Bounds: one file is open at a time, and [`INDEXED_MAX`] subtransactions are kept in memory.
//!
//! A file is worth nothing to another process: the source streams a transaction again from its
//! beginning as long as its commit is not confirmed. Nothing here is synced; what an earlier
//! process left is removed at the start.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::base::Lsn;
use crate::segment;

use super::error::ReceiveError;
use super::relations::Moment;

/// What the names end with: no segment's does.
const ENDING: &str = ".streamed";
/// Bytes before each piece.
const HEADER: u64 = 12;
/// Gathered before it is written, or read at once: large enough that the disk is not the cost.
const BUFFER: usize = 256 * 1024;
/// Subtransactions of all open transactions whose first piece is known by heart: some 30 bytes
/// each. The source's own memory of one is ten times that. Past it, the file is searched.
const INDEXED_MAX: usize = 1 << 20;

/// All transactions that are streamed and have not ended.
#[derive(Debug)]
pub(super) struct Spills {
    folder: PathBuf,
    open: HashMap<u32, Spill>,
    /// The transaction whose block has begun and not ended.
    block: Option<Block>,
    /// Subtransactions in all indexes.
    indexed: usize,
    indexed_max: usize,
}

#[derive(Debug)]
struct Block {
    xid: u32,
    path: PathBuf,
    file: BufWriter<File>,
}

#[derive(Debug)]
struct Spill {
    first_lsn: Lsn,
    length: u64,
    /// None when there were too many.
    index: Option<Index>,
}

/// Where the first piece of each subtransaction stands, in order.
#[derive(Debug, Default)]
struct Index {
    known: HashSet<u32>,
    firsts: Vec<(u32, u64)>,
}

impl Spills {
    /// Begins with nothing: removes what an earlier process left.
    pub(super) fn open(folder: &Path) -> Result<Self, ReceiveError> {
        let listing = fs::read_dir(folder).map_err(failed("reading", folder))?;
        for entry in listing {
            let path = entry.map_err(failed("reading", folder))?.path();
            if path.to_string_lossy().ends_with(ENDING) {
                fs::remove_file(&path).map_err(failed("removing", &path))?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            open: HashMap::new(),
            block: None,
            indexed: 0,
            indexed_max: INDEXED_MAX,
        })
    }

    /// Whether a block has begun and not ended.
    pub(super) fn in_block(&self) -> bool {
        self.block.is_some()
    }

    /// A block of transaction `xid` begins; the first of it, or a further one.
    pub(super) fn begin_block(
        &mut self,
        xid: u32,
        is_first: bool,
        lsn: Lsn,
        moment: Moment,
    ) -> Result<(), ReceiveError> {
        if self.block.is_some() {
            return Err(wrong(xid, "a block begins inside another"));
        }
        // Taken for the whole, a transaction without its beginning would be a silent loss.
        match (is_first, self.open.contains_key(&xid)) {
            (true, true) => return Err(wrong(xid, "it begins a second time")),
            (false, false) => return Err(wrong(xid, "it goes on without having begun")),
            _ => {}
        }
        let path = self.path(xid);
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("opening", &path))?;
        self.open.entry(xid).or_insert_with(|| Spill {
            first_lsn: lsn,
            length: 0,
            index: Some(Index::default()),
        });
        let file = BufWriter::with_capacity(BUFFER, file);
        self.block = Some(Block { xid, path, file });
        self.append(moment, &[])
    }

    /// The block's next piece, of the subtransaction `subxid` or of the transaction itself.
    pub(super) fn piece(
        &mut self,
        lsn: Lsn,
        subxid: u32,
        piece: &[u8],
    ) -> Result<(), ReceiveError> {
        let xid = self.block.as_ref().map_or(0, |block| block.xid);
        if subxid != xid
            && let Some(spill) = self.open.get_mut(&xid)
            && let Some(index) = &mut spill.index
            && index.known.insert(subxid)
        {
            index.firsts.push((subxid, spill.length));
            self.indexed += 1;
            if self.indexed > self.indexed_max {
                self.indexed -= index.firsts.len();
                spill.index = None;
            }
        }
        self.append(lsn.as_u64(), piece)
    }

    fn append(&mut self, number: u64, piece: &[u8]) -> Result<(), ReceiveError> {
        let Some(block) = &mut self.block else {
            return Err(wrong(0, "a piece outside a block"));
        };
        let length = u32::try_from(piece.len());
        let length = length.map_err(|_| wrong(block.xid, "a piece of more than 4 GB"))?;
        let mut header = [0; HEADER as usize];
        header[..4].copy_from_slice(&length.to_be_bytes());
        header[4..].copy_from_slice(&number.to_be_bytes());
        let written = block.file.write_all(&header);
        let written = written.and_then(|()| block.file.write_all(piece));
        written.map_err(failed("writing", &block.path))?;
        if let Some(spill) = self.open.get_mut(&block.xid) {
            spill.length += HEADER + u64::from(length);
        }
        Ok(())
    }

    /// The block ends.
    pub(super) fn end_block(&mut self) -> Result<(), ReceiveError> {
        let block = self.block.take();
        let mut block = block.ok_or_else(|| wrong(0, "a block ends that did not begin"))?;
        let flushed = block.file.flush();
        flushed.map_err(failed("writing", &block.path))
    }

    /// The transaction `xid`, or only its subtransaction `subxid`, never happened.
    pub(super) fn abort(&mut self, xid: u32, subxid: u32) -> Result<(), ReceiveError> {
        if self.block.is_some() {
            return Err(wrong(xid, "it is aborted inside a block"));
        }
        let path = self.path(xid);
        if subxid == xid {
            if let Some(spill) = self.open.remove(&xid) {
                self.indexed -= spill.index.map_or(0, |index| index.firsts.len());
                fs::remove_file(&path).map_err(failed("removing", &path))?;
            }
            return Ok(());
        }
        let Some(spill) = self.open.get_mut(&xid) else {
            return Ok(());
        };
        let first = match &mut spill.index {
            Some(index) => {
                let before = index.firsts.len();
                let first = index.cut(subxid);
                self.indexed -= before - index.firsts.len();
                first
            }
            None => first_piece(&path, spill.length, subxid)?,
        };
        // None if nothing of it was streamed.
        if let Some(first) = first {
            let file = OpenOptions::new().write(true).open(&path);
            let cut = file.and_then(|file| file.set_len(first));
            cut.map_err(failed("cutting", &path))?;
            spill.length = first;
        }
        Ok(())
    }

    /// The transaction `xid` is committed: its pieces, to be read once.
    pub(super) fn commit(&mut self, xid: u32) -> Result<Release, ReceiveError> {
        if self.block.is_some() {
            return Err(wrong(xid, "it is committed inside a block"));
        }
        let spill = self.open.remove(&xid);
        let spill = spill.ok_or_else(|| wrong(xid, "it is committed without having begun"))?;
        self.indexed -= spill.index.map_or(0, |index| index.firsts.len());
        Release::open(self.path(xid), spill.first_lsn, spill.length)
    }

    fn path(&self, xid: u32) -> PathBuf {
        self.folder.join(format!("{xid}{ENDING}"))
    }
}

impl Drop for Spills {
    /// Frees the disk when receive ends in order.
    fn drop(&mut self) {
        for xid in self.open.keys() {
            let _ = fs::remove_file(self.path(*xid));
        }
    }
}

impl Index {
    /// Forgets `subxid` and what came after its first piece; where that stands, if it is known.
    fn cut(&mut self, subxid: u32) -> Option<u64> {
        if !self.known.contains(&subxid) {
            return None;
        }
        while let Some((later, at)) = self.firsts.pop() {
            self.known.remove(&later);
            if later == subxid {
                return Some(at);
            }
        }
        None
    }
}

/// Searches the file for the first piece of `subxid`.
fn first_piece(path: &Path, length: u64, subxid: u32) -> Result<Option<u64>, ReceiveError> {
    let mut pieces = Pieces::open(path, length)?;
    let mut piece = Vec::new();
    loop {
        let at = length - pieces.left;
        match pieces.next(&mut piece)? {
            None => return Ok(None),
            Some(_) if piece.get(1..5) == Some(&subxid.to_be_bytes()) => return Ok(Some(at)),
            Some(_) => {}
        }
    }
}

/// What [`Release::next`] has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// What follows was told at that moment.
    Block(Moment),
    /// The piece in the buffer stands there.
    Piece(Lsn),
}

/// A committed transaction on its way to the segments. Its file goes with it.
#[derive(Debug)]
pub(super) struct Release {
    path: PathBuf,
    pieces: Pieces,
    /// Where its first piece stood.
    pub(super) first_lsn: Lsn,
}

impl Release {
    fn open(path: PathBuf, first_lsn: Lsn, length: u64) -> Result<Self, ReceiveError> {
        Ok(Self {
            pieces: Pieces::open(&path, length)?,
            path,
            first_lsn,
        })
    }

    /// The next record; a piece replaces the content of `piece`. None at the end.
    pub(super) fn next(&mut self, piece: &mut Vec<u8>) -> Result<Option<Record>, ReceiveError> {
        self.pieces.next(piece)
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!("removing {}: {error}", self.path.display());
        }
    }
}

#[derive(Debug)]
struct Pieces {
    path: PathBuf,
    reader: BufReader<File>,
    left: u64,
}

impl Pieces {
    fn open(path: &Path, length: u64) -> Result<Self, ReceiveError> {
        let file = File::open(path).map_err(failed("opening", path))?;
        let there = file.metadata().map_err(failed("reading", path))?.len();
        if there != length {
            let changed = std::io::Error::other(format!("{there} bytes, not {length}"));
            return Err(failed("reading", path)(changed));
        }
        Ok(Self {
            path: path.to_owned(),
            reader: BufReader::with_capacity(BUFFER, file),
            left: length,
        })
    }

    fn next(&mut self, piece: &mut Vec<u8>) -> Result<Option<Record>, ReceiveError> {
        piece.clear();
        if self.left == 0 {
            return Ok(None);
        }
        let read = self.record(piece);
        read.map(Some).map_err(failed("reading", &self.path))
    }

    fn record(&mut self, piece: &mut Vec<u8>) -> std::io::Result<Record> {
        let (mut length, mut number) = ([0; 4], [0; 8]);
        self.reader.read_exact(&mut length)?;
        self.reader.read_exact(&mut number)?;
        let (length, number) = (u32::from_be_bytes(length), u64::from_be_bytes(number));
        let left = self.left.checked_sub(HEADER + u64::from(length));
        self.left = left.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        if length == 0 {
            return Ok(Record::Block(number));
        }
        piece.resize(length as usize, 0);
        self.reader.read_exact(piece)?;
        Ok(Record::Piece(Lsn::new(number)))
    }
}

fn wrong(xid: u32, problem: &'static str) -> ReceiveError {
    ReceiveError::Streamed { xid, problem }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ReceiveError {
    let path = path.to_owned();
    move |source| {
        ReceiveError::Segment(segment::Error {
            doing,
            path,
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A piece as pgoutput sends it: kind, xid, content.
    fn write(spills: &mut Spills, xid: u32, is_first: bool, pieces: &[(u32, &str)]) {
        let begun = spills.begin_block(xid, is_first, Lsn::new(1), 9);
        begun.expect("a block");
        for (subxid, text) in pieces {
            let piece = [&b"I"[..], &subxid.to_be_bytes(), text.as_bytes()].concat();
            spills.piece(Lsn::new(2), *subxid, &piece).expect("a piece");
        }
        spills.end_block().expect("ended");
    }

    fn released(spills: &mut Spills, xid: u32) -> String {
        let mut release = spills.commit(xid).expect("committed");
        let (mut text, mut piece) = (String::new(), Vec::new());
        while let Some(record) = release.next(&mut piece).expect("read") {
            match record {
                Record::Block(9) => text.push('|'),
                Record::Piece(_) => text.push_str(&String::from_utf8_lossy(&piece[5..])),
                other => panic!("{other:?}"),
            }
        }
        text
    }

    fn spills() -> (TempDir, Spills) {
        let folder = tempfile::tempdir().expect("a folder");
        let spills = Spills::open(folder.path()).expect("opened");
        (folder, spills)
    }

    fn files(folder: &TempDir) -> usize {
        fs::read_dir(folder.path()).expect("a folder").count()
    }

    #[test]
    fn an_aborted_subtransaction_goes_with_its_children_and_nothing_else_does() {
        for indexed_max in [INDEXED_MAX, 1] {
            let (_folder, mut spills) = spills();
            spills.indexed_max = indexed_max;
            write(&mut spills, 5, true, &[(5, "a"), (6, "b"), (7, "c")]);
            write(&mut spills, 5, false, &[(8, "d"), (9, "e"), (8, "f")]);
            spills.abort(5, 9).expect("the child first");
            spills.abort(5, 8).expect("then the parent");
            spills.abort(5, 10).expect("of which nothing was streamed");
            write(&mut spills, 5, false, &[(11, "g"), (5, "h")]);
            assert_eq!(released(&mut spills, 5), "|abc||gh");
            assert_eq!(spills.indexed, 0);
        }
    }

    #[test]
    fn a_child_that_wrote_before_its_parent_takes_the_parents_later_pieces_along() {
        let (_folder, mut spills) = spills();
        write(
            &mut spills,
            5,
            true,
            &[(5, "a"), (7, "child"), (6, "parent")],
        );
        spills.abort(5, 7).expect("child");
        spills.abort(5, 6).expect("parent");
        write(
            &mut spills,
            5,
            false,
            &[(6, "not the same again"), (8, "b")],
        );
        spills.abort(5, 6).expect("parent");
        assert_eq!(released(&mut spills, 5), "|a|");
    }

    #[test]
    fn files_go_with_commit_abort_and_end() {
        let (folder, mut spills) = spills();
        for xid in 5..9 {
            write(&mut spills, xid, true, &[(xid, "a")]);
        }
        assert_eq!(files(&folder), 4);
        spills.abort(5, 5).expect("aborted");
        spills.abort(99, 99).expect("of nothing");
        assert_eq!(released(&mut spills, 6), "|a");
        assert_eq!(files(&folder), 2);
        drop(spills);
        assert_eq!(files(&folder), 0);
        fs::write(folder.path().join(format!("5{ENDING}")), "left").expect("written");
        Spills::open(folder.path()).expect("opened");
        assert_eq!(files(&folder), 0);
    }

    #[test]
    fn a_transaction_without_its_beginning_is_refused() {
        let (_folder, mut spills) = spills();
        assert!(spills.begin_block(5, false, Lsn::ZERO, 1).is_err());
        assert!(spills.commit(5).is_err());
        write(&mut spills, 5, true, &[(5, "a")]);
        assert!(spills.begin_block(5, true, Lsn::ZERO, 1).is_err());
        assert!(spills.end_block().is_err());
    }
}
