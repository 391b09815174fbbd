//! `pgflit proxy` and the commands that talk to a running one.

mod check_config;
mod configuration;
mod show;
mod show_mirrors;

use std::path::PathBuf;

use super::{CommandError, place, runtime};
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::options::{ProxyCommand, ProxyControl, ProxyRun};
use crate::proxy::authority::record::RecordError;
use crate::proxy::control::{AskError, ControlError, Reply, Request, Scope, ask};
use crate::proxy::run::{self, ProxyError, Start};
use crate::proxy::survey;
use crate::report::stdout;

/// The proxy is not told where clients connect.
#[derive(Debug, thiserror::Error)]
#[error("the proxy is not told where to listen")]
struct ListensNowhere;

/// Runs the proxy, or asks a running one.
pub(super) fn run(command: &ProxyCommand, json: bool) -> Result<ExitCode, CommandError> {
    let (control, request) = match command {
        ProxyCommand::Run(options) => return serve(options),
        ProxyCommand::Status(control) => (control, Request::Status),
        ProxyCommand::Clients(control) => (control, survey::looked_at()),
        ProxyCommand::Resume(control) => {
            let (id, scope) = (None, Scope::All);
            (control, Request::Resume { id, scope })
        }
        ProxyCommand::Pause { control, limit } => {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            let request = Request::Pause {
                limit_ms,
                id: rand::random(),
                scope: Scope::All,
            };
            (control, request)
        }
        ProxyCommand::Reload(control) => (control, Request::Reload),
        ProxyCommand::Mirrors(control) => (control, Request::Mirrors),
        ProxyCommand::CheckConfig(control) => return check_config::check_config(control, json),
    };
    let reply = ask(&socket(control), &request)?;
    let text = match json {
        true => show::json(&reply).map_err(|error| CommandError::stdout(error.into()))?,
        false => show::text(&reply),
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(match reply {
        // For scripts: the pause that was to be ended had ended by itself.
        Reply::Resumed { was_paused: false } => ExitCode::CheckFailed,
        _ => ExitCode::Done,
    })
}

fn serve(options: &ProxyRun) -> Result<ExitCode, CommandError> {
    let control = &options.control;
    if control.config.is_none() {
        place::address(Side::Source, control.source.as_deref())?;
        if options.listen.is_empty() {
            return Err(CommandError::usage(ListensNowhere)
                .with_hint("name where clients connect: --listen 127.0.0.1:6432"));
        }
    }
    let origin = configuration::origin_of_run(options);
    let start = Start {
        control: socket(control),
        config: origin.load()?,
        origin,
        work_dir: place::work_dir(&control.work_dir),
    };
    place::work_dir(&control.work_dir).create()?;
    let shutdown = place::shutdown()?;
    runtime::block_on(run::run(start, &shutdown))??;
    Ok(ExitCode::Done)
}

/// The control socket: the one that was named, or the one in the work directory.
fn socket(control: &ProxyControl) -> PathBuf {
    let in_work_dir = || place::work_dir(&control.work_dir).proxy_socket_path();
    control.socket.clone().unwrap_or_else(in_work_dir)
}

impl From<AskError> for CommandError {
    fn from(error: AskError) -> Self {
        let (code, hint) = match &error {
            AskError::Nobody { .. } => (
                ExitCode::Other,
                Some(
                    "name the proxy's work directory with --dir, or its socket with --socket"
                        .to_owned(),
                ),
            ),
            AskError::Refused { hint, .. } => (ExitCode::CheckFailed, hint.clone()),
            AskError::Silent { .. } => (
                ExitCode::Other,
                Some("end that process, if it hangs, and try again".to_owned()),
            ),
            AskError::Lost(_) | AskError::Odd(_) => (ExitCode::Other, None),
        };
        CommandError {
            hint,
            ..CommandError::new(code, error)
        }
    }
}

impl From<ProxyError> for CommandError {
    fn from(error: ProxyError) -> Self {
        let (code, hint) = match &error {
            ProxyError::Listen(_) => (
                ExitCode::Other,
                "name a free address of this machine: with --listen HOST:PORT or a folder for a socket, \
                 or listen in [proxy], [admin] or [metrics]",
            ),
            ProxyError::Control(ControlError::Taken(_)) => (
                ExitCode::Busy,
                "two proxies need two work directories, or a --socket each; two processes of one \
                 proxy need --reuse-port",
            ),
            ProxyError::Control(ControlError::TooMany(_)) => (
                ExitCode::Busy,
                "end the oldest: kill -TERM, and once more to end its clients",
            ),
            ProxyError::Control(ControlError::Io { .. }) => (
                ExitCode::Other,
                "name another place with --dir or --socket; a socket's path has at most 107 bytes",
            ),
            ProxyError::Threads(_) => (ExitCode::Other, "see what limits this user's processes"),
            ProxyError::Tls(_) => (
                ExitCode::Usage,
                "both files are PEM; the key belongs to the certificate and has no password",
            ),
            ProxyError::Record(RecordError::NoTarget(_)) => (
                ExitCode::Other,
                "put the target back; or, once traffic has moved for good and the server that it is on \
                 is named source, remove that file",
            ),
            ProxyError::Record(RecordError::Exchanged(_)) => (
                ExitCode::Other,
                "start it with the configuration that finalize has written; for the next migration, name \
                 another work directory with --dir",
            ),
            ProxyError::Record(_) => (
                ExitCode::Other,
                "a cutover writes that file; put back a copy of it, or say where traffic goes with \
                 {\"serves\":\"source\",\"attempt\":0} or \"target\" in it, once you are certain",
            ),
            ProxyError::Signal(_) => (ExitCode::Other, "see what limits this user's processes"),
        };
        CommandError::new(code, error).with_hint(hint)
    }
}
