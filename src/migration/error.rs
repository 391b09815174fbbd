//! How a migration fails, and on which side.

use std::io;
use std::path::PathBuf;

use super::base_copy::Definition;
use super::identities::IdentityError;
use crate::base::Side;
use crate::base::{Lsn, QualifiedName, Remedy};
use crate::catalog::filters::FilterError;
use crate::cdc::receive::ReceiveError;
use crate::clone::completion::CompletionError;
use crate::clone::database::PropertyError;
use crate::clone::epoch::EpochError;
use crate::clone::extensions::ExtensionError;
use crate::clone::large_objects::LargeObjectError;
use crate::clone::materialized_views::RefreshError;
use crate::clone::method::MethodError;
use crate::clone::programs::ProgramsError;
use crate::clone::roles::RolesError;
use crate::clone::rows::RowsError;
use crate::clone::schema::SchemaError;
use crate::clone::standby::StandbyError;
use crate::pg::{self, Address, AddressError};
use crate::store::{self, LockError, WorkDirError};
use crate::worker::child::ChildError;

/// A migration cannot begin or go on. Where it can be resumed, nothing is lost by having stopped.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A connection string.
    #[error("reading the {side} connection string")]
    Address {
        /// `source` or `target`.
        side: &'static str,
        /// Why.
        #[source]
        source: AddressError,
    },
    /// No session with a server.
    #[error("connecting to the {side} {address}")]
    Connect {
        /// Which server.
        side: Side,
        /// Where it was looked for; without a password.
        address: String,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// The source failed while something was being done.
    #[error("{doing} on the source")]
    Source {
        /// What.
        doing: &'static str,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// The target failed while something was being done.
    #[error("{doing} on the target")]
    Target {
        /// What.
        doing: &'static str,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Preflight refused; nothing was changed.
    #[error("{problem}")]
    Refused {
        /// Which server refuses; none for what was typed.
        side: Option<Side>,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// A snapshot.
    #[error(transparent)]
    Epoch(#[from] EpochError),
    /// A standby that rows are to be read from.
    #[error(transparent)]
    Standby(#[from] StandbyError),
    /// A standby that this migration has paused could not be resumed.
    #[error("replay of the standby {address} may still be paused by this migration")]
    LeftPaused {
        /// Where it is; without a password.
        address: String,
        /// Why it could not be resumed.
        #[source]
        source: StandbyError,
    },
    /// Filters.
    #[error(transparent)]
    Filters(#[from] FilterError),
    /// The work directory.
    #[error(transparent)]
    WorkDir(#[from] WorkDirError),
    /// Its lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Client programs.
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    /// pg_dump or pg_restore.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The rows of one table.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// The rows of several tables, or parts of them; each was logged.
    #[error("{failed} tables, or parts of tables, could not be copied; the first")]
    ManyRows {
        /// How many failed.
        failed: usize,
        /// The first.
        #[source]
        first: RowsError,
    },
    /// Large objects.
    #[error(transparent)]
    LargeObjects(#[from] LargeObjectError),
    /// Materialized views; each was logged.
    #[error("{failed} of {all} materialized views could not be refreshed; the first")]
    Refresh {
        /// How many failed.
        failed: usize,
        /// Of how many.
        all: usize,
        /// The first.
        #[source]
        first: RefreshError,
    },
    /// Tables of extensions.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// Properties of the database.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// Roles.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// Definitions that the target refused; each was logged.
    #[error("{count} of the source's definitions could not be made on the target; the first")]
    Definitions {
        /// How many.
        count: usize,
        /// The first.
        #[source]
        first: Box<Definition>,
    },
    /// Tables that cannot be copied as asked for; each was logged, nothing was copied.
    #[error("{count} tables cannot be copied; the first")]
    Methods {
        /// How many.
        count: usize,
        /// The first.
        #[source]
        first: MethodError,
    },
    /// Indexes.
    #[error(transparent)]
    Completion(#[from] CompletionError),
    /// A child process.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// A child process ended with an error, which it has said itself.
    #[error("pgflit stream {role} stopped with exit code {code}")]
    ChildFailed {
        /// Which.
        role: &'static str,
        /// Its exit code.
        code: i32,
    },
    /// What was captured may not have been read as what it is.
    #[error(transparent)]
    Capture(Box<ReceiveError>),
    /// A replica identity cannot be changed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Changes happened that change capture could not carry.
    #[error(
        "{table} has no replica identity and {changes} updates or deletes were made on it: they are not on the target"
    )]
    Uncaptured {
        /// Which table.
        table: QualifiedName,
        /// How many, as the source counts them.
        changes: u64,
    },
    /// The source has a table that change capture knows nothing of.
    #[error("{table} was created on the source after the migration began: it is not on the target")]
    NewTable {
        /// Which table.
        table: QualifiedName,
    },
    /// Changes carry the name of their table, which is another table's by now.
    #[error(
        "{from} was renamed to {to} on the source after the migration began, which was another table: changes are on the wrong one of the target"
    )]
    RenamedTable {
        /// What it was called.
        from: QualifiedName,
        /// What it is called.
        to: QualifiedName,
    },
    /// Whether changes happened that could not be captured cannot be told any more.
    #[error(
        "{table} has no replica identity, and the source has lost count of its updates and deletes"
    )]
    LostCount {
        /// Which table.
        table: QualifiedName,
    },
    /// endpos is before the copy.
    #[error("endpos {endpos} is before {begin}, where change capture begins")]
    EndposTooEarly {
        /// What was asked for.
        endpos: Lsn,
        /// The slot's position or the copy's convergence.
        begin: Lsn,
    },
    /// A file.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It was asked to stop. Not an error; a way out of the steps.
    #[error("asked to stop")]
    Stopped,
    /// A thread could not be run.
    #[error("running a thread: {0}")]
    Thread(String),
}

impl MigrationError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            MigrationError::Connect { source, .. }
            | MigrationError::Source { source, .. }
            | MigrationError::Target { source, .. } => source.remedy(),
            MigrationError::Rows(error) | MigrationError::ManyRows { first: error, .. } => {
                error.remedy()
            }
            MigrationError::Standby(error) => error.remedy(),
            MigrationError::Identity(error) => error.remedy(),
            MigrationError::Capture(error) => error.remedy(),
            MigrationError::Schema(error) => error.remedy(),
            MigrationError::LargeObjects(error) => error.remedy(),
            MigrationError::Extension(error) => error.remedy(),
            MigrationError::Property(error) => error.remedy(),
            MigrationError::Roles(error) => error.remedy(),
            MigrationError::Refresh { first, .. } => first.remedy(),
            MigrationError::Completion(error) => error.remedy(),
            MigrationError::Address { .. } => Remedy::FixArguments,
            MigrationError::Filters(error) => error.remedy(),
            MigrationError::Epoch(error) => error.remedy(),
            MigrationError::Store(error) => error.remedy(),
            MigrationError::Thread(_) => Remedy::Bug,
            _ => Remedy::AskOperator,
        }
    }

    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        let resume = || Some("mend the cause, then run the same command with --resume".to_owned());
        if let Some(hint) = self.source_error().and_then(of_lost_snapshot) {
            return Some(hint);
        }
        if self.target_error().is_some_and(is_disk_full) {
            return Some(
                "the target's disk is full: make room there, or move a tablespace to a larger \
                 disk; then run the same command with --resume"
                    .to_owned(),
            );
        }
        match self {
            MigrationError::Refused { hint, .. } => Some(hint.clone()),
            MigrationError::Roles(RolesError::Refused { .. }) => Some(
                "create that role on the target by hand, as it is to be there: it is then kept; go on with --resume"
                    .to_owned(),
            ),
            MigrationError::Property(_) => Some(
                "everything else is there; mend the cause, or leave properties of the database out with --skip-db-properties; then go on with --resume"
                    .to_owned(),
            ),
            MigrationError::LargeObjects(LargeObjectError::Taken { oid }) => Some(format!(
                "give the target's own another OID, or remove it: SELECT lo_unlink({oid}); then go on with --resume"
            )),
            MigrationError::Definitions { first, .. } => Some(first.hint.clone()),
            MigrationError::Target { source, .. }
            | MigrationError::LargeObjects(LargeObjectError::Target { source, .. })
                if lacks_role(source) => Some(
                "create the role on the target, or leave owners and privileges out with --no-owner and --no-acl; then go on with --resume"
                    .to_owned(),
            ),
            MigrationError::Connect { source, .. }
            | MigrationError::Source { source, .. }
            | MigrationError::Target { source, .. } => source.hint().or_else(resume),
            MigrationError::Capture(error) => error.hint(),
            MigrationError::Identity(error) => Some(error.hint()),
            MigrationError::Filters(error) => error.hint(),
            MigrationError::Epoch(error) => error.hint().or_else(resume),
            MigrationError::Standby(error) => error.hint().or_else(resume),
            MigrationError::LeftPaused { .. } => Some(
                "once it can be reached, run the same command again. It resumes by itself when it is \
                 restarted, and by hand with SELECT pg_wal_replay_resume(); if it is gone for \
                 good, remove the work directory"
                    .to_owned(),
            ),
            MigrationError::WorkDir(_) => Some("name another with --dir".to_owned()),
            MigrationError::Programs(ProgramsError::Missing { .. }) => Some(
                "install PostgreSQL's client programs, or set PG_CONFIG to the pg_config of an installation"
                    .to_owned(),
            ),
            MigrationError::Programs(ProgramsError::TooOld { needed, .. }) => Some(format!(
                "install the client programs of PostgreSQL {needed} or later, or set PG_CONFIG to their pg_config"
            )),
            MigrationError::Schema(SchemaError::Program { side: Side::Target, message, .. })
                if message.contains("role") && message.contains("does not exist") =>
            {
                Some("create the missing roles on the target, or use --no-owner and --no-acl".to_owned())
            }
            MigrationError::Schema(SchemaError::Program { side: Side::Source, message, .. })
                if message.contains("max_locks_per_transaction") =>
            {
                Some("raise max_locks_per_transaction on the source and restart it, or leave schemas out with --filters; then go on with --resume, or begin anew with --restart".to_owned())
            }
            MigrationError::Uncaptured { table, .. } => Some(format!(
                "begin anew with --restart --yes, which gives it an identity until the end; or give it one (ALTER TABLE {} REPLICA IDENTITY FULL) and begin anew with --restart",
                table.quoted()
            )),
            MigrationError::NewTable { .. } => Some(
                "begin anew with --restart; or copy it by hand once nobody writes to it, and go on with --resume --new-tables warn"
                    .to_owned(),
            ),
            MigrationError::RenamedTable { .. }
            | MigrationError::Rows(RowsError::Replaced { .. })
            | MigrationError::ManyRows {
                first: RowsError::Replaced { .. },
                ..
            } => Some("begin anew with --restart".to_owned()),
            MigrationError::Rows(RowsError::Rewritten { .. })
            | MigrationError::ManyRows {
                first: RowsError::Rewritten { .. },
                ..
            } => Some(
                "TRUNCATE, VACUUM FULL, CLUSTER, pg_repack and some kinds of ALTER TABLE exchange the file of a table: let none of them run during a copy, and begin anew with --restart; or take what is missing as it is now with --resume --not-consistent. A copy with --follow takes it under a later snapshot by itself"
                    .to_owned(),
            ),
            MigrationError::LostCount { table } => Some(format!(
                "its statistics were reset, by hand or by a crash; begin anew with --restart --yes, which gives it an identity until the end; or give it one (ALTER TABLE {} REPLICA IDENTITY FULL) and begin anew with --restart",
                table.quoted()
            )),
            MigrationError::EndposTooEarly { .. } => Some("set a later endpos, or --current".to_owned()),
            MigrationError::Methods { first: MethodError::NotBinary { .. }, .. } => Some(
                "without --use-copy-binary, tables that need it are copied as text".to_owned(),
            ),
            MigrationError::Rows(RowsError::NotEmpty { table }) => Some(format!(
                "if its rows are of no use, TRUNCATE {} on the target; then go on with --resume",
                table.quoted()
            )),
            MigrationError::Schema(_)
            | MigrationError::Rows(_)
            | MigrationError::ManyRows { .. }
            | MigrationError::LargeObjects(_)
            | MigrationError::Extension(_)
            | MigrationError::Roles(_)
            | MigrationError::Refresh { .. }
            | MigrationError::Methods { .. }
            | MigrationError::Completion(_)
            | MigrationError::ChildFailed { .. } => resume(),
            _ => None,
        }
    }
}

