//! `pgflit list …`.

use clap::{Args, Subcommand};

use super::connection::{FilterArgs, SourceArgs, WorkDirArgs};
use super::copying::SplitArgs;
use crate::cli::error::UsageError;
use crate::cli::options::{ListCommand, ListScope, TableChoice, TableListing};
use crate::cli::settings::Settings;

#[derive(Subcommand)]
pub(super) enum ListArgs {
    /// List the databases of the source's instance and their sizes
    Databases(ScopeArgs),
    /// List the extensions of the source
    Extensions {
        /// List what the server of --source could install instead: name the target there
        #[arg(long)]
        available_versions: bool,
        /// Print a file for --requirements
        #[arg(short = 'Q', long)]
        requirements: bool,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// List the collations that databases, tables and indexes of the source use
    Collations(ScopeArgs),
    /// List the tables whose rows are copied
    Tables {
        #[command(flatten)]
        listing: ListingArgs,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// List the parts that one table is copied in
    TableParts {
        #[command(flatten)]
        table: OneTableArgs,
        #[command(flatten)]
        scope: ScopeArgs,
        #[command(flatten)]
        split: SplitArgs,
    },
    /// List the sequences whose values are copied
    Sequences {
        #[command(flatten)]
        skipped: SkippedArg,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// List the indexes that are built on the target
    Indexes {
        #[command(flatten)]
        skipped: SkippedArg,
        #[command(flatten)]
        table: AnyTableArgs,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// List what depends on what the filters leave out
    Depends {
        #[command(flatten)]
        skipped: SkippedArg,
        #[command(flatten)]
        table: AnyTableArgs,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Print the whole catalog of the source as JSON
    Schema(ScopeArgs),
    /// List how far a running or finished copy has come
    Progress {
        /// Print the summary of a finished copy: time, bytes and concurrency of each step
        #[arg(long)]
        summary: bool,
        #[command(flatten)]
        scope: ScopeArgs,
    },
}

#[derive(Args)]
pub(super) struct ScopeArgs {
    #[command(flatten)]
    json: JsonArg,
    /// Accepted for scripts of pgcopydb: the source is always read again
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    filters: FilterArgs,
}

/// pgcopydb's short form of `--json`, where `-J` is not `--table-jobs`.
#[derive(Args)]
pub(super) struct JsonArg {
    /// The same as --json
    #[arg(short = 'J', hide = true)]
    json_short: bool,
}

#[derive(Args)]
pub(super) struct SkippedArg {
    /// List what the filters leave out instead
    #[arg(long)]
    list_skipped: bool,
}

#[derive(Args)]
#[group(multiple = false)]
pub(super) struct ListingArgs {
    /// List what the filters leave out instead
    #[arg(long)]
    list_skipped: bool,
    /// List the tables without a primary key only
    #[arg(long)]
    without_pkey: bool,
}

#[derive(Args)]
pub(super) struct AnyTableArgs {
    /// Only in this schema
    #[arg(long, value_name = "NAME")]
    schema_name: Option<String>,
    /// Only of this table
    #[arg(long, value_name = "NAME", requires = "schema_name")]
    table_name: Option<String>,
}

#[derive(Args)]
pub(super) struct OneTableArgs {
    /// Schema of the table [default: public]
    #[arg(long, value_name = "NAME")]
    schema_name: Option<String>,
    /// The table
    #[arg(long, value_name = "NAME", required = true)]
    table_name: String,
}

impl ListArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<ListCommand, UsageError> {
        Ok(match self {
            ListArgs::Databases(scope) => ListCommand::Databases(scope.resolve(settings)?),
            ListArgs::Extensions {
                available_versions,
                requirements,
                scope,
            } => ListCommand::Extensions {
                scope: scope.resolve(settings)?,
                available_versions,
                requirements,
            },
            ListArgs::Collations(scope) => ListCommand::Collations(scope.resolve(settings)?),
            ListArgs::Tables { listing, scope } => ListCommand::Tables {
                scope: scope.resolve(settings)?,
                listing: listing.chosen(),
            },
            ListArgs::TableParts {
                table,
                scope,
                split,
            } => ListCommand::TableParts {
                scope: scope.resolve(settings)?,
                table: table.into(),
                split: split.resolve(settings)?,
            },
            ListArgs::Sequences { skipped, scope } => ListCommand::Sequences {
                scope: scope.resolve(settings)?,
                list_skipped: skipped.list_skipped,
            },
            ListArgs::Indexes {
                skipped,
                table,
                scope,
            } => ListCommand::Indexes {
                scope: scope.resolve(settings)?,
                table: table.into(),
                list_skipped: skipped.list_skipped,
            },
            ListArgs::Depends {
                skipped,
                table,
                scope,
            } => ListCommand::Depends {
                scope: scope.resolve(settings)?,
                table: table.into(),
                list_skipped: skipped.list_skipped,
            },
            ListArgs::Schema(scope) => ListCommand::Schema(scope.resolve(settings)?),
            ListArgs::Progress { summary, scope } => ListCommand::Progress {
                scope: scope.resolve(settings)?,
                summary,
            },
        })
    }

    /// Whether `-J`, pgcopydb's short form of `--json`, was typed.
    pub(super) fn wants_json(&self) -> bool {
        match self {
            ListArgs::Databases(scope) | ListArgs::Collations(scope) | ListArgs::Schema(scope) => {
                scope
            }
            ListArgs::Extensions { scope, .. }
            | ListArgs::Tables { scope, .. }
            | ListArgs::TableParts { scope, .. }
            | ListArgs::Sequences { scope, .. }
            | ListArgs::Indexes { scope, .. }
            | ListArgs::Depends { scope, .. }
            | ListArgs::Progress { scope, .. } => scope,
        }
        .json
        .typed()
    }
}

impl ScopeArgs {
    fn resolve(self, settings: &Settings<'_>) -> Result<ListScope, UsageError> {
        Ok(ListScope {
            work_dir: self.work_dir.resolve(settings)?,
            source: self.source.resolve(settings)?,
            filters: self.filters.resolve(settings)?,
            force: self.force,
        })
    }
}

impl JsonArg {
    pub(super) fn typed(&self) -> bool {
        self.json_short
    }
}

impl ListingArgs {
    fn chosen(&self) -> TableListing {
        match (self.list_skipped, self.without_pkey) {
            (true, _) => TableListing::Skipped,
            (false, true) => TableListing::WithoutPrimaryKey,
            (false, false) => TableListing::Copied,
        }
    }
}

impl From<AnyTableArgs> for TableChoice {
    fn from(table: AnyTableArgs) -> Self {
        TableChoice {
            schema: table.schema_name,
            table: table.table_name,
        }
    }
}

impl From<OneTableArgs> for TableChoice {
    fn from(table: OneTableArgs) -> Self {
        TableChoice {
            schema: Some(table.schema_name.unwrap_or_else(|| "public".to_owned())),
            table: Some(table.table_name),
        }
    }
}
