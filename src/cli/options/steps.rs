//! What the steps of a copy by hand are told.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::{SchemaSettings, StartMode, WorkDir};

/// The step that `pgflit copy STEP` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyStep {
    /// All of them: the same as `clone` without `--follow`.
    Db,
    /// Roles of the instance.
    Roles,
    /// Extensions.
    Extensions,
    /// What rows need: schemas, types, functions, tables, views.
    Schema,
    /// Everything that comes after [`CopyStep::Schema`].
    Data,
    /// Rows of tables.
    TableData,
    /// Large objects.
    Blobs,
    /// Current values of sequences.
    Sequences,
    /// Indexes, and the constraints that they support.
    Indexes,
    /// Foreign keys, triggers, and what else needs rows; materialized views.
    Constraints,
}

impl CopyStep {
    /// The word after `copy`.
    pub const fn name(self) -> &'static str {
        match self {
            CopyStep::Db => "db",
            CopyStep::Roles => "roles",
            CopyStep::Extensions => "extensions",
            CopyStep::Schema => "schema",
            CopyStep::Data => "data",
            CopyStep::TableData => "table-data",
            CopyStep::Blobs => "blobs",
            CopyStep::Sequences => "sequences",
            CopyStep::Indexes => "indexes",
            CopyStep::Constraints => "constraints",
        }
    }
}

/// `pgflit dump …`.
pub struct DumpOptions {
    /// What is dumped.
    pub subject: DumpSubject,
    /// Where the dump goes: `D/schema/`.
    pub work_dir: WorkDir,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The target's connection string as given; accepted for pgcopydb's sake.
    pub target: Option<String>,
    /// Which definitions.
    pub schema: SchemaSettings,
    /// Dump roles without their passwords.
    pub no_role_passwords: bool,
    /// A snapshot exported by someone who holds it.
    pub snapshot: Option<String>,
    /// The filter file.
    pub filters: Option<PathBuf>,
}

/// What `dump` dumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DumpSubject {
    /// Definitions of one database, by pg_dump.
    Schema,
    /// Roles of the instance, by pg_dumpall.
    Roles,
}

/// `pgflit restore …`.
pub enum RestoreCommand {
    /// Run one step.
    Step(RestoreStep, RestoreOptions),
    /// Print the list of what would be restored.
    ParseList {
        /// The dump's list; none to ask pg_restore for it.
        list: Option<PathBuf>,
        /// The same options as the steps have.
        options: RestoreOptions,
    },
}

/// The step that `pgflit restore STEP` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RestoreStep {
    /// Pre-data, then post-data.
    Schema,
    /// What rows need: schemas, types, tables.
    PreData,
    /// What needs rows: indexes, constraints, triggers.
    PostData,
    /// Roles.
    Roles,
}

/// The options of every `restore …`.
pub struct RestoreOptions {
    /// Where the dump is: `D/schema/`.
    pub work_dir: WorkDir,
    /// The source's connection string as given; filters are resolved there.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
    /// Which definitions.
    pub schema: SchemaSettings,
    /// `--jobs` of pg_restore.
    pub restore_jobs: NonZeroUsize,
    /// What to do with what an earlier run left.
    pub start: StartMode,
    /// The filter file.
    pub filters: Option<PathBuf>,
}
