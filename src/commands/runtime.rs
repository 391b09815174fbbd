//! The runtime that commands talk to servers on.

use std::future::Future;
use std::io;

use super::CommandError;
use crate::cli::ExitCode;

/// The operating system gave no event queue or timer.
#[derive(Debug, thiserror::Error)]
#[error("starting the event loop")]
struct RuntimeError(#[source] io::Error);

/// Runs `future` to its end on this thread. One thread: what needs more starts its own.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CommandError::new(ExitCode::Other, RuntimeError(source)))?;
    Ok(runtime.block_on(future))
}
