//! What the streaming steps by hand are told.

use std::path::PathBuf;

use super::FollowOptions;

/// `pgflit stream …`.
pub enum StreamCommand {
    /// Make slot, publication, origin and sentinel.
    Setup(FollowOptions),
    /// Drop them again.
    Cleanup(FollowOptions),
    /// Remove segments that the target has committed.
    Prune(FollowOptions),
    /// Receive and transform, without applying.
    Prefetch(FollowOptions),
    /// Apply what was prefetched.
    Catchup(FollowOptions),
    /// Receive, transform and apply through pipes.
    Replay(FollowOptions),
    /// Slot to JSON segments.
    Receive(ReceiveOptions),
    /// JSON segments to SQL segments.
    Transform(TransformOptions),
    /// SQL segments to the target.
    Apply(ApplyOptions),
}

/// `pgflit stream receive`.
pub struct ReceiveOptions {
    /// The options that all streaming steps share.
    pub follow: FollowOptions,
    /// Write the changes to stdout too.
    pub to_stdout: bool,
}

/// `pgflit stream transform [JSON [SQL]]`.
pub struct TransformOptions {
    /// The options that all streaming steps share.
    pub follow: FollowOptions,
    /// What to read; none for every segment in the work directory.
    pub json: Option<FileOrPipe>,
    /// Where to write; none for the segment of the same name.
    pub sql: Option<FileOrPipe>,
    /// For the supervisor: end where the segments end now, without waiting for more.
    pub until_end: bool,
}

/// `pgflit stream apply [SQL]`.
pub struct ApplyOptions {
    /// The options that all streaming steps share.
    pub follow: FollowOptions,
    /// What to read; none for every segment in the work directory.
    pub sql: Option<FileOrPipe>,
    /// What becomes of the statements.
    pub to: ApplyTo,
    /// When to stop reading the folder.
    pub until: ApplyUntil,
}

/// When apply stops reading the segments of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplyUntil {
    /// At endpos.
    Endpos,
    /// For the supervisor: once the target is at most this many bytes behind receive.
    Behind(u64),
    /// For the supervisor: where the segments end now.
    SegmentsEnd,
}

/// What becomes of the statements that apply reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplyTo {
    /// They are run on the target.
    Target,
    /// They are printed as plain SQL: `--target -`.
    Stdout,
}

/// A file, or `-` for stdin or stdout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FileOrPipe {
    /// A file.
    File(PathBuf),
    /// Stdin where something is read, stdout where it is written.
    Pipe,
}

impl From<PathBuf> for FileOrPipe {
    fn from(path: PathBuf) -> Self {
        match path.as_os_str() == "-" {
            true => FileOrPipe::Pipe,
            false => FileOrPipe::File(path),
        }
    }
}