impl MigrationError {
    /// Whether the snapshot of the source that was read under is not there any more.
    pub(super) fn is_lost_snapshot(&self) -> bool {
        self.source_error().is_some_and(pg::Error::is_lost_snapshot)
    }

    /// What the target said, if that ended it.
    fn target_error(&self) -> Option<&pg::Error> {
        match self {
            MigrationError::Target { source, .. }
            | MigrationError::Rows(RowsError::Target { source, .. })
            | MigrationError::ManyRows {
                first: RowsError::Target { source, .. },
                ..
            }
            | MigrationError::LargeObjects(LargeObjectError::Target { source, .. }) => Some(source),
            MigrationError::Completion(error) => error.server_error(),
            MigrationError::Definitions { first, .. } => Some(&first.source),
            _ => None,
        }
    }

    /// What the source said, if that ended it.
    fn source_error(&self) -> Option<&pg::Error> {
        match self {
            MigrationError::Source { source, .. }
            | MigrationError::Rows(RowsError::Source { source, .. })
            | MigrationError::ManyRows {
                first: RowsError::Source { source, .. },
                ..
            }
            | MigrationError::LargeObjects(LargeObjectError::Source { source, .. }) => Some(source),
            MigrationError::Standby(error) => error.server_error(),
            _ => None,
        }
    }
}

