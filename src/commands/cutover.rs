//! `pgflit cutover`, `rollback` and `finalize`.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use super::{CommandError, place, runtime, typed};
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::options::{self, CutoverOptions, FinalizeOptions, MigrationPlace};
use crate::migration::cutover::finalize::{self, Finalized};
use crate::migration::cutover::{
    ByMirror, Config, Counts, CutoverError, FenceMode, Limits, OnTimeout, Outcome, Step, cut_over,
};
use crate::report::stdout;

/// Nobody can be asked.
#[derive(Debug, thiserror::Error)]
#[error("nobody is there to say yes to {0}")]
struct NobodyToAsk(&'static str);

/// Moves traffic to `to`, or rehearses it.
pub(super) fn run(
    options: &CutoverOptions,
    to: Side,
    json: bool,
) -> Result<ExitCode, CommandError> {
    let what = match to {
        Side::Target => "cutover",
        Side::Source => "rollback",
    };
    let question = format!("Move the application's traffic to the {to}?");
    if !options.rehearses && !is_agreed(&options.place, what, &question)? {
        return Ok(ExitCode::CheckFailed);
    }
    let config = Config {
        switch_command: options.switch_command.clone(),
        to,
        rehearses: options.rehearses,
        limits: Limits {
            max_lag: options.max_lag.0,
            drain_limit: options.drain_limit,
            max_pause: options.max_pause,
            on_timeout: match options.on_timeout {
                options::OnTimeout::Abort => OnTimeout::Abort,
                options::OnTimeout::Cutover => OnTimeout::Cutover,
            },
            attempts: u32::try_from(options.attempts).unwrap_or(u32::MAX),
        },
        fence: match options.fence {
            options::Fence::Connections => FenceMode::Connections,
            options::Fence::ReadOnly => FenceMode::ReadOnly,
            options::Fence::Terminate => FenceMode::Terminate,
        },
        // What a mirror has fed has no stream, and none goes back.
        reverse: options.reverse && options.by_mirror.is_none(),
        by_mirror: options.by_mirror.as_ref().map(|told| ByMirror {
            name: told.name.clone(),
            counts: match told.allows_different_counts {
                true => Counts::MayDiffer,
                false => Counts::MustBeEqual,
            },
        }),
        given_up: options.without_changes_of.clone(),
        shadow: options.require_shadow.clone(),
        ..config(&options.place, options.has_proxy)?
    };
    let shutdown = place::shutdown()?;
    typed::note(&config.work_dir);
    let outcome = runtime::block_on(cut_over(&config, &shutdown))??;
    let text = match json {
        true => as_json(&outcome).map_err(|error| CommandError::stdout(error.into()))?,
        false => as_text(&outcome),
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}

/// Makes a cutover final.
pub(super) fn finalize(options: &FinalizeOptions, json: bool) -> Result<ExitCode, CommandError> {
    let question = "Give up the way back to the source?";
    if !is_agreed(&options.place, "finalize", question)? {
        return Ok(ExitCode::CheckFailed);
    }
    let config = config(&options.place, true)?;
    typed::note(&config.work_dir);
    let done = finalize::finalize(&config, options.lift_fence, options.config.as_deref());
    let Finalized { done, remains } = runtime::block_on(done)??;
    let text = match json {
        true => {
            let object = serde_json::json!({"done": done, "remains": remains});
            format!("{object}\n")
        }
        false => {
            let done = done.iter().map(|what| format!("{what}\n"));
            let remains = remains.iter().map(|what| format!("still there: {what}\n"));
            done.chain(remains).collect()
        }
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}

fn config(of: &MigrationPlace, has_proxy: bool) -> Result<Config, CommandError> {
    let work_dir = place::work_dir(&of.work_dir);
    let socket = of.socket.clone();
    let socket = socket.unwrap_or_else(|| work_dir.proxy_socket_path());
    Ok(Config {
        source: place::address(Side::Source, of.source.as_deref())?,
        target: place::address(Side::Target, of.target.as_deref())?,
        work_dir,
        socket: has_proxy.then_some(socket),
        switch_command: None,
        to: Side::Target,
        rehearses: false,
        limits: Limits {
            max_lag: 0,
            drain_limit: std::time::Duration::ZERO,
            max_pause: std::time::Duration::ZERO,
            on_timeout: OnTimeout::Abort,
            attempts: 1,
        },
        fence: FenceMode::Connections,
        reverse: true,
        by_mirror: None,
        given_up: Vec::new(),
        shadow: None,
    })
}

/// Whether somebody says yes: on a terminal, or by `--yes`.
fn is_agreed(
    of: &MigrationPlace,
    what: &'static str,
    question: &str,
) -> Result<bool, CommandError> {
    if !of.asks {
        return Ok(true);
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(CommandError::usage(NobodyToAsk(what))
            .with_hint("say --yes, or rehearse it with --dry-run"));
    }
    let mut line = String::new();
    let asked = write!(io::stderr(), "{question} [y/N] ").and_then(|()| {
        io::stderr().flush()?;
        io::stdin().lock().read_line(&mut line)
    });
    asked.map_err(|error| CommandError::new(ExitCode::Other, error))?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// What scripts read.
#[derive(Serialize)]
struct Report<'a> {
    attempt: u64,
    serves: Side,
    rehearsed: bool,
    held_ms: f64,
    steps: &'a [Step],
    sequences: usize,
    unmovable: &'a [String],
    ended: &'a [String],
    remarks: &'a [String],
    left_behind: &'a [String],
}

fn as_json(outcome: &Outcome) -> serde_json::Result<String> {
    let report = Report {
        attempt: outcome.attempt,
        serves: outcome.serves,
        rehearsed: outcome.rehearsed,
        held_ms: outcome.held_ms,
        steps: &outcome.steps,
        sequences: outcome.sequences,
        unmovable: &outcome.unmovable,
        ended: &outcome.ended,
        remarks: &outcome.remarks,
        left_behind: &outcome.left_behind,
    };
    Ok(serde_json::to_string(&report)? + "\n")
}

fn as_text(outcome: &Outcome) -> String {
    let mut text = String::new();
    for step in &outcome.steps {
        let mark = if step.held { "  clients waiting" } else { "" };
        text += &format!("{:<36}{:>10.1} ms{mark}\n", step.name, step.ms);
    }
    let unmovable = match outcome.rehearsed {
        true => "would be ended, and connect anew",
        false => "could not be moved, and connects anew",
    };
    for one in &outcome.unmovable {
        text += &format!("{unmovable}: {one}\n");
    }
    for one in &outcome.ended {
        text += &format!("ended, because it was connected past the proxy: {one}\n");
    }
    for one in &outcome.remarks {
        text += &format!("mind: {one}\n");
    }
    for one in &outcome.left_behind {
        text += &format!("left behind: {one}\n");
    }
    text += &match outcome.rehearsed {
        true => format!(
            "rehearsed: clients waited {:.1} ms; traffic goes to the {} as before\n",
            outcome.held_ms, outcome.serves
        ),
        false => format!(
            "traffic goes to the {}; clients waited {:.1} ms\n",
            outcome.serves, outcome.held_ms
        ),
    };
    if let Some(hint) = &outcome.resume_hint {
        text += &format!("should the stream back stop, go on with it: {hint}\n");
    }
    text
}

impl From<CutoverError> for CommandError {
    fn from(error: CutoverError) -> Self {
        let (code, hint) = match &error {
            CutoverError::NotReady { hint, .. } | CutoverError::Undone { hint, .. } => {
                (ExitCode::CheckFailed, Some(hint.clone()))
            }
            CutoverError::Arm(source) | CutoverError::Carried(source) => (ExitCode::CheckFailed, source.hint()),
            CutoverError::Stopped => (ExitCode::Stopped, None),
            CutoverError::Moved { .. } => (
                ExitCode::Other,
                Some("run the command again: it does what is left".to_owned()),
            ),
            CutoverError::Unknown(_) => (
                ExitCode::Other,
                Some(
                    "run the command again once the server that decides can be reached: it finds out, \
                     and lets clients go on"
                        .to_owned(),
                ),
            ),
            CutoverError::NotWritten { .. } => (
                ExitCode::Other,
                Some("see to that, and run the command again: it does what is left".to_owned()),
            ),
            CutoverError::Server { side, source, .. } => (
                match side {
                    Side::Source => ExitCode::Source,
                    Side::Target => ExitCode::Target,
                },
                source.hint(),
            ),
            CutoverError::Proxy(_)
            | CutoverError::Migration(_)
            | CutoverError::Store(_)
            | CutoverError::Lock(_) => {
                return match error {
                    CutoverError::Proxy(error) => error.into(),
                    CutoverError::Migration(error) => error.into(),
                    CutoverError::Store(error) => error.into(),
                    CutoverError::Lock(error) => error.into(),
                    other => CommandError::new(ExitCode::Other, other),
                };
            }
            CutoverError::Member { .. } => (
                ExitCode::Other,
                Some("see its log; end it if it hangs, and try again".to_owned()),
            ),
            CutoverError::Record(_) | CutoverError::Start { .. } => (ExitCode::Other, None),
        };
        CommandError {
            hint,
            ..CommandError::new(code, error)
        }
    }
}
