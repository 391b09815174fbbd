//! The runtime that commands talk to servers on.

use std::future::Future;
use std::io;

use tokio::runtime::Runtime;

use super::CommandError;
use crate::cli::ExitCode;

/// The operating system gave no event queue, timer or thread.
#[derive(Debug, thiserror::Error)]
#[error("starting the event loop")]
pub(super) struct RuntimeError(#[source] pub(super) io::Error);

/// A runtime of one thread: what needs more starts its own.
pub(super) fn new() -> Result<Runtime, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CommandError::new(ExitCode::Other, RuntimeError(source)))
}

/// Runs `future` to its end on this thread.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    Ok(new()?.block_on(future))
}
