//! Options of the base copy.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use crate::base::quantity::ByteSize;
use crate::cli::error::UsageError;
use crate::cli::options::{CopySettings, SchemaSettings, SplitSettings};
use crate::cli::settings::Settings;

/// What is done at a time unless an option says otherwise; pgcopydb's number.
const JOBS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

#[derive(Args)]
#[command(next_help_heading = "Copy")]
pub(super) struct CopyArgs {
    /// Copy this many tables, or parts of tables, at a time [default: 4]
    #[arg(short = 'J', long, visible_alias = "jobs", value_name = "N")]
    table_jobs: Option<NonZeroUsize>,

    /// Build this many indexes at a time [default: 4]
    #[arg(short = 'I', long, value_name = "N")]
    index_jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    restore_jobs: RestoreJobsArgs,

    /// Copy large objects with this many workers [default: 4]
    #[arg(short = 'b', long, value_name = "N")]
    large_objects_jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    split: SplitArgs,

    #[command(flatten)]
    schema: SchemaArgs,

    /// Copy the roles of the instance first
    #[arg(long)]
    roles: bool,

    #[command(flatten)]
    passwords: RolePasswordArgs,

    /// Leave large objects out
    #[arg(short = 'B', long = "skip-large-objects", visible_alias = "skip-blobs")]
    skip_large_objects: bool,

    /// With --follow: refresh materialized views once more at the end position
    #[arg(long)]
    refresh_matviews: bool,

    /// Do not VACUUM the tables after their rows are copied
    #[arg(short = 'U', long)]
    skip_vacuum: bool,

    /// Do not ANALYZE the tables after their rows are copied
    #[arg(short = 'a', long)]
    skip_analyze: bool,

    /// Make it an error if a table cannot be copied in binary; by default each is where that is exact
    #[arg(short = 'n', long)]
    use_copy_binary: bool,

    /// Stop everything at the first failure instead of finishing what can be finished
    #[arg(short = 'i', long)]
    fail_fast: bool,

    /// Read rows from this standby of the source, paused meanwhile; may be repeated
    #[arg(long, value_name = "CONNINFO")]
    copy_from: Vec<String>,

    /// Start no new part while the source runs more than this many active sessions
    #[arg(long, value_name = "N")]
    source_load_limit: Option<NonZeroUsize>,
}

#[derive(Args)]
#[command(next_help_heading = "Copy")]
pub(super) struct RestoreJobsArgs {
    /// Let pg_restore use this many jobs [default: as --index-jobs]
    #[arg(short = 'j', long, value_name = "N")]
    restore_jobs: Option<NonZeroUsize>,
}

#[derive(Args)]
#[command(next_help_heading = "Copy")]
pub(super) struct RolePasswordArgs {
    /// Leave the passwords of roles out, where pg_authid may not be read
    #[arg(long)]
    no_role_passwords: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Copy")]
pub(super) struct SplitArgs {
    /// Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]
    #[arg(short = 'L', long, visible_alias = "split-at", value_name = "SIZE")]
    split_tables_larger_than: Option<ByteSize>,

    /// Cut a table into at most this many parts [default: 1000]
    #[arg(long, value_name = "N")]
    split_max_parts: Option<NonZeroUsize>,

    /// Take sizes from statistics, where they know them, instead of asking the file system
    #[arg(short = 'm', long)]
    estimate_table_sizes: bool,

    /// Do not cut tables without an integer key by the place of their rows (ctid)
    #[arg(short = 'k', long)]
    skip_split_by_ctid: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Copy")]
pub(super) struct SchemaArgs {
    /// Drop on the target first what is about to be created there
    #[arg(short = 'c', long)]
    drop_if_exists: bool,

    /// Do not restore who owns what
    #[arg(short = 'O', long)]
    no_owner: bool,

    /// Do not restore comments
    #[arg(short = 'X', long)]
    no_comments: bool,

    /// Do not restore privileges (GRANT and REVOKE)
    #[arg(short = 'x', long)]
    no_acl: bool,

    /// Put everything into the default tablespace
    #[arg(short = 'y', long)]
    no_tablespaces: bool,

    /// Leave extensions out, with everything they own
    #[arg(short = 'e', long)]
    skip_extensions: bool,

    /// Leave the comments on extensions out
    #[arg(short = 'M', long)]
    skip_ext_comments: bool,

