//! The last warnings and errors of the logs in a work directory.
//!
//! Only the end of each file is read, and only so many files: logs may be large, and are of whatever
//! bytes were in the names that they tell of.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::migration::log_line::LogLine;

/// Warnings that are told.
const WARNINGS_MAX: usize = 200;

/// What is read of the end of a file, in bytes.
const TAIL_BYTES: u64 = 1 << 20;

/// Files that are read: those that were written last.
const FILES_MAX: usize = 64;

/// Characters of a line that are told.
const LINE_MAX: usize = 2_000;

/// One line of a log that is a warning or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// When, as the log says it; empty if it does not.
    pub time: String,
    /// `WARN` or `ERROR`.
    pub level: String,
    /// Which process: the name of its log.
    pub process: String,
    /// What it says.
    pub message: String,
}

/// The last of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogTail {
    /// The last ones, in order.
    pub warnings: Vec<Warning>,
    /// How many there are before them in what was read.
    pub left_out: usize,
    /// Whether there was a log.
    pub has_logs: bool,
    /// Logs that could not be read.
    pub unread: Vec<String>,
}

impl LogTail {
    /// Reads the logs in `folders`; each has a name that goes before those of its processes.
    pub fn read(folders: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let mut files: Vec<_> = folders
            .into_iter()
            .flat_map(|(name, folder)| logs_in(&name, &folder))
            .collect();
        files.sort_by_key(|(.., written)| std::cmp::Reverse(*written));
        files.truncate(FILES_MAX);
        let mut tail = LogTail {
            has_logs: !files.is_empty(),
            ..LogTail::default()
        };
        for (process, path, _) in files {
            match tail_of(&path) {
                Ok(text) => {
                    let lines = text.lines().filter_map(|line| parse(line, &process));
                    tail.warnings.extend(lines);
                }
                Err(_) => tail.unread.push(path.display().to_string()),
            }
        }
        // Times are in one form, unless somebody has chosen another for each process.
        tail.warnings.sort_by(|a, b| a.time.cmp(&b.time));
        tail.left_out = tail.warnings.len().saturating_sub(WARNINGS_MAX);
        tail.warnings.drain(..tail.left_out);
        tail
    }
}

type LogFile = (String, PathBuf, Option<std::time::SystemTime>);

fn logs_in(name: &str, folder: &Path) -> Vec<LogFile> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = entries.filter_map(|entry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        let process = file
            .strip_suffix(".log")
            .or_else(|| file.strip_suffix(".log.1"))?;
        let process = format!("{name}{process}");
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((process, entry.path(), metadata.modified().ok()))
    });
    logs.collect()
}

/// The end of the file, without the line that is cut; what is not UTF-8 becomes `�`.
fn tail_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let begin = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(match begin {
        0 => text.into_owned(),
        _ => text
            .split_once('\n')
            .map_or("", |(_, rest)| rest)
            .to_owned(),
    })
}

/// The warning that `line` is, if it is one.
fn parse(line: &str, process: &str) -> Option<Warning> {
    let line = LogLine::parse(line).filter(LogLine::is_warning)?;
    Some(Warning {
        time: line.time,
        level: line.level,
        process: process.to_owned(),
        message: line.text.chars().take(LINE_MAX).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_all_logs_are_in_order_and_the_last_ones_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).expect("written");
        };
        write(
            "clone.log",
            b"2026-11-21 05:38:01 [7] INFO  fine\n2026-11-21 05:38:02 [7] WARN  late \xff\n\
              2026-11-21 05:38:04 [7] ERROR lost",
        );
        write(
            "apply.log.1",
            b"{\"timestamp\":\"2026-11-21 05:38:03\",\"pid\":8,\"level\":\"WARN\",\
              \"message\":\"slow\",\"fields\":{\"rows\":3}}\nnothing\n",
        );
        write("other.txt", b"2026-11-21 05:38:01 [7] WARN  not ours\n");
        let read = || LogTail::read([(String::new(), folder.path().to_owned())]);
        let told = read();
        let said: Vec<_> = told
            .warnings
            .iter()
            .map(|one| {
                (
                    one.process.as_str(),
                    one.level.as_str(),
                    one.message.as_str(),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("clone", "WARN", "late \u{FFFD}"),
                ("apply", "WARN", "slow rows=3"),
                ("clone", "ERROR", "lost"),
            ]
        );
        let many: String = (0..100_000)
            .map(|number| format!("2026-11-22 05:38:01 [7] WARN  number {number}\n"))
            .collect();
        write("receive.log", many.as_bytes());
        let told = read();
        assert_eq!(told.warnings.len(), WARNINGS_MAX);
        assert!(told.left_out > 1000, "{}", told.left_out);
        let last = told.warnings.last().expect("some");
        assert_eq!(last.message, "number 99999");
    }

    #[test]
    fn there_may_be_no_logs() {
        let told = LogTail::read([(String::new(), PathBuf::from("/nowhere/at/all"))]);
        assert_eq!(told, LogTail::default());
    }
}
