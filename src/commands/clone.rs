//! `pgflit clone`.

use std::sync::Arc;

use super::{CommandError, all_databases, not_built, place, progress};
use crate::base::cause::chain;
use crate::cli::invocation::{LogSettings, OutputSettings, Verbosity};
use crate::cli::options::{
    Ack, CdcSettings, CloneOptions, CopySettings, ProgressTracking, StartMode,
};
use crate::cli::{ExitCode, options};
use crate::clone::completion::Tidying;
use crate::clone::extensions::requirements;
use crate::clone::method::FormatChoice;
use crate::clone::parts::{self, Cutting};
use crate::clone::roles::Passwords;
use crate::clone::schema::{Leave, Side};
use crate::migration::base_copy::{Choices, left_out};
use crate::migration::begin::Start;
use crate::migration::clone::{CaptureConfig, Config, Outcome, clone};
use crate::migration::finish::NewTables;
use crate::migration::summary::Summary;
use crate::migration::supervisor;
use crate::report::progress::Shown;
use crate::report::{stdout, summary, terminal};
use crate::store::WorkDir;
use crate::worker::child::LogSink;

/// Copies, follows if asked to, and tells how it went.
pub(super) fn run(
    options: &CloneOptions,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    not_built::refuse_options("clone", not_built::of_clone(options))?;
    let shown = Shown::of(output, logging);
    let config = config(options, logging, shown)?;
    let shutdown = place::shutdown()?;
    if options.all_databases {
        return all_databases::run(&config, &shutdown, shown, output);
    }
    let display = progress::show(shown, &config.progress, &config.work_dir);
    let outcome = clone(&config, &shutdown);
    drop(display);
    let outcome = outcome?;
    match outcome {
        Outcome::NothingLeft => {
            tracing::info!("this migration is finished: nothing left to do");
            return Ok(ExitCode::Done);
        }
        Outcome::Stopped => {
            match config.work_dir.has_begun() {
                true if config.capture.is_none() => {
                    tracing::info!("stopped as asked; begin anew with --restart");
                }
                true => tracing::info!("stopped as asked; go on with --resume"),
                false => tracing::info!("stopped as asked, before anything was made"),
            }
            return Ok(ExitCode::Stopped);
        }
        Outcome::Copied | Outcome::Followed(_) => {}
    }
    print_summary(&config.work_dir, output)?;
    if let Some((count, file)) = left_out(&config.work_dir) {
        tracing::warn!(
            "{count} definitions were left out, because the target would not have them: have an administrator look at {}",
            file.display()
        );
    }
    if let (Outcome::Followed(_), Some(capture)) = (outcome, &config.capture) {
        tracing::info!(
            "slot {} is still on the source and holds its WAL: remove it with pgflit stream cleanup",
            capture.slot
        );
    }
    Ok(ExitCode::Done)
}

/// Prints what is in `summary.json`; it may not be there where it could not be written, which was
/// said.
fn print_summary(work_dir: &WorkDir, output: &OutputSettings) -> Result<(), CommandError> {
    let summary = match Summary::read(work_dir) {
        Ok(summary) => summary,
        Err(error) => {
            tracing::warn!("{}", chain(&error));
            return Ok(());
        }
    };
    let text = match output.json {
        true => serde_json::to_string(&summary)
            .map(|line| line + "\n")
            .map_err(|error| CommandError::stdout(error.into()))?,
        false => summary::text(&summary, stdout::page()),
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)
}

