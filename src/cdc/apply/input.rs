//! Where the SQL lines come from: a thread that reads and parses ahead, a few blocks at most.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::cdc::sql_line::SqlLine;
use crate::segment::{self, Follower, Kind, Next, SegmentName};

use super::error::ApplyError;
use super::place::{Place, Segments};

/// Lines parsed and handed over at once end at this many bytes of text.
const BLOCK_BYTES: usize = 256 * 1024;
/// Blocks read ahead: with [`BLOCK_BYTES`] about 1 MB of text, or one long line.
const BLOCKS_AHEAD: usize = 4;
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
    /// Lines with the place of the first.
    Lines(Vec<(SqlLine, Place)>),
    /// A segment begins, which prepares its own statements, or cannot be read. Those before it were
    /// read to their ends, and are what was written.
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
                        read_stream(
                            file,
                            &path,
                            |line| Place::Line(Arc::clone(&shared), line),
                            &sender,
                        )
                    }
                    Err(error) => Err(error.into()),
                },
                Input::Pipe => {
                    let segments = Arc::new(Segments {
                        folder,
                        wal_segment_bytes,
                    });
                    let place = |line| Place::Piped(Arc::clone(&segments), line);
                    read_stream(io::stdin(), Path::new("standard input"), place, &sender)
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
    let mut block = Block::default();
    let mut line = Vec::new();
    let mut paused = false;
    let mut path: Arc<Path> = folder.into();
    loop {
        let next = match follower.next(&mut line) {
            // The segments before it are as good as before.
            Err(fault) if !follower.is_within() => {
                if block.send(pieces) {
                    let _ = pieces.blocking_send(Ok(Piece::Segment));
                }
                return Err(fault.into());
            }
            next => next?,
        };
        match next {
            Next::Line => {
                paused = false;
                let byte = follower.place().1;
                block.add(&line, Place::Byte(Arc::clone(&path), byte))?;
                if block.bytes < BLOCK_BYTES {
                    continue;
                }
            }
            Next::Segment(_) => {
                paused = false;
                path = follower.place().0.into();
                if !block.send(pieces) || pieces.blocking_send(Ok(Piece::Segment)).is_err() {
                    return Ok(());
                }
                continue;
            }
            Next::AtEnd => {
                if !block.send(pieces) {
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
        if !block.send(pieces) {
            return Ok(());
        }
    }
}

fn read_stream(
    input: impl Read,
    path: &Path,
    place: impl Fn(u64) -> Place,
    pieces: &Pieces,
) -> Result<(), ApplyError> {
    let mut input = BufReader::with_capacity(BLOCK_BYTES, input);
    let mut block = Block::default();
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
            block.send(pieces);
            // The rest of a torn line that is still being written, or that comes through a pipe whose
            // writer was killed, follows with its whole transaction. A closed file gets no more.
            return match place(number + 1) {
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
        block.add(&line, place(number))?;
        let pauses = !input.buffer().contains(&b'\n');
        if (pauses || block.bytes >= BLOCK_BYTES) && !block.send(pieces) {
            return Ok(());
        }
        if pauses && pieces.blocking_send(Ok(Piece::Pause)).is_err() {
            return Ok(());
        }
    }
}

#[derive(Default)]
struct Block {
    lines: Vec<(SqlLine, Place)>,
    bytes: usize,
}

impl Block {
    fn add(&mut self, line: &[u8], place: Place) -> Result<(), ApplyError> {
        match SqlLine::read(line) {
            Ok(parsed) => {
                self.bytes += line.len();
                self.lines.push((parsed, place));
                Ok(())
            }
            Err(source) => Err(ApplyError::Line { place, source }),
        }
    }

    /// Hands over what is gathered; false if nobody wants it any more.
    fn send(&mut self, pieces: &Pieces) -> bool {
        self.bytes = 0;
        if self.lines.is_empty() {
            return !pieces.is_closed();
        }
        let lines = std::mem::take(&mut self.lines);
        pieces.blocking_send(Ok(Piece::Lines(lines))).is_ok()
    }
}
