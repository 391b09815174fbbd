//! `pgflit stream transform`.

use super::{begin, transform_file, transform_folder, transform_pipe};
use crate::cli::ExitCode;
use crate::cli::options::{FileOrPipe, TransformOptions};
use crate::commands::{CommandError, place};

/// Transforms the work directory's segments, one file, or a pipe.
pub(in crate::commands) fn run(options: &TransformOptions) -> Result<ExitCode, CommandError> {
    begin::supervised()?;
    let place = &options.follow.work_dir;
    let work_dir = place::work_dir(place);
    if options.follow.filters.is_some() && (place.dir_given || options.json.is_none()) {
        begin::check_filters(&options.follow, &work_dir.open_store()?)?;
    }
    match (&options.json, &options.sql) {
        (None, _) => transform_folder::run(&work_dir, options.until_end),
        (Some(FileOrPipe::Pipe), None | Some(FileOrPipe::Pipe)) => {
            // A folder that was named is kept in step: an interrupted live replay goes on there.
            transform_pipe::run(place.dir_given.then_some(&work_dir))
        }
        (Some(json), sql) => transform_file::run(json, sql.as_ref()),
    }
}
