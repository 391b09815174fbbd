//! How the errors of the parts end the process: which side failed, and what to do.

use crate::base::Remedy;
use crate::base::Side;
use crate::catalog::filters::FilterError;
use crate::cdc::apply::ApplyError;
use crate::cdc::receive::{NotUnderstood, ReceiveError};
use crate::cdc::transform::{FolderError, PipeError};
use crate::cli::ExitCode;
use crate::clone::epoch::EpochError;
use crate::clone::extensions::ExtensionError;
use crate::clone::extensions::requirements::RequirementsError;
use crate::clone::large_objects::LargeObjectError;
use crate::clone::method::MethodError;
use crate::clone::roles::RolesError;
use crate::clone::rows::RowsError;
use crate::clone::schema::SchemaError;
use crate::migration::MigrationError;
use crate::migration::all_databases::AllDatabasesError;
use crate::migration::summary::SummaryError;
use crate::pg::{self, AddressError};
use crate::segment;
use crate::store::{self, EndposError, LockError, WorkDirError};
use crate::verify::CompareError;

use super::CommandError;

/// Which of the two servers it was about.
#[derive(Debug, thiserror::Error)]
#[error("talking to the {side}")]
struct ServerFailure {
    side: &'static str,
    #[source]
    source: pg::Error,
}

/// How an error that is nobody's side ends the process.
fn code_of(remedy: Remedy) -> ExitCode {
    match remedy {
        Remedy::FixArguments => ExitCode::Usage,
        Remedy::Retry | Remedy::AskOperator | Remedy::Bug => ExitCode::Other,
    }
}

impl CommandError {
    /// An error of one side: `side` is [`ExitCode::Source`] or [`ExitCode::Target`].
    pub(super) fn of_server(side: ExitCode, error: pg::Error) -> Self {
        let code = match error.remedy() {
            Remedy::FixArguments => ExitCode::Usage,
            Remedy::Retry | Remedy::AskOperator | Remedy::Bug => side,
        };
        let hint = error.hint();
        let failure = ServerFailure {
            side: match side {
                ExitCode::Target => "target",
                _ => "source",
            },
            source: error,
        };
        CommandError {
            hint,
            ..CommandError::new(code, failure)
        }
    }
}

impl From<AddressError> for CommandError {
    fn from(error: AddressError) -> Self {
        let hint = error.hint();
        CommandError {
            hint,
            ..CommandError::usage(error)
        }
    }
}

impl From<SummaryError> for CommandError {
    fn from(error: SummaryError) -> Self {
        let hint = match error {
            SummaryError::Missing(_) => {
                "it is written when the copy is complete; `pgflit list progress` tells how far it is"
            }
            SummaryError::Io { .. } | SummaryError::Content { .. } => {
                "the summary is a report: the migration does without it"
            }
        };
        let failed = match error {
            SummaryError::Missing(_) => CommandError::usage(error),
            error => CommandError::new(code_of(error.remedy()), error),
        };
        failed.with_hint(hint)
    }
}

impl From<store::Error> for CommandError {
    fn from(error: store::Error) -> Self {
        let missing = matches!(error, store::Error::Missing(_));
        let failed = CommandError::new(code_of(error.remedy()), error);
        match missing {
            true => CommandError {
                code: ExitCode::Usage,
                ..failed
            }
            .with_hint(
                "name the work directory of the migration with --dir, or begin one with `pgflit clone --follow`",
            ),
            false => failed,
        }
    }
}

impl From<WorkDirError> for CommandError {
    fn from(error: WorkDirError) -> Self {
        CommandError::usage(error).with_hint("name another work directory with --dir")
    }
}

impl From<LockError> for CommandError {
    fn from(error: LockError) -> Self {
        let code = match error {
            LockError::Held { .. } => ExitCode::Busy,
            LockError::Io { .. } => ExitCode::Other,
        };
        let hint = match code {
            ExitCode::Busy => {
                "nothing is wrong: it is still running; wait for its end, or stop it with SIGINT and go on with --resume"
            }
            _ => "name another work directory with --dir, or mend the file's owner and mode",
        };
        CommandError::new(code, error).with_hint(hint)
    }
}

