//! What the base copy is told.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::{CdcSettings, NotifySettings, WorkDir};
use crate::base::quantity::ByteSize;

/// The options of `clone` and of every `copy …`.
pub struct CloneOptions {
    /// Where the run keeps its files.
    pub work_dir: WorkDir,
    /// The source's connection string as given; none leaves it to libpq's `PG*` variables.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
    /// Every database of the instance instead of one.
    pub all_databases: bool,
    /// How rows and definitions are copied.
    pub copy: CopySettings,
    /// How changes are captured; [`CdcSettings::follow`] says whether.
    pub cdc: CdcSettings,
    /// What to do with what an earlier run left.
    pub start: StartMode,
    /// A snapshot exported by someone who holds it.
    pub snapshot: Option<String>,
    /// The filter file.
    pub filters: Option<PathBuf>,
    /// Checks that are only to warn.
    pub skip_checks: Vec<String>,
    /// How long a lost connection is tried again.
    pub retry_for: Duration,
    /// Who is told what happens.
    pub notify: NotifySettings,
}

/// What to do with what an earlier run left in the work directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StartMode {
    /// Start; refuse if the directory holds an interrupted run.
    Fresh,
    /// Go on where that run stopped.
    Resume {
        /// Take a new snapshot if the old one is gone, without `--follow` to make up for it.
        not_consistent: bool,
    },
    /// Drop what that run left and start anew.
    Restart,
}

/// How rows and definitions are copied.
#[derive(Debug, Clone, PartialEq)]
pub struct CopySettings {
    /// Tables, or parts of tables, copied at a time.
    pub table_jobs: NonZeroUsize,
    /// Indexes built at a time.
    pub index_jobs: NonZeroUsize,
    /// `--jobs` of pg_restore.
    pub restore_jobs: NonZeroUsize,
    /// Workers that copy large objects.
    pub large_objects_jobs: NonZeroUsize,
    /// How large tables are cut into parts.
    pub split: SplitSettings,
    /// Which definitions are made on the target.
    pub schema: SchemaSettings,
    /// Copy the roles first.
    pub roles: bool,
    /// Copy roles without their passwords.
    pub no_role_passwords: bool,
    /// Leave large objects out.
    pub skip_large_objects: bool,
    /// Refresh materialized views again when following ends.
    pub refresh_matviews: bool,
    /// Leave VACUUM out.
    pub skip_vacuum: bool,
    /// Leave ANALYZE out.
    pub skip_analyze: bool,
    /// Binary format for every table, or an error.
    pub use_copy_binary: bool,
    /// Stop everything at the first failed part.
    pub fail_fast: bool,
    /// Connection strings of standbys of the source that rows are read from; none for the source itself.
    pub copy_from: Vec<String>,
    /// Wait with new parts while the source runs more active sessions than this.
    pub source_load_limit: Option<NonZeroUsize>,
}

/// How large tables are cut into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitSettings {
    /// Tables larger than this are copied in parts; 0 for never, none for the default.
    pub larger_than: Option<ByteSize>,
    /// At most this many parts a table.
    pub parts_max: Option<NonZeroUsize>,
    /// Take sizes from `pg_class` statistics instead of the files.
    pub estimate_table_sizes: bool,
    /// Do not cut tables without an integer key by their `ctid`.
    pub skip_by_ctid: bool,
}

/// Which definitions are made on the target, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaSettings {
    /// Drop on the target what is about to be created.
    pub drop_if_exists: bool,
    /// Leave ownership to the connecting role.
    pub no_owner: bool,
    /// Leave comments out.
    pub no_comments: bool,
    /// Leave GRANT and REVOKE out.
    pub no_acl: bool,
    /// Put everything in the default tablespace.
    pub no_tablespaces: bool,
    /// Leave extensions and what they own out.
    pub skip_extensions: bool,
    /// Leave comments on extensions out.
    pub skip_ext_comments: bool,
    /// Leave collations out.
    pub skip_collations: bool,
    /// Leave ALTER DATABASE SET properties out.
    pub skip_db_properties: bool,
    /// A JSON file with the version of each extension to make.
    pub requirements: Option<PathBuf>,
}