    /// Leave collations out
    #[arg(short = 'l', long)]
    skip_collations: bool,

    /// Leave the properties of the database out (ALTER DATABASE … SET)
    #[arg(short = 'g', long)]
    skip_db_properties: bool,

    /// JSON file with the version of each extension to create
    #[arg(short = 'Q', long, value_name = "FILE")]
    requirements: Option<PathBuf>,
}

impl CopyArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<CopySettings, UsageError> {
        let index_jobs = settings
            .value("index-jobs", self.index_jobs)?
            .unwrap_or(JOBS);
        Ok(CopySettings {
            table_jobs: table_jobs(self.table_jobs, settings)?,
            index_jobs,
            restore_jobs: self.restore_jobs.resolve(settings)?.unwrap_or(index_jobs),
            large_objects_jobs: settings
                .value("large-objects-jobs", self.large_objects_jobs)?
                .unwrap_or(JOBS),
            split: self.split.resolve(settings)?,
            schema: self.schema.resolve(settings)?,
            roles: settings.switch("roles", self.roles)?,
            no_role_passwords: self.passwords.resolve(settings)?,
            skip_large_objects: settings.switch("skip-large-objects", self.skip_large_objects)?,
            refresh_matviews: settings.switch("refresh-matviews", self.refresh_matviews)?,
            skip_vacuum: settings.switch("skip-vacuum", self.skip_vacuum)?,
            skip_analyze: settings.switch("skip-analyze", self.skip_analyze)?,
            use_copy_binary: settings.switch("use-copy-binary", self.use_copy_binary)?,
            fail_fast: settings.switch("fail-fast", self.fail_fast)?,
            copy_from: settings.list("copy-from", self.copy_from),
            source_load_limit: settings.value("source-load-limit", self.source_load_limit)?,
        })
    }
}

/// How many tables at a time, for every command that goes through them.
pub(super) fn table_jobs(
    typed: Option<NonZeroUsize>,
    settings: &Settings<'_>,
) -> Result<NonZeroUsize, UsageError> {
    let jobs = settings.value("table-jobs", typed)?;
    Ok(jobs.unwrap_or(JOBS))
}

impl RestoreJobsArgs {
    fn resolve(self, settings: &Settings<'_>) -> Result<Option<NonZeroUsize>, UsageError> {
        settings.value("restore-jobs", self.restore_jobs)
    }

    /// For commands that have no `--index-jobs` option: its environment variable still counts.
    pub(super) fn resolve_alone(self, settings: &Settings<'_>) -> Result<NonZeroUsize, UsageError> {
        match self.resolve(settings)? {
            Some(jobs) => Ok(jobs),
            None => Ok(settings.value("index-jobs", None)?.unwrap_or(JOBS)),
        }
    }
}

impl RolePasswordArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<bool, UsageError> {
        settings.switch("no-role-passwords", self.no_role_passwords)
    }
}

impl SplitArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<SplitSettings, UsageError> {
        Ok(SplitSettings {
            larger_than: settings
                .value("split-tables-larger-than", self.split_tables_larger_than)?,
            parts_max: settings.value("split-max-parts", self.split_max_parts)?,
            estimate_table_sizes: settings
                .switch("estimate-table-sizes", self.estimate_table_sizes)?,
            skip_by_ctid: settings.switch("skip-split-by-ctid", self.skip_split_by_ctid)?,
        })
    }
}

impl SchemaArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<SchemaSettings, UsageError> {
        Ok(SchemaSettings {
            drop_if_exists: settings.switch("drop-if-exists", self.drop_if_exists)?,
            no_owner: settings.switch("no-owner", self.no_owner)?,
            no_comments: settings.switch("no-comments", self.no_comments)?,
            no_acl: settings.switch("no-acl", self.no_acl)?,
            no_tablespaces: settings.switch("no-tablespaces", self.no_tablespaces)?,
            skip_extensions: settings.switch("skip-extensions", self.skip_extensions)?,
            skip_ext_comments: settings.switch("skip-ext-comments", self.skip_ext_comments)?,
            skip_collations: settings.switch("skip-collations", self.skip_collations)?,
            skip_db_properties: settings.switch("skip-db-properties", self.skip_db_properties)?,
            requirements: settings.value("requirements", self.requirements)?,
        })
    }
}
