//! Appending to a segment.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::base::{durable_file, failpoint};

use super::{Error, Kind, SegmentName, failed};

/// The one writer of a growing segment.
#[derive(Debug)]
pub struct Appender {
    file: File,
    folder: PathBuf,
    path: PathBuf,
    kind: Kind,
    name: SegmentName,
    length: u64,
}

impl Appender {
    /// Opens the growing file of this name, or makes it. A torn last line is cut off.
    ///
    /// When this returns, the file's name is durable and what is in it is synced.
    pub fn open(folder: &Path, kind: Kind, name: SegmentName) -> Result<Self, Error> {
        let path = kind.partial_path(folder, name);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed("opening", &path))?;
        let length = whole_lines(&mut file).map_err(failed("reading", &path))?;
        file.set_len(length)
            .and_then(|()| file.seek(SeekFrom::Start(length)))
            .and_then(|_| file.sync_all())
            .and_then(|()| durable_file::sync_folder(folder))
            .map_err(failed("opening", &path))?;
        Ok(Self {
            file,
            folder: folder.to_owned(),
            path,
            kind,
            name,
            length,
        })
    }

    /// Its name.
    pub fn name(&self) -> SegmentName {
        self.name
    }

    /// Bytes in it, all of them whole lines.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The growing file itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps only what `reader`, another handle on this file, has read; gives the bytes kept.
    pub fn keep_read(&mut self, reader: &mut File) -> Result<u64, Error> {
        let kept = reader
            .stream_position()
            .and_then(|read| self.file.set_len(read).map(|()| read))
            .and_then(|read| self.file.seek(SeekFrom::Start(read)))
            .map_err(failed("writing", &self.path))?;
        self.length = kept;
        Ok(kept)
    }

    /// Appends whole lines. Nothing is durable yet when this returns.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(lines)
            .map_err(failed("writing", &self.path))?;
        self.length += lines.len() as u64;
        Ok(())
    }

    /// When this returns, everything appended so far is durable.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(failed("syncing", &self.path))
    }

    /// Closes the segment: synced, then renamed, then the folder synced.
    pub fn close(self) -> Result<(), Error> {
        self.sync()?;
        failpoint::reach(match self.kind {
            Kind::Json => "JSON segment synced",
            Kind::Sql => "SQL segment synced",
        });
        let closed = self.kind.closed_path(&self.folder, self.name);
        durable_file::rename(&self.path, &closed).map_err(failed("closing", &self.path))
    }
}

/// The length of the file up to and including its last line feed.
fn whole_lines(file: &mut File) -> std::io::Result<u64> {
    // Backwards in blocks: only a torn line can stand after the last line feed.
    const BLOCK: u64 = 64 * 1024;
    let mut end = file.metadata()?.len();
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        Read::by_ref(file)
            .take(end - start)
            .read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_next_takes_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = "000000010000000000000001".parse().expect("a name");
        let path = Kind::Json.partial_path(folder.path(), name);
        std::fs::write(&path, b"{\"a\":1}\n{\"b\":").expect("written");
        let mut appender = Appender::open(folder.path(), Kind::Json, name).expect("opened");
        assert_eq!(appender.length(), 8);
        appender.append(b"{\"c\":3}\n").expect("appended");
        appender.close().expect("closed");
        let closed = std::fs::read(Kind::Json.closed_path(folder.path(), name)).expect("there");
        assert_eq!(closed, b"{\"a\":1}\n{\"c\":3}\n");
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_is_one_torn_line_becomes_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = "000000010000000000000001".parse().expect("a name");
        let path = Kind::Json.partial_path(folder.path(), name);
        std::fs::write(&path, vec![b'x'; 200_000]).expect("written");
        let appender = Appender::open(folder.path(), Kind::Json, name).expect("opened");
        assert_eq!(appender.length(), 0);
    }
}
