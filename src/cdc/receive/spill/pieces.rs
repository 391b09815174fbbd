//! Reading the file of a transaction back.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::base::Lsn;
use crate::cdc::receive::error::ReceiveError;
use crate::cdc::receive::relations::Moment;

use super::index::follows;
use super::{BUFFER, HEADER, failed};

/// What [`Release::next`] has found.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cdc::receive) enum Record {
    /// What follows was told at that moment.
    Block(Moment),
    /// The piece in the buffer stands there.
    Piece(Lsn),
}

/// A committed transaction on its way to the segments. Its file goes with it.
#[derive(Debug)]
pub(in crate::cdc::receive) struct Release {
    path: PathBuf,
    pieces: Pieces,
    /// Where its first piece stood.
    pub(in crate::cdc::receive) first_lsn: Lsn,
}

impl Release {
    pub(super) fn open(path: PathBuf, first_lsn: Lsn, length: u64) -> Result<Self, ReceiveError> {
        Ok(Self {
            pieces: Pieces::open(&path, length)?,
            path,
            first_lsn,
        })
    }

    /// The next record; a piece replaces the content of `piece`. None at the end.
    pub(in crate::cdc::receive) fn next(
        &mut self,
        piece: &mut Vec<u8>,
    ) -> Result<Option<Record>, ReceiveError> {
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

/// What a search has found.
#[derive(Debug, Default)]
pub(super) struct Searched {
    /// Where the first piece that was looked for stands.
    pub(super) first: Option<u64>,
    /// The latest subtransaction of the pieces before that.
    pub(super) latest: Option<u32>,
}

/// Searches the file of the transaction `xid` for the first piece of `subxid`.
pub(super) fn search(
    path: &Path,
    length: u64,
    xid: u32,
    subxid: u32,
) -> Result<Searched, ReceiveError> {
    let mut pieces = Pieces::open(path, length)?;
    let mut piece = Vec::new();
    let mut searched = Searched::default();
    loop {
        let at = length - pieces.left;
        let Some(record) = pieces.next(&mut piece)? else {
            return Ok(searched);
        };
        let number = piece.get(1..5).and_then(|bytes| bytes.try_into().ok());
        let number = number.map(u32::from_be_bytes);
        match (record, number) {
            (Record::Piece(_), Some(found)) if found == subxid => {
                searched.first = Some(at);
                return Ok(searched);
            }
            (Record::Piece(_), Some(found))
                if found != xid && searched.latest.is_none_or(|latest| follows(found, latest)) =>
            {
                searched.latest = Some(found);
            }
            _ => {}
        }
    }
}
