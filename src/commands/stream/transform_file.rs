//! `pgflit stream transform JSON [SQL]`: one segment by hand.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::base::durable_file;
use crate::cdc::transform::{End, PipeError, Transformer, begins_inside, transform_pipe};
use crate::cli::ExitCode;
use crate::cli::options::FileOrPipe;
use crate::commands::CommandError;
use crate::segment;

/// A file named by hand cannot be used.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("{doing} {}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("transforming {}", path.display())]
    Transform {
        path: PathBuf,
        #[source]
        source: PipeError,
    },
    #[error("{}, line {line}: the file ends inside this line", path.display())]
    Cut { path: PathBuf, line: u64 },
    #[error("{} does not end in .json, so the name of its SQL cannot be told", .0.display())]
    Name(PathBuf),
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        match &error {
            FileError::Name(_) => {
                CommandError::usage(error).with_hint("name the SQL file too, or - for stdout")
            }
            FileError::Cut { .. } => CommandError::new(ExitCode::Other, error)
                .with_hint("the file was damaged after it was written: put back a copy of it"),
            FileError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                CommandError::usage(error)
            }
            _ => CommandError::new(ExitCode::Other, error),
        }
    }
}

/// Transforms `json` to `sql`; without `sql`, to the file beside it.
pub(super) fn run(json: &FileOrPipe, sql: Option<&FileOrPipe>) -> Result<ExitCode, CommandError> {
    let (input_name, transformer, input): (_, _, Box<dyn Read + Send>) = match json {
        FileOrPipe::Pipe => (
            Path::new("standard input"),
            Transformer::default(),
            Box::new(io::stdin()),
        ),
        FileOrPipe::File(path) => {
            let mut transformer = Transformer::starting(begins_inside(path)?);
            transformer.begin_segment();
            (path.as_path(), transformer, Box::new(segment::open(path)?))
        }
    };
    let transformed = |source| FileError::Transform {
        path: input_name.to_owned(),
        source,
    };
    // A closed file, unlike a growing one and a pipe, gets no more.
    let whole = |end| match (end, json) {
        (End::Torn { number }, FileOrPipe::File(path)) if !segment::is_growing(path) => {
            Err(FileError::Cut {
                path: path.clone(),
                line: number,
            })
        }
        _ => Ok(()),
    };
    let output = match sql {
        Some(FileOrPipe::Pipe) => {
            match transform_pipe(transformer, input, io::stdout()) {
                Err(PipeError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => {}
                other => whole(other.map_err(transformed)?)?,
            }
            return Ok(ExitCode::Done);
        }
        Some(FileOrPipe::File(path)) => path.clone(),
        None => beside(input_name)?,
    };
    // Under another name until it is whole, so that no half of it is taken for the segment.
    let growing = with_ending(&output, ".new");
    let file = File::create(&growing).map_err(failed("creating", &growing))?;
    let end = transform_pipe(transformer, input, &file).map_err(transformed)?;
    whole(end)?;
    file.sync_all().map_err(failed("syncing", &growing))?;
    durable_file::rename(&growing, &output).map_err(failed("renaming", &growing))?;
    tracing::info!(
        "transformed {} to {}",
        input_name.display(),
        output.display()
    );
    Ok(ExitCode::Done)
}

/// The SQL segment that belongs to the JSON segment at `path`, growing or closed.
fn beside(path: &Path) -> Result<PathBuf, FileError> {
    let text = path.to_str();
    let endings = [
        (".json", ".sql"),
        (".json.zst", ".sql"),
        (".json.partial", ".sql.partial"),
    ];
    let renamed = text.and_then(|text| {
        let stem = |(json, sql)| Some(format!("{}{sql}", text.strip_suffix(json)?));
        endings.into_iter().find_map(stem)
    });
    let renamed = renamed.ok_or_else(|| FileError::Name(path.to_owned()))?;
    Ok(PathBuf::from(renamed))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io {
        doing,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sql_of_a_segment_has_its_name_and_state() {
        let beside =
            |path: &str| super::beside(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(beside("d/1.json").expect("named"), "d/1.sql");
        assert_eq!(
            beside("d/1.json.partial").expect("named"),
            "d/1.sql.partial"
        );
        assert_eq!(beside("d/1.json.zst").expect("named"), "d/1.sql");
        assert!(beside("d/1.txt").is_err());
    }
}
