//! `pgflit dump …`: definitions of the source, on disk.

use std::num::NonZeroUsize;

use super::{CommandError, choices, place, runtime};
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::options::{DumpOptions, DumpSubject};
use crate::migration::MigrationError;
use crate::migration::steps::{self, DumpConfig};

/// Dumps, and tells where.
pub(super) fn run(options: &DumpOptions) -> Result<ExitCode, CommandError> {
    let config = DumpConfig {
        source: place::address(Side::Source, options.source.as_deref())?,
        work_dir: place::work_dir(&options.work_dir),
        copy: choices::of_definitions(&options.schema, NonZeroUsize::MIN)?,
        filters: place::filters(options.filters.as_deref())?,
        snapshot: options.snapshot.clone(),
    };
    let shutdown = place::shutdown()?;
    let dumped = runtime::block_on(async {
        match options.subject {
            DumpSubject::Schema => steps::dump_schema(&config, &shutdown).await.map(Some),
            DumpSubject::Roles => steps::dump_roles(&config, &shutdown).await.map(|()| None),
        }
    })?;
    let folder = config.work_dir.schema_path();
    match dumped {
        Err(MigrationError::Stopped) => {
            tracing::info!("stopped as asked; nothing was dumped");
            return Ok(ExitCode::Stopped);
        }
        Err(error) => return Err(error.into()),
        Ok(Some(count)) => tracing::info!(
            "the definitions are in {}: {count} entries to restore",
            folder.display()
        ),
        Ok(None) => tracing::info!(
            "the roles, without their passwords, are in {}",
            folder.join("roles.sql").display()
        ),
    }
    Ok(ExitCode::Done)
}
