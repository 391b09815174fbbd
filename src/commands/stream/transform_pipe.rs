//! `pgflit stream transform - -`.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{begin, transform_folder};
use crate::base::Shutdown;
use crate::base::shutdown::POLL;
use crate::cdc::transform::{PipeError, Transformer, transform_pipe};
use crate::cli::ExitCode;
use crate::commands::{CommandError, place};
use crate::store::WorkDir;

/// How long the input may take to end once we are asked to stop: who writes it was asked as well,
/// and has a disk to sync first. Past it we go without; a torn transaction never happened.
const INPUT_END_MAX: Duration = Duration::from_secs(5);

/// A thread could not be run to its end.
#[derive(Debug, thiserror::Error)]
#[error("running the thread \"{name}\"")]
struct ThreadError {
    name: &'static str,
    #[source]
    source: io::Error,
}

type Thread = JoinHandle<Result<(), CommandError>>;

/// Transforms stdin to stdout until it ends; with a `folder`, keeps its SQL segments in step too.
pub(super) fn run(folder: Option<&WorkDir>) -> Result<ExitCode, CommandError> {
    let shutdown = place::shutdown()?;
    let _lock = match folder {
        Some(work_dir) => {
            work_dir.open_store()?;
            Some(begin::role(work_dir, "transform")?)
        }
        None => None,
    };
    let input_ended = Shutdown::default();
    let keeper = match folder.cloned() {
        Some(work_dir) => {
            let input_ended = input_ended.clone();
            Some(spawn("folder", move || {
                transform_folder::keep_in_step(&work_dir, &input_ended)
            })?)
        }
        None => None,
    };
    let piper = spawn("pipe", pipe)?;
    wait_for(&piper, keeper.as_ref(), &shutdown);
    input_ended.ask();
    if piper.is_finished() {
        join("pipe", piper)?;
    }
    if let Some(keeper) = keeper {
        join("folder", keeper)?;
    }
    if shutdown.asked() {
        tracing::info!("stopped transforming as asked");
        return Ok(ExitCode::Stopped);
    }
    tracing::info!("transformed all of the input");
    Ok(ExitCode::Done)
}

fn pipe() -> Result<(), CommandError> {
    match transform_pipe(Transformer::default(), io::stdin(), io::stdout()) {
        Err(PipeError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            tracing::info!("the reader of the SQL has ended");
            Ok(())
        }
        other => Ok(other.map(drop)?),
    }
}

/// Returns when one of the two has ended, or when stopping has taken too long.
fn wait_for(piper: &Thread, keeper: Option<&Thread>, shutdown: &Shutdown) {
    let mut asked_at = None;
    while !piper.is_finished() && !keeper.is_some_and(JoinHandle::is_finished) {
        if shutdown.asked() {
            let asked_at = asked_at.get_or_insert_with(Instant::now);
            if asked_at.elapsed() >= INPUT_END_MAX {
                return;
            }
        }
        thread::sleep(POLL);
    }
}

fn spawn(
    name: &'static str,
    work: impl FnOnce() -> Result<(), CommandError> + Send + 'static,
) -> Result<Thread, CommandError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|source| CommandError::new(ExitCode::Other, ThreadError { name, source }))
}

fn join(name: &'static str, thread: Thread) -> Result<(), CommandError> {
    thread.join().unwrap_or_else(|_| {
        let source = io::Error::other("it panicked");
        Err(CommandError::new(
            ExitCode::Other,
            ThreadError { name, source },
        ))
    })
}