impl From<EndposError> for CommandError {
    fn from(error: EndposError) -> Self {
        match error {
            EndposError::Store(error) => error.into(),
            EndposError::Passed { replayed, .. } => CommandError::usage(error)
                .with_hint(format!("set {replayed} or a later position, or --current")),
        }
    }
}

impl From<segment::Error> for CommandError {
    fn from(error: segment::Error) -> Self {
        let hint = error.hint();
        CommandError {
            hint,
            ..CommandError::new(ExitCode::Other, error)
        }
    }
}

impl From<FolderError> for CommandError {
    fn from(error: FolderError) -> Self {
        let hint = error.hint();
        CommandError {
            hint,
            ..CommandError::new(ExitCode::Other, error)
        }
    }
}

impl From<PipeError> for CommandError {
    fn from(error: PipeError) -> Self {
        CommandError::new(ExitCode::Other, error)
    }
}

impl From<ReceiveError> for CommandError {
    fn from(error: ReceiveError) -> Self {
        let hint = error.hint();
        let transient = error.remedy() == Remedy::Retry;
        let code = match &error {
            ReceiveError::Source(_)
            | ReceiveError::Slot { .. }
            | ReceiveError::SlotMoved { .. }
            | ReceiveError::Timeline { .. }
            | ReceiveError::Unexplained { .. }
            | ReceiveError::TableGone(_)
            | ReceiveError::Renamed { .. }
            | ReceiveError::Replaced { .. }
            | ReceiveError::Unseen(_)
            | ReceiveError::Uncaptured { .. }
            | ReceiveError::IdentityChanged(_)
            | ReceiveError::Encoding { .. }
            | ReceiveError::NotUnderstood {
                source: NotUnderstood::Ambiguous { .. },
                ..
            }
            | ReceiveError::Publication(_)
            | ReceiveError::InProgress(_)
            | ReceiveError::StreamEnded => ExitCode::Source,
            _ => ExitCode::Other,
        };
        CommandError {
            hint,
            transient,
            ..CommandError::new(code, error)
        }
    }
}

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        let hint = error.hint();
        let transient = error.remedy() == Remedy::Retry;
        let code = match &error {
            ApplyError::Target(_)
            | ApplyError::Refused { .. }
            | ApplyError::RowCount { .. }
            | ApplyError::RowsTogether { .. }
            | ApplyError::Misfit { .. }
            | ApplyError::EmptiedPartition { .. }
            | ApplyError::Pruned { .. }
            | ApplyError::PositionGone(_)
            | ApplyError::NoOrigin(_) => ExitCode::Target,
            ApplyError::PastEndpos { .. } | ApplyError::OriginServesOne => ExitCode::Usage,
            _ => ExitCode::Other,
        };
        CommandError {
            hint,
            transient,
            ..CommandError::new(code, error)
        }
    }
}

impl From<FilterError> for CommandError {
    fn from(error: FilterError) -> Self {
        let hint = error.hint();
        let code = match error {
            FilterError::Source(_) => ExitCode::Source,
            _ => ExitCode::Usage,
        };
        CommandError {
            hint,
            ..CommandError::new(code, error)
        }
    }
}

impl From<CompareError> for CommandError {
    fn from(error: CompareError) -> Self {
        let hint = error.hint();
        let code = match error {
            CompareError::Filters(error) => return error.into(),
            CompareError::WorkDir(error) => return error.into(),
            CompareError::Lock(error) => return error.into(),
            CompareError::Store(error) => return error.into(),
            CompareError::Server {
                side: Side::Source, ..
            } => ExitCode::Source,
            CompareError::Server {
                side: Side::Target, ..
            } => ExitCode::Target,
            CompareError::Stopped => ExitCode::Stopped,
            ref error => code_of(error.remedy()),
        };
        CommandError {
            hint,
            ..CommandError::new(code, error)
        }
    }
}

impl From<RequirementsError> for CommandError {
    fn from(error: RequirementsError) -> Self {
        CommandError::usage(error)
            .with_hint("it is a JSON array: [{\"name\": \"postgis\", \"version\": \"3.3.2\"}]")
    }
}

