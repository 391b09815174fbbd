//! Where the two databases are, and the work directory.

use std::path::PathBuf;

use clap::Args;

use crate::cli::error::UsageError;
use crate::cli::options::WorkDir;
use crate::cli::settings::Settings;

#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct SourceArgs {
    /// Connection string of the source, as a URI or as keywords; libpq's PG* variables fill in the
    /// rest
    #[arg(short = 'S', long, value_name = "CONNINFO")]
    source: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct TargetArgs {
    /// Connection string of the target, as a URI or as keywords
    #[arg(short = 'T', long, value_name = "CONNINFO")]
    target: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Work directory")]
pub(super) struct WorkDirArgs {
    /// Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]
    #[arg(short = 'D', long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct FilterArgs {
    /// File that says which schemas, tables, indexes and extensions to include or exclude
    #[arg(short = 'F', long, visible_alias = "filter", value_name = "FILE")]
    filters: Option<PathBuf>,
}

impl SourceArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Option<String>, UsageError> {
        settings.value("source", self.source)
    }
}

impl TargetArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Option<String>, UsageError> {
        settings.value("target", self.target)
    }
}

impl FilterArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Option<PathBuf>, UsageError> {
        settings.value("filters", self.filters)
    }
}

impl WorkDirArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<WorkDir, UsageError> {
        let environment = settings.environment;
        let given = settings.value("dir", self.dir)?;
        let data_home = environment.path("XDG_DATA_HOME").or_else(|| {
            let home = environment.path("HOME")?;
            Some(home.join(".local/share"))
        });
        Ok(WorkDir {
            dir_given: given.is_some(),
            dir: given.unwrap_or_else(|| {
                let temporary = environment.path("TMPDIR");
                temporary
                    .unwrap_or_else(|| PathBuf::from("/tmp"))
                    .join("pgflit")
            }),
            data_home: data_home.map(|home| home.join("pgflit")),
        })
    }
}
