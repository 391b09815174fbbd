//! What the logs in the work directory say: the last warnings, how changes go, and how often live
//! replay was left.
//!
//! Logs are read once and then followed: at most [`READ_MAX`] of each at a look.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::model::{Mode, Warning};
use crate::migration::log_line::LogLine;

/// So many warnings are told.
pub(super) const WARNINGS_MAX: usize = 5;

/// Bytes of one log that are read at a look: more than a log has before it is put aside.
const READ_MAX: u64 = 16 << 20;

/// So many characters of a warning are told.
const TEXT_MAX: usize = 500;

/// The logs of one folder, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Logs {
    files: BTreeMap<PathBuf, u64>,
    /// The last warnings, the newest last.
    pub(super) warnings: Vec<Warning>,
    /// How changes go, as the supervisor has said last.
    pub(super) mode: Option<Mode>,
    /// How often live replay was left.
    pub(super) fallbacks: u64,
}

impl Logs {
    /// Reads what is new in `folder`. What cannot be read is not told.
    pub(super) fn read(&mut self, folder: &Path) {
        let listing = fs::read_dir(folder).into_iter().flatten();
        let paths = listing.filter_map(|entry| Some(entry.ok()?.path()));
        let mut paths: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
            .collect();
        paths.sort();
        if self.files.keys().any(|known| !paths.contains(known)) {
            // Begun anew.
            *self = Self::default();
        }
        for path in paths {
            let read = self.files.get(&path).copied().unwrap_or_default();
            let (text, end) = news(&path, read).unwrap_or((Vec::new(), read));
            let process = path.file_stem().unwrap_or_default().to_string_lossy();
            for line in String::from_utf8_lossy(&text).lines() {
                self.take(line, &process);
            }
            self.files.insert(path, end);
        }
        // By time, which logs of one run write alike.
        self.warnings.sort_by(|a, b| a.time.cmp(&b.time));
        let more = self.warnings.len().saturating_sub(WARNINGS_MAX);
        self.warnings.drain(..more);
    }

    fn take(&mut self, line: &str, process: &str) {
        let Some(line) = LogLine::parse(line) else {
            return;
        };
        let is_warning = line.is_warning();
        let LogLine { time, level, text } = line;
        if text.starts_with("prefetching changes to") {
            self.mode = Some(Mode::Prefetching);
        } else if text.starts_with("catching up from disk") {
            self.mode = Some(Mode::CatchingUp);
        } else if text.starts_with("live replay from") {
            self.mode = Some(Mode::LiveReplay);
        } else if text.starts_with("left live replay at") {
            self.mode = Some(Mode::CatchingUp);
            self.fallbacks += 1;
        }
        if is_warning {
            let text = text.chars().take(TEXT_MAX).collect();
            self.warnings.push(Warning {
                time,
                process: process.to_owned(),
                level,
                text,
            });
        }
    }
}

/// The whole lines of the log at `path` behind its byte `read`, and where they end.
fn news(path: &Path, read: u64) -> std::io::Result<(Vec<u8>, u64)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // A shorter one is another: the one before was put aside.
    let begin = if length < read { 0 } else { read };
    file.seek(SeekFrom::Start(begin))?;
    let mut text = Vec::new();
    file.take(READ_MAX).read_to_end(&mut text)?;
    let end = text.iter().rposition(|byte| *byte == b'\n');
    text.truncate(end.map_or(0, |end| end + 1));
    let end = begin + text.len() as u64;
    Ok((text, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn append(path: &Path, text: &str) {
        let file = File::options().create(true).append(true).open(path);
        let mut file = file.expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    }

    #[test]
    fn logs_are_followed_and_a_torn_line_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut logs = Logs::default();
        logs.read(&folder.path().join("none"));
        let path = folder.path().join("clone.log");
        append(
            &path,
            "2026-11-22 21:00:00 [7] INFO  prefetching changes to x\n\
             2026-11-22 21:00:01 [7] WARN  slot s keeps",
        );
        logs.read(folder.path());
        assert_eq!(
            (logs.mode, logs.warnings.len()),
            (Some(Mode::Prefetching), 0)
        );
        append(
            &path,
            " much\n2026-11-22 21:00:02 [7] INFO  live replay from 0/1\n",
        );
        append(
            &path,
            "2026-11-22 21:00:03 [7] INFO  left live replay at 0/2: catching up from disk\n",
        );
        append(
            &folder.path().join("apply.log"),
            "{\"timestamp\":\"2026-11-22 21:00:00\",\"pid\":1,\"level\":\"ERROR\",\"message\":\"no [x] \"}\n",
        );
        for _ in 0..2 {
            logs.read(folder.path());
            let told: Vec<_> = logs.warnings.iter().map(|one| one.text.as_str()).collect();
            assert_eq!(told, ["no [x] ", "slot s keeps much"]);
            assert_eq!((logs.mode, logs.fallbacks), (Some(Mode::CatchingUp), 1));
        }
    }

    #[test]
    fn only_the_last_warnings_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("follow.log");
        for second in 0..20 {
            append(
                &path,
                &format!("2026-11-22 21:00:{second:02} [7] WARN  number {second}\n"),
            );
        }
        let mut logs = Logs::default();
        logs.read(folder.path());
        assert_eq!(logs.warnings.len(), WARNINGS_MAX);
        assert_eq!(logs.warnings[0].text, "number 15");
    }
}