impl From<AllDatabasesError> for CommandError {
    fn from(error: AllDatabasesError) -> Self {
        let (failed, all, name, first) = match error {
            AllDatabasesError::Before(error) => return error.into(),
            AllDatabasesError::Some {
                failed,
                all,
                name,
                first,
            } => (failed, all, name, first),
        };
        let first = CommandError::from(first);
        let source = DatabasesFailed {
            failed,
            all,
            name,
            source: first.source,
        };
        CommandError {
            code: first.code,
            source: Box::new(source),
            hint: first.hint,
            transient: false,
        }
    }
}

/// Some of all databases failed; the exit code and the hint are the first one's.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {all} databases could not be copied; the first, {name}")]
struct DatabasesFailed {
    failed: usize,
    all: usize,
    name: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl From<MigrationError> for CommandError {
    fn from(error: MigrationError) -> Self {
        let hint = error.hint();
        let side = |side: &Side| match side {
            Side::Source => ExitCode::Source,
            Side::Target => ExitCode::Target,
        };
        let code = match error {
            MigrationError::Lock(error) => return error.into(),
            MigrationError::Filters(error) => return error.into(),
            MigrationError::Store(error) => return error.into(),
            MigrationError::WorkDir(error) => return error.into(),
            MigrationError::Capture(error) => return (*error).into(),
            MigrationError::Address { .. }
            | MigrationError::EndposTooEarly { .. }
            | MigrationError::Programs(_) => ExitCode::Usage,
            MigrationError::Refused { side: None, .. }
            | MigrationError::Epoch(EpochError::NoId(_) | EpochError::BeforeSlot { .. }) => {
                ExitCode::Usage
            }
            MigrationError::Refused {
                side: Some(ref refusing),
                ..
            } => side(refusing),
            MigrationError::Connect {
                side: ref refusing, ..
            }
            | MigrationError::Schema(SchemaError::Program {
                side: ref refusing, ..
            })
            | MigrationError::Roles(RolesError::Dump(SchemaError::Program {
                side: ref refusing,
                ..
            })) => side(refusing),
            MigrationError::Source { .. }
            | MigrationError::Epoch(_)
            | MigrationError::Standby(_)
            | MigrationError::Identity(_)
            | MigrationError::LeftPaused { .. }
            | MigrationError::Uncaptured { .. }
            | MigrationError::NewTable { .. }
            | MigrationError::RenamedTable { .. }
            | MigrationError::LostCount { .. }
            | MigrationError::LargeObjects(LargeObjectError::Source { .. })
            | MigrationError::Extension(ExtensionError::Source { .. })
            | MigrationError::Rows(
                RowsError::Source { .. } | RowsError::Rewritten { .. } | RowsError::Replaced { .. },
            )
            | MigrationError::ManyRows {
                first:
                    RowsError::Source { .. } | RowsError::Rewritten { .. } | RowsError::Replaced { .. },
                ..
            } => ExitCode::Source,
            MigrationError::Methods {
                first: MethodError::NotBinary { .. },
                ..
            } => ExitCode::Usage,
            MigrationError::Target { .. }
            | MigrationError::Methods { .. }
            | MigrationError::Completion(_)
            | MigrationError::Property(_)
            | MigrationError::Extension(_)
            | MigrationError::Roles(RolesError::Target(_) | RolesError::Refused { .. })
            | MigrationError::Refresh { .. }
            | MigrationError::LargeObjects(
                LargeObjectError::Target { .. } | LargeObjectError::Taken { .. },
            )
            | MigrationError::Definitions { .. }
            | MigrationError::Rows(_)
            | MigrationError::ManyRows { .. } => ExitCode::Target,
            MigrationError::ChildFailed { code, .. } => ExitCode::ALL
                .into_iter()
                .find(|known| i32::from(known.number()) == code)
                .unwrap_or(ExitCode::Other),
            _ => ExitCode::Other,
        };
        CommandError {
            hint,
            ..CommandError::new(code, error)
        }
    }
}
