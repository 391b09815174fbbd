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

mod index;
mod pieces;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::base::Lsn;
use crate::segment;

use super::error::ReceiveError;
use super::relations::Moment;
use index::{First, Index};
pub(in crate::cdc::receive) use pieces::{Record, Release};

/// What the names end with: no segment's does.
const ENDING: &str = ".streamed";
/// Bytes before each piece.
const HEADER: u64 = 12;
/// Gathered before it is written, or read at once: large enough that the disk is not the cost.
const BUFFER: usize = 256 * 1024;
/// Subtransactions of all open transactions whose first piece is known by heart: some 30 bytes
/// each. The source's own memory of one is ten times that. Past it, the older half is forgotten,
/// and for those the file is searched.
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
    index: Index,
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
            index: Index::default(),
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
            && spill.index.add(subxid, spill.length)
        {
            self.indexed += 1;
            if self.indexed > self.indexed_max {
                self.forget_older_half();
            }
        }
        self.append(lsn.as_u64(), piece)
    }

    fn forget_older_half(&mut self) {
        let indexes = self.open.values_mut().map(|spill| &mut spill.index);
        self.indexed = indexes
            .map(|index| {
                index.forget_older_half();
                index.len()
            })
            .sum();
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
                self.indexed -= spill.index.len();
                fs::remove_file(&path).map_err(failed("removing", &path))?;
            }
            return Ok(());
        }
        let Some(spill) = self.open.get_mut(&xid) else {
            return Ok(());
        };
        let first = match spill.index.first(subxid) {
            First::Nowhere => None,
            First::At(first) => Some(first),
            First::Forgotten => {
                let searched = pieces::search(&path, spill.length, xid, subxid)?;
                if searched.first.is_some() {
                    spill.index.holds_up_to(searched.latest);
                }
                searched.first
            }
        };
        // None if nothing of it was streamed.
        if let Some(first) = first {
            let file = OpenOptions::new().write(true).open(&path);
            let cut = file.and_then(|file| file.set_len(first));
            cut.map_err(failed("cutting", &path))?;
            spill.length = first;
            self.indexed -= spill.index.len();
            spill.index.cut(first);
            self.indexed += spill.index.len();
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
        self.indexed -= spill.index.len();
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

fn wrong(xid: u32, problem: &'static str) -> ReceiveError {
    ReceiveError::Streamed { xid, problem }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ReceiveError {
    let path = path.to_owned();
    move |source| {
        ReceiveError::Segment(segment::Error::Io {
            doing,
            path,
            source,
        })
    }
}
