//! Where a command works: the work directory and the two servers, from what was typed.

use std::io;

use super::CommandError;
use crate::base::Shutdown;
use crate::cli::{ExitCode, options};
use crate::clone::schema::Side;
use crate::pg::{Address, AddressError};
use crate::store::WorkDir;

/// SIGINT and SIGTERM cannot be listened to.
#[derive(Debug, thiserror::Error)]
#[error("listening to signals")]
struct SignalError(#[source] io::Error);

/// The work directory as the store knows it. Nothing is made.
pub(super) fn work_dir(options: &options::WorkDir) -> WorkDir {
    WorkDir::new(options.dir.clone(), options.cdc_dir())
}

/// A connection string cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("reading the connection string of the {side}")]
struct ConnectionString {
    side: Side,
    #[source]
    source: AddressError,
}

/// The server that `typed` means; without it, libpq's `PG*` variables say.
pub(super) fn address(side: Side, typed: Option<&str>) -> Result<Address, CommandError> {
    Address::parse(typed.unwrap_or_default()).map_err(|source| {
        let hint = source.hint();
        CommandError {
            hint,
            ..CommandError::usage(ConnectionString { side, source })
        }
    })
}

/// What hears SIGINT and SIGTERM from now on.
pub(super) fn shutdown() -> Result<Shutdown, CommandError> {
    let listening = Shutdown::on_signals();
    listening.map_err(|source| CommandError::new(ExitCode::Other, SignalError(source)))
}
