//! `pgflit clone --all-databases`.

use std::cell::RefCell;

use serde_json::json;

use super::{CommandError, progress};
use crate::base::Shutdown;
use crate::base::cause::chain;
use crate::base::quantity::ByteSize;
use crate::cli::ExitCode;
use crate::cli::invocation::OutputSettings;
use crate::migration::all_databases::{Done, clone_all};
use crate::migration::clone::{Config, Outcome};
use crate::migration::summary::Summary;
use crate::report::progress::Shown;
use crate::report::stdout;

/// Copies one database after the other, and tells how each went.
pub(super) fn run(
    config: &Config,
    shutdown: &Shutdown,
    shown: Shown,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    let summaries = RefCell::new(Vec::new());
    let show = |one: &Config| progress::show(shown, &one.progress, &one.work_dir);
    let tell = |done: &Done| {
        if let Some(summary) = tell(done) {
            summaries
                .borrow_mut()
                .push(json!({ "database": done.name, "summary": summary }));
        }
    };
    let complete = clone_all(config, shutdown, show, &tell)?;
    if output.json {
        let text = serde_json::Value::Array(summaries.into_inner()).to_string();
        stdout::write_line(&text).map_err(CommandError::stdout)?;
    }
    if complete {
        tracing::info!("all databases are copied");
        return Ok(ExitCode::Done);
    }
    tracing::info!("stopped as asked; go on with --resume");
    Ok(ExitCode::Stopped)
}

/// Logs what became of a database; gives the summary of its copy.
fn tell(done: &Done) -> Option<Summary> {
    let name = &done.name;
    if done.outcome == Outcome::NothingLeft {
        tracing::info!("database {name}: nothing left to do");
        return None;
    }
    // A summary that cannot be read changes nothing of what was copied.
    match Summary::read(&done.work_dir) {
        Ok(summary) => {
            let total = &summary.total;
            tracing::info!(
                "database {name}: copied {} tables, {} rows, {}",
                total.tables,
                total.rows,
                ByteSize(total.bytes)
            );
            Some(summary)
        }
        Err(error) => {
            tracing::warn!("database {name}: copied; {}", chain(&error));
            None
        }
    }
}
