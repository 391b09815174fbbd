//! What the commands that only look are told.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::{CdcSettings, CopySettings, SplitSettings, WorkDir};

/// `pgflit snapshot`.
pub struct SnapshotOptions {
    /// Where the id is written as well.
    pub work_dir: WorkDir,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The slot to create first, if [`CdcSettings::follow`].
    pub cdc: CdcSettings,
    /// The filter file, by which the publication is made.
    pub filters: Option<PathBuf>,
}

/// `pgflit list …`.
pub enum ListCommand {
    /// Databases and their sizes.
    Databases(ListScope),
    /// Extensions.
    Extensions {
        /// Where to look.
        scope: ListScope,
        /// Versions that this server could install, instead of those it has.
        available_versions: bool,
        /// Print a requirements file.
        requirements: bool,
    },
    /// Collations that something depends on.
    Collations(ListScope),
    /// Tables.
    Tables {
        /// Where to look.
        scope: ListScope,
        /// Which of them.
        listing: TableListing,
    },
    /// The parts one table would be copied in.
    TableParts {
        /// Where to look.
        scope: ListScope,
        /// Which table.
        table: TableChoice,
        /// How it is cut.
        split: SplitSettings,
    },
    /// Sequences.
    Sequences {
        /// Where to look.
        scope: ListScope,
        /// Those that the filters leave out, instead of those that are copied.
        list_skipped: bool,
    },
    /// Indexes.
    Indexes {
        /// Where to look.
        scope: ListScope,
        /// Whose indexes.
        table: TableChoice,
        /// Those that the filters leave out, instead of those that are made.
        list_skipped: bool,
    },
    /// What depends on what the filters leave out.
    Depends {
        /// Where to look.
        scope: ListScope,
        /// Whose dependencies.
        table: TableChoice,
        /// Those that the filters leave out.
        list_skipped: bool,
    },
    /// The whole catalog, as JSON.
    Schema(ListScope),
    /// How far a copy has come.
    Progress {
        /// Where to look.
        scope: ListScope,
        /// The summary table of a finished copy.
        summary: bool,
    },
}

/// Where a listing looks.
pub struct ListScope {
    /// Where the catalog is kept between runs.
    pub work_dir: WorkDir,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The filter file.
    pub filters: Option<PathBuf>,
    /// Read the source again even if the work directory holds its catalog.
    pub force: bool,
}

/// Which tables are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableListing {
    /// Those that would be copied.
    Copied,
    /// Those that the filters leave out.
    Skipped,
    /// Those without a primary key.
    WithoutPrimaryKey,
}

/// One table, one schema, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TableChoice {
    /// `--schema-name`.
    pub schema: Option<String>,
    /// `--table-name`; only with a schema.
    pub table: Option<String>,
}

/// What `compare` compares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CompareSubject {
    /// Definitions of every kind of object.
    Schema,
    /// Rows.
    Data(CompareRows),
}

/// The options of every `compare …`.
pub struct CompareOptions {
    /// Where the catalog is kept between runs.
    pub work_dir: WorkDir,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
    /// The filter file.
    pub filters: Option<PathBuf>,
    /// Tables compared at a time.
    pub table_jobs: NonZeroUsize,
    /// How large tables are cut into parts.
    pub split: SplitSettings,
}

/// What only `compare data` is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareRows {
    /// Only count rows.
    pub counts_only: bool,
    /// Of a million keys, compare the rows of so many; none for all.
    pub sample: Option<u32>,
    /// At most this many keys of rows that differ are told of each table.
    pub keys_shown: usize,
    /// Leave out what an earlier run has found equal.
    pub resume: bool,
    /// Compare a running migration at one position of the source.
    pub at_lsn: bool,
}

/// `pgflit ping`.
pub struct PingOptions {
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
}

/// `pgflit check`.
pub struct CheckOptions {
    /// The work directory that the migration would use.
    pub work_dir: WorkDir,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
    /// The filter file.
    pub filters: Option<PathBuf>,
    /// How it would be copied.
    pub copy: CopySettings,
    /// How changes would be captured; [`CdcSettings::follow`] says whether.
    pub cdc: CdcSettings,
    /// What to do about what can be fixed.
    pub fixes: Fixes,
    /// Checks that are only to warn.
    pub skip_checks: Vec<String>,
}

/// What `check` does about what can be fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fixes {
    /// Only say so.
    None,
    /// Ask, then fix.
    Ask,
    /// Fix without asking: `--fix --yes`.
    WithoutAsking,
}

/// `pgflit status`.
pub struct StatusOptions {
    /// The migration's work directory.
    pub work_dir: WorkDir,
    /// How it is shown.
    pub view: StatusView,
    /// From one look to the next, where it is watched.
    pub interval: Duration,
    /// The proxy's control socket; none for the one in the work directory.
    pub socket: Option<PathBuf>,
    /// The source's connection string as given; without one, that of the migration.
    pub source: Option<String>,
    /// The target's, likewise.
    pub target: Option<String>,
}

/// How `status` is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusView {
    /// One screen, once.
    Once,
    /// A dashboard that goes on.
    Watch,
    /// Prometheus text.
    Metrics,
}

/// `pgflit report`.
pub struct ReportOptions {
    /// The migration's work directory.
    pub work_dir: WorkDir,
    /// Where the page goes; none for `D/report.html`.
    pub output: Option<PathBuf>,
}

/// `pgflit demo`.
pub struct DemoOptions {
    /// The migration's work directory; a temporary one unless `--dir` was given.
    pub work_dir: WorkDir,
    /// Size of the database, in units of 100,000 rows.
    pub scale: u32,
    /// Seconds of traffic after the base copy.
    pub seconds: u64,
    /// Leave the clusters running at the end.
    pub keep: bool,
}
