//! Where a command works: the work directory and the two servers, from what was typed.

use std::io;

use super::CommandError;
use crate::base::Shutdown;
use crate::cli::{ExitCode, options};
use crate::pg::Address;
use crate::store::WorkDir;

/// SIGINT and SIGTERM cannot be listened to.
#[derive(Debug, thiserror::Error)]
#[error("listening to signals")]
struct SignalError(#[source] io::Error);

/// The work directory as the store knows it. Nothing is made.
pub(super) fn work_dir(options: &options::WorkDir) -> WorkDir {
    WorkDir::new(options.dir.clone(), options.cdc_dir())
}

/// The server that `typed` means; without it, libpq's `PG*` variables say.
pub(super) fn address(typed: Option<&str>) -> Result<Address, CommandError> {
    Ok(Address::parse(typed.unwrap_or_default())?)
}

/// What hears SIGINT and SIGTERM from now on.
pub(super) fn shutdown() -> Result<Shutdown, CommandError> {
    let listening = Shutdown::on_signals();
    listening.map_err(|source| CommandError::new(ExitCode::Other, SignalError(source)))
}
