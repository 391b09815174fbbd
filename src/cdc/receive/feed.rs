//! The pipe to transform: what the segments hold beyond what is applied, read back and passed on.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::cdc::change::{Event, Switch};
use crate::cdc::json_line;
use crate::segment::{self, Follower, Kind, Next, SegmentName};

use super::keeper::Kept;

/// Without a wake-up, look this often: only for lines written before the feed began to wait.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Why the feed ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The segments cannot be read back.
    #[error(transparent)]
    Segment(#[from] segment::Error),
    /// Nobody reads the pipe any more.
    #[error("writing to the pipe")]
    Pipe(#[from] io::Error),
}

/// How long the current write to the pipe has been waiting, seen from another thread.
#[derive(Debug)]
pub(super) struct Stall {
    begun: Instant,
    /// Milliseconds after `begun`, plus one, at which the current write began; 0 if none.
    since: AtomicU64,
}

impl Stall {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            since: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64 + 1
    }

    /// How long the pipe has taken nothing.
    pub(super) fn lasted(&self) -> Duration {
        match self.since.load(Ordering::SeqCst) {
            0 => Duration::ZERO,
            since => Duration::from_millis(self.now().saturating_sub(since)),
        }
    }
}

/// A pipe whose waiting can be seen.
struct Watched<'a, W> {
    inner: W,
    stall: &'a Stall,
}

impl<W: Write> Write for Watched<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stall.since.store(self.stall.now(), Ordering::SeqCst);
        let written = self.inner.write(bytes);
        self.stall.since.store(0, Ordering::SeqCst);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Passes lines on from the segment `first` until the writer is gone and all is passed on.
pub(super) fn feed(
    folder: &Path,
    first: Option<SegmentName>,
    wake: &Receiver<()>,
    stall: &Stall,
    kept: &Kept,
    output: impl Write,
) -> Result<(), FeedError> {
    kept.note_fed(first);
    let mut follower = Follower::new(folder, Kind::Json, first)?;
    let watched = Watched {
        inner: output,
        stall,
    };
    let mut output = BufWriter::with_capacity(64 * 1024, watched);
    let mut line = Vec::new();
    // The first segment may begin inside a transaction that is applied already: from there only
    // relations are passed on, until a transaction begins.
    let mut begun = false;
    let mut last_look = false;
    loop {
        match follower.next(&mut line)? {
            Next::Line => {
                let action = line
                    .strip_prefix(br#"{"action":""#)
                    .and_then(|rest| rest.first().copied());
                begun |= matches!(action, Some(b'B' | b'K' | b'E'));
                if action == Some(b'X') {
                    without_checksum(&mut line);
                }
                if begun || action == Some(b'R') {
                    line.push(b'\n');
                    output.write_all(&line)?;
                }
            }
            Next::Segment(name) => kept.note_fed(Some(name)),
            Next::AtEnd if last_look => {
                output.flush()?;
                return Ok(());
            }
            Next::AtEnd => {
                output.flush()?;
                // The writer's end is seen first, then everything it wrote is read.
                let waited = wake.recv_timeout(LOOK_AGAIN);
                last_look = waited == Err(RecvTimeoutError::Disconnected);
            }
        }
    }
}

/// The checksum is that of a file, and a pipe is none, nor what somebody keeps of it in one.
fn without_checksum(line: &mut Vec<u8>) {
    if let Ok(Event::Switch(switch)) = json_line::read(line) {
        line.clear();
        let crc32 = None;
        json_line::write(&Event::Switch(Switch { crc32, ..switch }), line);
        line.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Appender;

    #[test]
    fn a_pipe_begins_with_a_transaction_and_ends_with_the_writer() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = "000000010000000000000001".parse().expect("a name");
        let mut appender = Appender::open(folder.path(), Kind::Json, name).expect("opened");
        let line = |action: &str| format!("{{\"action\":\"{action}\"}}\n");
        let lines: String = ["R", "I", "C", "B", "I", "C"].map(line).concat();
        appender.append(lines.as_bytes()).expect("appended");
        let (sender, wake) = crossbeam_channel::bounded(1);
        drop(sender);
        let mut piped = Vec::new();
        feed(
            folder.path(),
            Some(name),
            &wake,
            &Stall::new(),
            &Kept::default(),
            &mut piped,
        )
        .expect("fed");
        let expected: String = ["R", "B", "I", "C"].map(line).concat();
        assert_eq!(String::from_utf8_lossy(&piped), expected);
    }

    #[test]
    fn what_goes_into_a_pipe_has_no_checksum() {
        let mut line = br#"{"action":"X","lsn":"0/10","crc32":"cbf43926"}"#.to_vec();
        without_checksum(&mut line);
        let expected = r#"{"action":"X","lsn":"0/10"}"#;
        assert_eq!(String::from_utf8_lossy(&line), expected);
    }
}
