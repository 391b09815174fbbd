//! The pipe behind `--to-stdout`: when it is left, and how it ends.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::base::Shutdown;
use crate::base::shutdown::POLL;
use crate::segment::SegmentName;

use super::error::ReceiveError;
use super::feed::{self, FeedError, Stall};
use super::keeper::Kept;
use super::session::spawn;

/// How long a pipe may take nothing before live replay is left.
const STALL_MAX: Duration = Duration::from_secs(3);
/// How long receive goes on after the reader of a person's pipe has gone: apply may have reached
/// endpos a moment before receive sees it, and then both have done all there was to do.
const GONE_MAX: Duration = Duration::from_secs(1);

/// What to do when the reader of standard output takes nothing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipe {
    /// Wait: a person built the pipe.
    Patient,
    /// Close it and go on to disk alone: the supervisor then catches up from disk.
    Live,
}

/// Whether anybody reads the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody does, or nobody needs to.
    There,
    /// The one that a person put there has gone.
    Gone,
}

/// The feed and what is known of its reader.
#[derive(Debug)]
pub(super) struct PipeWatch {
    pipe: Pipe,
    stall: Arc<Stall>,
    feed: JoinHandle<Result<(), FeedError>>,
    /// Live replay was left.
    left: bool,
    ended_at: Option<Instant>,
}

impl PipeWatch {
    /// Starts to pass on the segments of `folder` from `first`.
    pub(super) fn start(
        pipe: Pipe,
        folder: &Path,
        first: Option<SegmentName>,
        wake: Receiver<()>,
        kept: Arc<Kept>,
    ) -> Result<Self, ReceiveError> {
        let stall = Arc::new(Stall::new());
        let (watched, folder) = (Arc::clone(&stall), folder.to_owned());
        let feed = spawn("feed", move || {
            let fed = feed::feed(&folder, first, &wake, &watched, &kept, io::stdout().lock());
            kept.note_fed(None);
            fed
        })?;
        Ok(Self {
            pipe,
            stall,
            feed,
            left: false,
            ended_at: None,
        })
    }

    /// Leaves live replay if nobody takes what the pipe gives, and says whether to go on.
    pub(super) fn look(&mut self) -> Reader {
        match self.pipe {
            Pipe::Live => {
                if !self.left && self.stall.lasted() >= STALL_MAX {
                    self.leave();
                }
                Reader::There
            }
            // The feed ends before the writer only when it cannot go on.
            Pipe::Patient if self.feed.is_finished() => {
                let ended_at = *self.ended_at.get_or_insert_with(Instant::now);
                match ended_at.elapsed() >= GONE_MAX {
                    true => Reader::Gone,
                    false => Reader::There,
                }
            }
            Pipe::Patient => Reader::There,
        }
    }

    fn leave(&mut self) {
        self.left = true;
        tracing::info!(
            "apply has taken nothing from the pipe for {} seconds: leaving live replay, going on to disk",
            STALL_MAX.as_secs()
        );
        // The reader sees the end once it has taken what is in the pipe; a line that is cut off
        // there belongs to a transaction without end, which counts as never happened.
        let closed = File::options()
            .write(true)
            .open("/dev/null")
            .and_then(|null| nix::unistd::dup2_stdout(&null).map_err(io::Error::from));
        if let Err(error) = closed {
            tracing::warn!("closing the pipe: {error}");
        }
    }

    /// Returns when everything is passed on; or, if nobody takes it, when live replay was left or
    /// we are asked to stop. A write that still waits then ends with the process.
    pub(super) async fn finish(self, shutdown: &Shutdown) -> Result<(), ReceiveError> {
        while !self.feed.is_finished() {
            let may_give_up = self.pipe == Pipe::Live || shutdown.asked();
            if may_give_up && self.stall.lasted() >= STALL_MAX {
                tracing::info!("nobody reads the pipe: what is not passed on is on disk");
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        match self.feed.join() {
            Ok(Err(FeedError::Pipe(error))) if error.kind() == ErrorKind::BrokenPipe => {
                tracing::info!("the reader of the pipe has ended");
                Ok(())
            }
            Ok(fed) => Ok(fed?),
            Err(_) => Err(ReceiveError::Thread(io::Error::other("the feed panicked"))),
        }
    }
}
