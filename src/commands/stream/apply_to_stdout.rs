//! `pgflit stream apply --target -`: what would be applied, as SQL for `psql`.
//!
//! Nothing is skipped and nothing is kept: no store, no lock, no target.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::cdc::apply::{PrintError, SqlPrinter};
use crate::cli::ExitCode;
use crate::cli::options::FileOrPipe;
use crate::commands::CommandError;
use crate::report::stdout::Stream;
use crate::segment::{self, Follower, Kind, Next};
use crate::store::WorkDir;

/// SQL gathered before it is written, while more of the input is at hand.
const WRITE_BYTES: usize = 64 * 1024;

/// The lines could not be read or printed.
#[derive(Debug, thiserror::Error)]
enum StdoutError {
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{}, line {number}", path.display())]
    Line {
        path: PathBuf,
        number: u64,
        #[source]
        source: PrintError,
    },
}

/// Prints the whole input; without one, every SQL segment that is there now.
pub(super) fn run(
    input: Option<&FileOrPipe>,
    work_dir: &WorkDir,
) -> Result<ExitCode, CommandError> {
    let mut output = Stream::new();
    match input {
        Some(FileOrPipe::Pipe) => {
            print(io::stdin().lock(), Path::new("standard input"), &mut output)?;
        }
        Some(FileOrPipe::File(path)) => print(open(path)?, path, &mut output)?,
        None => print_folder(&work_dir.cdc, &mut output)?,
    }
    Ok(ExitCode::Done)
}

fn open(path: &Path) -> Result<impl Read, CommandError> {
    segment::open(path).map_err(|error| match error {
        segment::Error::Io { source, .. } => unreadable(path, source),
        damaged => damaged.into(),
    })
}

/// A name that is wrong was typed wrong; anything else is the disk's.
fn unreadable(path: &Path, source: io::Error) -> CommandError {
    let code = match source.kind() {
        ErrorKind::NotFound => ExitCode::Usage,
        _ => ExitCode::Other,
    };
    let path = path.to_owned();
    CommandError::new(code, StdoutError::Read { path, source })
}

fn print_folder(folder: &Path, output: &mut Stream) -> Result<(), CommandError> {
    let mut follower = Follower::new(folder, Kind::Sql, None)?;
    let mut printer = SqlPrinter::default();
    let (mut line, mut sql, mut number) = (Vec::new(), Vec::new(), 0);
    // Twice in a row: a segment may have got its later name between two looks.
    let mut ends = 0;
    while ends < 2 {
        match follower.next(&mut line)? {
            Next::Line => {
                number += 1;
                let printed = printer.line(&line, &mut sql);
                printed.map_err(|source| unprintable(follower.place().0, number, source))?;
            }
            Next::Segment(_) => {
                printer = SqlPrinter::default();
                number = 0;
            }
            Next::AtEnd => {
                ends += 1;
                continue;
            }
        }
        ends = 0;
        if sql.len() >= WRITE_BYTES {
            output.write_all(&sql).map_err(CommandError::stdout)?;
            sql.clear();
        }
    }
    output.write_all(&sql).map_err(CommandError::stdout)
}

fn unprintable(path: PathBuf, number: u64, source: PrintError) -> CommandError {
    let source = StdoutError::Line {
        path,
        number,
        source,
    };
    CommandError::new(ExitCode::Other, source)
}

fn print(input: impl Read, path: &Path, output: &mut Stream) -> Result<(), CommandError> {
    let mut input = BufReader::new(input);
    let mut printer = SqlPrinter::default();
    let (mut line, mut sql, mut number) = (Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        read.map_err(|source| unreadable(path, source))?;
        // The end, or a torn last line, which is not there yet.
        let at_end = line.pop() != Some(b'\n');
        if !at_end {
            number += 1;
            let printed = printer.line(&line, &mut sql);
            printed.map_err(|source| unprintable(path.to_owned(), number, source))?;
        }
        if at_end || sql.len() >= WRITE_BYTES || !input.buffer().contains(&b'\n') {
            output.write_all(&sql).map_err(CommandError::stdout)?;
            sql.clear();
        }
        if at_end {
            return Ok(());
        }
    }
}