/// What to do when the source has ended the session that held the snapshot, or is about to.
fn of_lost_snapshot(error: &pg::Error) -> Option<String> {
    let is_conflict = matches!(error, pg::Error::Server(error)
        if error.message.contains("conflict with recovery"));
    (error.is_lost_snapshot() || is_conflict).then(|| {
        "the source was restarted or ended the session that held the snapshot; a standby does so \
         when what it sees has to be removed: set hot_standby_feedback = on, or \
         max_standby_streaming_delay = -1, there. Then with --follow go on with --resume; without, \
         begin anew with --restart, or take what is missing as it is by then with --resume \
         --not-consistent"
            .to_owned()
    })
}

/// SQLSTATE disk_full.
fn is_disk_full(error: &pg::Error) -> bool {
    error.sqlstate() == Some("53100")
}

/// Whether the server misses a role that a definition names (SQLSTATE undefined_object).
fn lacks_role(error: &pg::Error) -> bool {
    matches!(error, pg::Error::Server(error)
        if error.sqlstate == "42704" && error.message.starts_with("role "))
}

/// The source could not be connected to.
pub(super) fn to_source(address: &Address) -> impl Fn(pg::Error) -> MigrationError {
    let address = address.to_string();
    move |source| MigrationError::Connect {
        side: Side::Source,
        address: address.clone(),
        source,
    }
}

/// The target could not be connected to.
pub(super) fn to_target(address: &Address) -> impl Fn(pg::Error) -> MigrationError {
    let address = address.to_string();
    move |source| MigrationError::Connect {
        side: Side::Target,
        address: address.clone(),
        source,
    }
}

/// Names what was being done on the source when it failed.
pub(super) fn on_source(doing: &'static str) -> impl Fn(pg::Error) -> MigrationError {
    move |source| MigrationError::Source { doing, source }
}

/// Names what was being done on the target when it failed.
pub(super) fn on_target(doing: &'static str) -> impl Fn(pg::Error) -> MigrationError {
    move |source| MigrationError::Target { doing, source }
}
