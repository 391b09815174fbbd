//! `pgflit report`: a migration as one HTML file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::{CommandError, place};
use crate::base::durable_file;
use crate::cli::ExitCode;
use crate::cli::options::ReportOptions;
use crate::migration::report::gather;
use crate::report::{page, stdout};

/// The page's name in the work directory.
const FILE: &str = "report.html";

/// How a page of ours begins, so that it may be replaced.
const BEGINS: &[u8] = b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>pgflit: ";

/// The page cannot be put where it was asked for.
#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error("{} is there, and is no report", .0.display())]
    Foreign(PathBuf),
    #[error("writing the report {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Writes the page, and says where it is.
pub(super) fn run(options: &ReportOptions) -> Result<ExitCode, CommandError> {
    let work_dir = place::work_dir(&options.work_dir);
    let facts = gather(&work_dir, &work_dir.proxy_socket_path())?;
    let page = page::page(&facts, &TimeZone::system());
    if options.output.as_deref() == Some(Path::new("-")) {
        stdout::write(page.as_bytes()).map_err(CommandError::stdout)?;
        return Ok(ExitCode::Done);
    }
    let path = match &options.output {
        None => work_dir.root.join(FILE),
        Some(path) => {
            refuse_foreign(path)?;
            path.clone()
        }
    };
    put(&path, page.as_bytes()).map_err(|source| failed(&path, source))?;
    stdout::write_line(&path.display().to_string()).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}

fn failed(path: &Path, source: io::Error) -> CommandError {
    let path = path.to_owned();
    CommandError::new(ExitCode::Other, ReportError::Io { path, source })
        .with_hint("name another file with --output, or - for stdout")
}

/// A file that somebody else has made is not ours to replace.
fn refuse_foreign(path: &Path) -> Result<(), CommandError> {
    let mut begin = Vec::new();
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata.map_err(|source| failed(path, source))?,
    };
    // A pipe or a terminal has nothing to lose.
    if metadata.is_file() && metadata.len() > 0 {
        let file = File::open(path).map_err(|source| failed(path, source))?;
        let read = file.take(BEGINS.len() as u64).read_to_end(&mut begin);
        read.map_err(|source| failed(path, source))?;
        if begin != BEGINS {
            return Err(CommandError::usage(ReportError::Foreign(path.to_owned()))
                .with_hint("name another file with --output, or remove this one"));
        }
    }
    Ok(())
}

/// A file is replaced as a whole; what is no file, such as `/dev/stderr`, is written to.
fn put(path: &Path, page: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => {
            let mut special = File::options().write(true).open(path)?;
            special.write_all(page)
        }
        _ => durable_file::replace(path, page),
    }
}
