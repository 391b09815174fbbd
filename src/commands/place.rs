//! Where a command works: the work directory and the two servers, from what was typed.

use std::io;
use std::path::Path;

use super::CommandError;
use crate::base::Shutdown;
use crate::base::Side;
use crate::catalog::filters::Filters;
use crate::cli::{ExitCode, options};
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
    side: &'static str,
    #[source]
    source: AddressError,
}

/// Nobody has said which server it is.
#[derive(Debug, thiserror::Error)]
#[error("the {0} is not named")]
struct Unnamed(Side);

/// The server that `typed` means; without it, libpq's `PG*` variables say.
pub(super) fn address(side: Side, typed: Option<&str>) -> Result<Address, CommandError> {
    let said_by_libpq = || {
        let mut variables = Address::libpq_variables();
        variables.any(|name| std::env::var_os(name).is_some())
    };
    if typed.is_none() && !said_by_libpq() {
        // libpq would take the local socket, which nobody has in mind who moves a database.
        return Err(CommandError::usage(Unnamed(side)).with_hint(match side {
            Side::Source => "name it with --source or PGFLIT_SOURCE_PGURI",
            Side::Target => "name it with --target or PGFLIT_TARGET_PGURI",
        }));
    }
    parse(
        match side {
            Side::Source => "source",
            Side::Target => "target",
        },
        typed.unwrap_or_default(),
    )
}

/// The address of a server that may be left out.
pub(super) fn known(side: Side, typed: Option<&str>) -> Result<Option<Address>, CommandError> {
    typed.map(|typed| address(side, Some(typed))).transpose()
}

/// A standby of the source.
pub(super) fn standby(typed: &str) -> Result<Address, CommandError> {
    parse("standby", typed)
}

fn parse(side: &'static str, text: &str) -> Result<Address, CommandError> {
    Address::parse(text).map_err(|source| {
        let hint = source.hint();
        CommandError {
            hint,
            ..CommandError::usage(ConnectionString { side, source })
        }
    })
}

/// What the file `typed` leaves out; without one, nothing.
pub(super) fn filters(typed: Option<&Path>) -> Result<Filters, CommandError> {
    match typed {
        None => Ok(Filters::default()),
        Some(file) => Ok(Filters::read(file)?),
    }
}

/// What hears SIGINT and SIGTERM from now on.
pub(super) fn shutdown() -> Result<Shutdown, CommandError> {
    let listening = Shutdown::on_signals();
    listening.map_err(|source| CommandError::new(ExitCode::Other, SignalError(source)))
}
