//! `pgflit compare …`: are source and target equal?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{CommandError, choices, place, runtime};
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::invocation::{LogSettings, OutputSettings};
use crate::cli::options::{CompareOptions, CompareRows, CompareSubject};
use crate::migration::progress::{Done, Moving, Totals, View};
use crate::report::progress::{Display, Sample, Shown};
use crate::report::{comparison, definitions, stdout};
use crate::store::{COMPARE_STEP, StepTimes};
use crate::verify::data::{self, Depth, Outcome, Progress, Reading, TableRead, Verdict};
use crate::verify::schema;

/// Something could not be compared, and nothing that could differs.
#[derive(Debug, thiserror::Error)]
#[error("{0} could not be compared; nothing else differs")]
struct NotCompared(String);

/// Compares, prints what was found, and says it by the exit code.
pub(super) fn run(
    subject: CompareSubject,
    options: &CompareOptions,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    match subject {
        CompareSubject::Schema => definitions_of(options, output),
        CompareSubject::Data(rows) => rows_of(options, rows, logging, output),
    }
}

fn definitions_of(
    options: &CompareOptions,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    let config = schema::Config {
        source: place::address(Side::Source, options.source.as_deref())?,
        target: place::address(Side::Target, options.target.as_deref())?,
        filters: place::filters(options.filters.as_deref())?,
    };
    let shutdown = place::shutdown()?;
    let outcome = runtime::block_on(schema::compare(&config, &shutdown))??;
    let text = match output.json {
        true => format!("{}\n", definitions::json(&outcome)),
        false => definitions::text(&outcome),
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    let differ = outcome.differences.len();
    tracing::info!("{} objects compared: {differ} differ", outcome.objects);
    Ok(match differ {
        0 => ExitCode::Done,
        _ => ExitCode::CheckFailed,
    })
}

fn rows_of(
    options: &CompareOptions,
    rows: CompareRows,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    let depth = match rows.counts_only {
        true => Depth::Counts,
        false => Depth::Rows,
    };
    let sample = rows
        .sample
        .map(|of_a_million| data::Sample { of_a_million });
    let work_dir = place::work_dir(&options.work_dir);
    let folder = options.work_dir.dir_given.then(|| work_dir.compare_path());
    if folder.is_some() {
        work_dir.create()?;
    }
    let config = data::Config {
        source: place::address(Side::Source, options.source.as_deref())?,
        target: place::address(Side::Target, options.target.as_deref())?,
        filters: place::filters(options.filters.as_deref())?,
        jobs: options.table_jobs.get(),
        sizes: choices::sizes(&options.split),
        cutting: choices::cutting(&options.split),
        reading: Reading { depth, sample },
        keys_shown: rows.keys_shown,
        folder,
        resume: rows.resume,
        at_lsn: rows.at_lsn.then_some(work_dir),
    };
    let shutdown = place::shutdown()?;
    let progress = Arc::new(Progress::default());
    let shown = Shown::of(output, logging);
    let display = show(shown, &progress);
    let compared = runtime::block_on(data::compare(&config, &progress, &shutdown))?;
    drop(display);
    let outcome = compared?;
    print(&outcome, depth, output.json)?;
    conclude(&outcome)
}

fn show(shown: Shown, progress: &Arc<Progress>) -> Display {
    let progress = Arc::clone(progress);
    let step = StepTimes {
        name: COMPARE_STEP.to_owned(),
        begun_at: 0.0,
        finished_at: None,
    };
    Display::start(shown, move || Sample {
        view: view(&progress),
        steps: vec![step.clone()],
        stream: None,
    })
}

fn view(progress: &Progress) -> View {
    let reading = progress.reading();
    let on_the_way: u64 = reading.iter().map(|table| table.bytes_done).sum();
    let bytes = progress.bytes_done.load(Ordering::Relaxed);
    // Of tables that are known: the others tell theirs themselves.
    let bytes = bytes.saturating_sub(on_the_way);
    View {
        totals: Totals {
            tables: progress.tables.load(Ordering::Relaxed),
            bytes: progress.bytes.load(Ordering::Relaxed),
            indexes: 0,
        },
        done: Done {
            tables: progress.tables_done.load(Ordering::Relaxed),
            bytes,
            moved: bytes,
            rows: progress.rows.load(Ordering::Relaxed),
            ..Done::default()
        },
        moving: reading.into_iter().map(moving).collect(),
        ..View::default()
    }
}

/// A table that is being read, as one whose rows are moving: what is read is as large as it is there.
fn moving(table: TableRead) -> Moving {
    Moving {
        oid: table.oid,
        table: table.name,
        part: 0,
        part_count: 1,
        bytes: table.bytes,
        moved: Arc::new(AtomicU64::new(table.bytes_done)),
        begun: table.begun,
    }
}

fn print(outcome: &Outcome, depth: Depth, json: bool) -> Result<(), CommandError> {
    let text = match json {
        true => format!("{}\n", comparison::json(outcome, depth)),
        false => comparison::text(outcome, depth),
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)
}

/// What the exit code says, and in a line why.
fn conclude(outcome: &Outcome) -> Result<ExitCode, CommandError> {
    let count = |verdict| {
        let tables = outcome.tables.iter();
        tables.filter(|table| table.verdict == verdict).count()
    };
    let (different, uncompared) = (count(Verdict::Different), count(Verdict::Uncompared));
    let sequences = outcome.sequence_differences.len();
    if let Some(at) = outcome.at {
        tracing::info!(
            "both as they were at {at}; sequences and large objects are brought over when following ends, and are not compared"
        );
    }
    tracing::info!(
        "{} tables and {} sequences compared: {different} tables and {sequences} sequences differ",
        outcome.tables.len() - uncompared,
        outcome.sequences,
    );
    match outcome.verdict() {
        Verdict::Equal => Ok(ExitCode::Done),
        Verdict::Different => {
            if uncompared > 0 || outcome.sequence_problem.is_some() {
                tracing::warn!("{} could not be compared", what(outcome, uncompared));
            }
            Ok(ExitCode::CheckFailed)
        }
        Verdict::Uncompared => {
            let code = match outcome.unread() {
                Some(Side::Target) => ExitCode::Target,
                _ => ExitCode::Source,
            };
            let error = CommandError::new(code, NotCompared(what(outcome, uncompared)));
            Err(error.with_hint(
                "the list above says why; a role that owns the tables, or a superuser, may read them all",
            ))
        }
    }
}

fn what(outcome: &Outcome, tables: usize) -> String {
    match (tables, &outcome.sequence_problem) {
        (0, _) => "sequences".to_owned(),
        (1, None) => "1 table".to_owned(),
        (tables, None) => format!("{tables} tables"),
        (tables, Some(_)) => format!("{tables} tables and the sequences"),
    }
}
