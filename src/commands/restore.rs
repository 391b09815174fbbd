//! `pgflit restore …`: definitions from disk, on the target.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::{CommandError, choices, copy, names, place, runtime, typed};
use crate::base::Side;
use crate::catalog::restore_list::{self, Entry};
use crate::cli::ExitCode;
use crate::cli::invocation::{LogSettings, OutputSettings};
use crate::cli::options::{RestoreCommand, RestoreOptions, RestoreStep};
use crate::clone::programs::Programs;
use crate::migration::base_copy::{self, Scope};
use crate::migration::begin;
use crate::migration::steps::{self, Config};
use crate::report::progress::Shown;
use crate::report::stdout;

/// Restores a step, or prints what would be restored.
pub(super) fn run(
    command: &RestoreCommand,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    let (step, options) = match command {
        RestoreCommand::ParseList { list, options } => {
            return parse_list(list.as_deref(), options, output.json);
        }
        RestoreCommand::Step(step, options) => (*step, options),
    };
    let scope = match step {
        RestoreStep::Schema => Scope::Definitions,
        RestoreStep::PreData => Scope::Schema,
        RestoreStep::PostData => Scope::PostData,
        RestoreStep::Roles => return roles(options),
    };
    let config = Config {
        source: place::address(Side::Source, options.source.as_deref())?,
        target: place::address(Side::Target, options.target.as_deref())?,
        work_dir: place::work_dir(&options.work_dir),
        start: choices::start(options.start),
        scope,
        from_dump: true,
        copy: choices::of_definitions(&options.schema, options.restore_jobs)?,
        filters: place::filters(options.filters.as_deref())?,
        snapshot: None,
        progress: Arc::default(),
        command_line: typed::command_line(),
    };
    let shown = Shown::of(output, logging);
    copy::finish(names::restore(command), &config, shown, output)
}

fn roles(options: &RestoreOptions) -> Result<ExitCode, CommandError> {
    let target = place::address(Side::Target, options.target.as_deref())?;
    let work_dir = place::work_dir(&options.work_dir);
    runtime::block_on(steps::restore_roles(&target, &work_dir))??;
    tracing::info!("the dump holds no passwords: new roles have none, see pgflit copy roles");
    Ok(ExitCode::Done)
}

/// The list cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("reading the list {}", path.display())]
struct ListError {
    path: std::path::PathBuf,
    #[source]
    source: std::io::Error,
}

/// What a program reads of an entry.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    dump_id: u32,
    catalog_oid: u32,
    object_oid: u32,
    description: &'a str,
}

/// Prints the entries of the dump, or of the list in `file`, that would be restored.
fn parse_list(
    file: Option<&Path>,
    options: &RestoreOptions,
    json: bool,
) -> Result<ExitCode, CommandError> {
    let work_dir = place::work_dir(&options.work_dir);
    if !base_copy::dump_path(&work_dir).exists() {
        return Err(steps::no_dump(&work_dir).into());
    }
    let store = work_dir.open_store()?;
    if let (Some(run), Some(file)) = (store.run()?, &options.filters) {
        let filters = place::filters(Some(file))?;
        begin::check_filters(&run, filters.text().as_deref())?;
    }
    let leave = choices::of_definitions(&options.schema, options.restore_jobs)?.leave;
    let programs = Programs::find(0).map_err(crate::migration::MigrationError::from)?;
    let contents = base_copy::contents_of_dump(&programs, &work_dir, &leave, &store)?;
    let mut entries: Vec<Entry> = contents.all().cloned().collect();
    if let Some(file) = file {
        let text = fs::read_to_string(file).map_err(|source| {
            let path = file.to_owned();
            CommandError::usage(ListError { path, source })
        })?;
        let given = restore_list::entries(&text);
        let kept = given.into_iter().filter(|given| {
            let is_same =
                |entry: &Entry| (entry.dump_id, entry.object) == (given.dump_id, given.object);
            entries.iter().any(is_same)
        });
        entries = kept.collect();
    }
    let text = match json {
        false => restore_list::list(&entries),
        true => as_json(&entries)?,
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}

fn as_json(entries: &[Entry]) -> Result<String, CommandError> {
    let listed = entries.iter().map(|entry| Listed {
        dump_id: entry.dump_id,
        catalog_oid: entry.object.0,
        object_oid: entry.object.1,
        description: &entry.what,
    });
    let listed: Vec<_> = listed.collect();
    let text = serde_json::to_string(&listed);
    Ok(text.map_err(|error| CommandError::stdout(error.into()))? + "\n")
}