fn config(
    options: &CloneOptions,
    logging: &LogSettings,
    shown: Shown,
) -> Result<Config, CommandError> {
    let source = place::address(Side::Source, options.source.as_deref())?;
    let target = place::address(Side::Target, options.target.as_deref())?;
    let work_dir = place::work_dir(&options.work_dir);
    let mut shared_arguments = log_arguments(logging);
    if let Shown::Bars { color: true } = shown {
        // Their stderr is a pipe to us.
        shared_arguments.push("--color=always".to_owned());
    }
    if options.work_dir.dir_given {
        shared_arguments.push(format!("--dir={}", options.work_dir.dir.display()));
    }
    let children = supervisor::Config {
        work_dir: work_dir.clone(),
        shared_arguments,
        receive_arguments: vec![format!("--ack={}", ack(options.cdc.ack))],
        apply_arguments: vec![format!(
            "--progress-tracking={}",
            tracking(options.cdc.progress_tracking)
        )],
        source_environment: vec![("PGFLIT_SOURCE_PGURI".to_owned(), source.to_uri())],
        target_environment: vec![("PGFLIT_TARGET_PGURI".to_owned(), target.to_uri())],
        retry_for: options.retry_for,
        log_sink: shown.redraws().then_some(terminal::write as LogSink),
    };
    Ok(Config {
        source,
        target,
        start: match options.start {
            StartMode::Fresh => Start::Fresh,
            StartMode::Resume {
                not_consistent: false,
            } => Start::Resume,
            StartMode::Resume {
                not_consistent: true,
            } => Start::ResumeNotConsistent,
            StartMode::Restart => Start::Restart,
        },
        capture: options.cdc.follow.then(|| capture(&options.cdc, children)),
        copy: Choices {
            table_jobs: options.copy.table_jobs.get(),
            index_jobs: options.copy.index_jobs.get(),
            roles: roles(&options.copy),
            requirements: match &options.copy.schema.requirements {
                Some(file) => requirements::read(file)?,
                None => Vec::new(),
            },
            skip_db_properties: options.copy.schema.skip_db_properties,
            restore_jobs: options.copy.restore_jobs.get(),
            refresh_matviews: options.copy.refresh_matviews,
            large_object_jobs: (!options.copy.skip_large_objects)
                .then_some(options.copy.large_objects_jobs.get()),
            cutting: cutting(&options.copy),
            format: match options.copy.use_copy_binary {
                true => FormatChoice::Binary,
                false => FormatChoice::Auto,
            },
            leave: leave(&options.copy),
            drop_if_exists: options.copy.schema.drop_if_exists,
            tidying: tidying(&options.copy),
            fail_fast: options.copy.fail_fast,
        },
        filters: place::filters(options.filters.as_deref())?,
        progress: Arc::default(),
        work_dir: WorkDir::new(work_dir.root, work_dir.cdc),
    })
}

fn capture(cdc: &CdcSettings, children: supervisor::Config) -> CaptureConfig {
    CaptureConfig {
        slot: cdc.slot_name.clone(),
        origin: cdc.origin.clone(),
        publication: cdc.publication.clone(),
        plugin: cdc.plugin.name().to_owned(),
        endpos: cdc.endpos,
        new_tables: match cdc.new_tables {
            options::NewTables::Stop => NewTables::Stop,
            options::NewTables::Warn => NewTables::Warn,
        },
        children,
    }
}

const fn ack(ack: Ack) -> &'static str {
    match ack {
        Ack::Spill => "spill",
        Ack::Apply => "apply",
    }
}

const fn tracking(tracking: ProgressTracking) -> &'static str {
    match tracking {
        ProgressTracking::Auto => "auto",
        ProgressTracking::Origin => "origin",
        ProgressTracking::Table => "table",
    }
}

/// The options of pg_restore for what is left out.
fn leave(copy: &CopySettings) -> Leave {
    let schema = &copy.schema;
    let options = [
        (schema.no_owner, "--no-owner"),
        (schema.no_acl, "--no-acl"),
        (schema.no_comments, "--no-comments"),
        (schema.no_tablespaces, "--no-tablespaces"),
    ];
    let given = options.into_iter().filter(|(is_given, _)| *is_given);
    Leave {
        options: given.map(|(_, option)| option.to_owned()).collect(),
        extension_comments: schema.skip_ext_comments,
        collations: schema.skip_collations,
        extensions: schema.skip_extensions,
    }
}

const fn roles(copy: &CopySettings) -> Option<Passwords> {
    match (copy.roles, copy.no_role_passwords) {
        (false, _) => None,
        (true, false) => Some(Passwords::Copied),
        (true, true) => Some(Passwords::LeftOut),
    }
}

/// How tables are cut: `--split-tables-larger-than 0` says not at all.
fn cutting(copy: &CopySettings) -> Option<Cutting> {
    let larger_than = copy.split.larger_than.unwrap_or(parts::LARGER_THAN);
    (larger_than.0 > 0).then_some(Cutting {
        larger_than,
        parts_max: copy.split.parts_max,
        by_ctid: !copy.split.skip_by_ctid,
    })
}

const fn tidying(copy: &CopySettings) -> Option<Tidying> {
    match (copy.skip_vacuum, copy.skip_analyze) {
        (false, false) => Some(Tidying::VacuumAnalyze),
        (true, false) => Some(Tidying::Analyze),
        (false, true) => Some(Tidying::Vacuum),
        (true, true) => None,
    }
}

/// The same logging in the child processes.
fn log_arguments(logging: &LogSettings) -> Vec<String> {
    let verbosity = match logging.verbosity {
        Verbosity::Quiet => Some("--quiet"),
        Verbosity::Normal => None,
        Verbosity::Debug => Some("--debug"),
        Verbosity::Trace => Some("--trace"),
    };
    let mut arguments: Vec<_> = verbosity.map(str::to_owned).into_iter().collect();
    if logging.json {
        arguments.push("--log-json".to_owned());
    }
    if let Some(file) = &logging.file {
        arguments.push(format!("--log-file={}", file.display()));
    }
    arguments
}
