//! The log in the work directory: `D/log/<process>.log`, and the one before it, `….log.1`.
//!
//! The same lines as on stderr, for the morning after: a cron job's stderr may be gone. It is
//! opened once the work directory is there, so it misses what was logged before.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A file is put aside at this size, and the one put aside before is dropped: two files a process,
/// enough for months at the default level.
const FILE_BYTES: u64 = 10 << 20;

/// The log file of this process, once it has one. The subscriber that writes to it is the
/// process's too.
static LOG_FILE: OnceLock<LogFile> = OnceLock::new();

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    length: u64,
}

/// From now on, lines also go to `<process>.log` in `folder`, which is made if it is missing. Only
/// the first call counts.
///
/// # Errors
/// The folder or the file cannot be made.
pub fn keep_in(folder: &Path, process: &str) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let path = folder.join(format!("{process}.log"));
    let open = Mutex::new(Open::at(&path)?);
    // Another call was first: its file is kept.
    let _ = LOG_FILE.set(LogFile { path, open });
    Ok(())
}

/// Appends whole lines, if there is a log file. A log that cannot be written must not stop what
/// it tells about.
pub(super) fn append(lines: &str) {
    if let Some(log) = LOG_FILE.get() {
        let mut open = log.open.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = open.append(&log.path, lines.as_bytes());
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    fn append(&mut self, path: &Path, lines: &[u8]) -> io::Result<()> {
        if self.length >= FILE_BYTES {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".1");
            fs::rename(path, aside)?;
            *self = Self::at(path)?;
        }
        self.file.write_all(lines)?;
        self.length += lines.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_put_aside_and_at_most_two_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("apply.log");
        let aside = folder.path().join("apply.log.1");
        let mut open = Open::at(&path).expect("opened");
        let half = vec![b'x'; FILE_BYTES as usize / 2];
        for _ in 0..5 {
            open.append(&path, &half).expect("appended");
        }
        let length = |path: &Path| fs::metadata(path).expect("there").len();
        assert_eq!(length(&aside), FILE_BYTES);
        assert_eq!(length(&path), FILE_BYTES / 2);
        drop(open);
        assert_eq!(
            Open::at(&path).expect("opened again").length,
            FILE_BYTES / 2
        );
    }
}
