//! `pgflit status`: where everything stands, once or again and again.

use std::io::{self, IsTerminal};

use super::{CommandError, place, runtime};
use crate::base::Shutdown;
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::invocation::OutputSettings;
use crate::cli::options::{StatusOptions, StatusView};
use crate::migration::status::{Config, Looker, Status};
use crate::report::status;
use crate::report::stdout;

/// Looks, and shows it.
pub(super) fn run(
    options: &StatusOptions,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    let work_dir = place::work_dir(&options.work_dir);
    let socket = options.socket.clone();
    let config = Config {
        source: place::known(Side::Source, options.source.as_deref())?,
        target: place::known(Side::Target, options.target.as_deref())?,
        socket: socket.unwrap_or_else(|| work_dir.proxy_socket_path()),
        work_dir,
    };
    let looker = Looker::new(config);
    match options.view {
        StatusView::Once => once(looker, output),
        StatusView::Metrics => {
            let status = look(looker)?;
            print(&status::metrics(&status))
        }
        StatusView::Watch => watch(looker, options, output),
    }
}

fn look(mut looker: Looker) -> Result<Status, CommandError> {
    let runtime = runtime::new()?;
    let looked = runtime.block_on(looker.look());
    // The operating system may still look for a server's name, longer than anybody waits for it.
    runtime.shutdown_background();
    Ok(looked?)
}

fn print(text: &str) -> Result<ExitCode, CommandError> {
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}

fn once(looker: Looker, output: &OutputSettings) -> Result<ExitCode, CommandError> {
    let status = look(looker)?;
    if output.json {
        return print(&json(&status)?);
    }
    let colored = output.color.on(io::stdout().is_terminal());
    print(&status::text(&status, status::Look::of_stdout(colored)))
}

fn json(status: &Status) -> Result<String, CommandError> {
    status::json(status).map_err(|error| CommandError::stdout(error.into()))
}

/// The dashboard where there is a terminal; elsewhere, and for programs, a line at each look.
fn watch(
    looker: Looker,
    options: &StatusOptions,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    let shutdown = place::shutdown()?;
    #[cfg(feature = "tui")]
    if !output.json && status::terminal::is_there() {
        return dashboard(looker, options, output, &shutdown);
    }
    lines(looker, options, output, &shutdown)
}

fn lines(
    mut looker: Looker,
    options: &StatusOptions,
    output: &OutputSettings,
    shutdown: &Shutdown,
) -> Result<ExitCode, CommandError> {
    runtime::block_on(async {
        while !shutdown.asked() {
            let status = looker.look().await?;
            let line = match output.json {
                true => json(&status)?,
                false => status::line(&status) + "\n",
            };
            stdout::write(line.as_bytes()).map_err(CommandError::stdout)?;
            tokio::select! {
                () = tokio::time::sleep(options.interval) => {}
                () = shutdown.wait() => {}
            }
        }
        Ok(ExitCode::Done)
    })?
}

#[cfg(feature = "tui")]
fn dashboard(
    mut looker: Looker,
    options: &StatusOptions,
    output: &OutputSettings,
    shutdown: &Shutdown,
) -> Result<ExitCode, CommandError> {
    use std::sync::mpsc::sync_channel;

    // What is wrong from the beginning is told where it stays readable.
    let runtime = runtime::new()?;
    let first = runtime.block_on(looker.look())?;
    let (send, looks) = sync_channel(1);
    let interval = options.interval;
    let looking = std::thread::Builder::new().name("look".to_owned());
    // Whoever has left does not wait for servers that do not answer: the process ends.
    let looking = looking.spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::time::sleep(interval).await;
                let looked = looker.look().await;
                let is_over = looked.is_err();
                if send.send(looked).is_err() || is_over {
                    return;
                }
            }
        });
    });
    looking.map_err(|error| CommandError::new(ExitCode::Other, runtime::RuntimeError(error)))?;
    let colored = output.color.on(true);
    let watched = status::terminal::watch(first, &looks, colored, shutdown);
    match watched.map_err(CommandError::stdout)? {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::Done),
    }
}
