//! Where the SQL lines come from: a thread that reads and parses ahead, a few blocks at most.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::segment::{self, Follower, Kind, Next, SegmentName};

use super::block::{Builder, Lines, Origin};
use super::error::ApplyError;
use super::place::{Place, Segments};

/// Lines parsed and handed over at once end at this many bytes of text.
const BLOCK_BYTES: usize = 256 * 1024;
/// A block with a line that makes it longer than this is read ahead alone.
const LONG_BYTES: usize = 2 * BLOCK_BYTES;
/// Blocks read ahead: 8 MB of text, so that the next batch is there when the target has taken one.
const BLOCKS_AHEAD: usize = 32;
/// How often it is looked whether all blocks are taken that stand before a long one.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(1);
/// How often the end of a growing segment is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The SQL segments of the work directory, as they grow.
    Folder,
    /// One file, to its end.
    File(PathBuf),
    /// Standard input, to its end.
    Pipe,
}

/// A piece of the input.
#[derive(Debug)]
pub(super) enum Piece {
    /// Lines.
    Lines(Lines),
    /// A segment begins, which prepares its own statements, or cannot be read. Those before it were
    /// read to their ends.
    Segment,
    /// Nothing more for now.
    Pause,
    /// Nothing more ever.
    End,
}

type Pieces = Sender<Result<Piece, ApplyError>>;

/// Starts reading; the pieces come in order, the last is [`Piece::End`] or an error.
pub(super) fn start(
    input: Input,
    folder: PathBuf,
    first: Option<SegmentName>,
    wal_segment_bytes: u64,
) -> Result<Receiver<Result<Piece, ApplyError>>, ApplyError> {
    let (sender, receiver) = channel(BLOCKS_AHEAD);
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            let read = match input {
                Input::Folder => read_folder(&folder, first, &sender),
                Input::File(path) => match segment::open(&path) {
                    Ok(file) => {
                        let shared: Arc<Path> = path.as_path().into();
                        read_stream(file, &path, Origin::File(shared), &sender)
                    }
                    Err(error) => Err(error.into()),
                },
                Input::Pipe => {
                    let segments = Arc::new(Segments {
                        folder,
                        wal_segment_bytes,
                    });
                    let origin = Origin::Pipe(segments);
                    read_stream(io::stdin(), Path::new("standard input"), origin, &sender)
                }
            };
            // Nobody listening means that apply has ended.
            let _ = sender.blocking_send(read.map(|()| Piece::End));
        })
        .map_err(ApplyError::Thread)?;
    Ok(receiver)
}

fn read_folder(
    folder: &Path,
    first: Option<SegmentName>,
    pieces: &Pieces,
) -> Result<(), ApplyError> {
    let mut follower = Follower::new(folder, Kind::Sql, first)?;
    let mut block = Builder::new(Origin::Segment(folder.into()));
    let mut line = Vec::new();
    let mut paused = false;
    loop {
        let next = match follower.next(&mut line) {
            // The segments before it are as good as before.
            Err(fault) if !follower.is_within() => {
                if send(&mut block, pieces) {
                    let _ = pieces.blocking_send(Ok(Piece::Segment));
                }
                return Err(fault.into());
            }
            next => next?,
        };
        match next {
            Next::Line => {
                paused = false;
                add(&mut block, &line, follower.byte())?;
                if block.bytes < BLOCK_BYTES {
                    continue;
                }
            }
            Next::Segment(_) => {
                paused = false;
                if !send(&mut block, pieces) || pieces.blocking_send(Ok(Piece::Segment)).is_err() {
                    return Ok(());
                }
                block.is_in(Origin::Segment(follower.place().0.into()));
                continue;
            }
            Next::AtEnd => {
                if !send(&mut block, pieces) {
                    return Ok(());
                }
                if !paused && pieces.blocking_send(Ok(Piece::Pause)).is_err() {
                    return Ok(());
                }
                paused = true;
                if pieces.is_closed() {
                    return Ok(());
                }
                std::thread::sleep(LOOK_AGAIN);
                continue;
            }
        }
        if !send(&mut block, pieces) {
            return Ok(());
        }
    }
}

fn read_stream(
    input: impl Read,
    path: &Path,
    origin: Origin,
    pieces: &Pieces,
) -> Result<(), ApplyError> {
    let mut input = BufReader::with_capacity(BLOCK_BYTES, input);
    let mut block = Builder::new(origin);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        read.map_err(|source| ApplyError::Read {
            path: path.to_owned(),
            source,
        })?;
        let torn = !line.is_empty();
        if line.pop() != Some(b'\n') {
            send(&mut block, pieces);
            // The rest of a torn line that is still being written, or that comes through a pipe whose
            // writer was killed, follows with its whole transaction. A closed file gets no more.
            return match block.place(number + 1) {
                place @ Place::Line(..) if torn && !segment::is_growing(path) => {
                    Err(ApplyError::Order {
                        place,
                        problem: "the file ends inside this line".to_owned(),
                    })
                }
                _ => Ok(()),
            };
        }
        number += 1;
        add(&mut block, &line, number)?;
        let pauses = !input.buffer().contains(&b'\n');
        if (pauses || block.bytes >= BLOCK_BYTES) && !send(&mut block, pieces) {
            return Ok(());
        }
        if pauses && pieces.blocking_send(Ok(Piece::Pause)).is_err() {
            return Ok(());
        }
    }
}

fn add(block: &mut Builder, line: &[u8], at: u64) -> Result<(), ApplyError> {
    block.add(line, at).map_err(|source| ApplyError::Line {
        place: block.place(at),
        source,
    })
}

/// Hands over what is gathered; false if nobody wants it any more.
fn send(block: &mut Builder, pieces: &Pieces) -> bool {
    if block.is_empty() {
        return !pieces.is_closed();
    }
    while block.bytes > LONG_BYTES && pieces.capacity() < BLOCKS_AHEAD && !pieces.is_closed() {
        std::thread::sleep(LOOK_FOR_ROOM);
    }
    pieces.blocking_send(Ok(Piece::Lines(block.take()))).is_ok()
}
