//! The files that hold changes between the source and the target.
//!
//! Owns names, folders, appending and following; knows nothing of what the lines mean, but of the
//! last one of a closed segment.
//!
//! | file | written by | state |
//! |---|---|---|
//! | `<timeline 8 hex><segment 16 hex>.json.partial` | receive | growing |
//! | `….json` | receive | closed: synced, renamed, never written again |
//! | `….sql.partial`, `….sql` | transform | the same, made from the JSON of the same name |
//! | `….json.zst`, `….sql.zst` | receive | closed and compressed, if asked for |
//!
//! The name is that of the source's WAL segment that holds the first LSN of the file; the first of all
//! is made before anything is in it, and named after where following begins. Lines end
//! with `\n`; a line without it is not there yet.
//!
//! The last line of a closed segment names the `next` segment and has the `crc32` of all bytes
//! before it. Who reads a closed segment first reads it once to hold it against that line: none of
//! its lines is given out before. One that was followed while it grew is read once more when it is
//! closed. A segment that is not what it was, has lost its end, or is gone while later ones are there
//! is an error, never passed over.
//!
//! # Crash story
//! 1. *While appending*: the last line may be torn. [`Appender::open`] cuts it off; readers never
//!    return a line before its end is there, so nobody has seen the torn part.
//! 2. *After the sync, before the rename*: the file is complete but still `.partial`. The writer
//!    goes on in it; a reader waits there, and follows the rename because it holds the open file.
//! 3. *After the rename, before the next file is opened*: the last file is closed and nothing is
//!    growing. The writer opens the next; readers wait for it.

mod appender;
mod checksum;
mod closing;
mod compress;
mod error;
mod folder;
mod follower;
mod lines;
mod name;
mod open;
mod prune;

pub use appender::Appender;
pub use checksum::{Crc32, Running};
pub use closing::{Closing, closing};
pub use compress::compress;
pub use error::Error;
pub use folder::{Entry, Kind, entries, segment_holding};
pub use follower::{Follower, Next};
pub use lines::for_each_line;
pub use name::SegmentName;
pub use open::{is_growing, open};
pub use prune::{bytes_taken, remove_before};

use error::failed;
