//! pgflit, following a copy that somebody else has made.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Start;
use crate::backlog::Backlog;
use crate::servers::DATABASE;
use crate::shared::Result;
use crate::shared::processes::run_quietly;
use crate::watch::{Outcome, Program, Started, Step, watch};

/// Its folder, and its slot, which has this name by default.
const NAME: &str = "pgflit";

/// Slot and work directory, as they are before the transactions.
pub(crate) fn set_up(backlog: &Backlog, program: &Path) -> Result<()> {
    run_quietly(&mut command(backlog, program, &["stream", "setup"], true))?;
    backlog.keep(NAME, NAME)
}

/// Applies the backlog.
pub(crate) fn run(
    backlog: &Backlog,
    program: &Path,
    from: Start,
    limit: Duration,
) -> Result<Outcome> {
    backlog.put_back(NAME, NAME)?;
    let log = backlog.folder("log");
    let end: &[&str] = &["--endpos", &backlog.end];
    let mut prefetch = None;
    if from == Start::Segments {
        let begun = Instant::now();
        let mut receiving = command(backlog, program, &["stream", "prefetch"], true);
        if !Program::start(receiving.args(end), &log)?.wait(limit)? {
            return Ok(Outcome::Over(Step::Prefetch, limit));
        }
        prefetch = Some(begun.elapsed());
    }
    let allow = ["sentinel", "set", "apply"];
    run_quietly(&mut command(backlog, program, &allow, false))?;
    let what: &[&str] = match from {
        Start::Segments => &["stream", "catchup"],
        Start::Slot => &["follow"],
    };
    let outcome = watch(backlog, limit, || {
        let mut applying = command(backlog, program, what, true);
        Ok(Started::Program(Program::start(applying.args(end), &log)?))
    });
    Ok(match outcome? {
        Outcome::Took(mut took) => {
            took.prefetch = prefetch;
            Outcome::Took(took)
        }
        other => other,
    })
}

fn command(backlog: &Backlog, program: &Path, what: &[&str], with_servers: bool) -> Command {
    let mut command = Command::new(program);
    command.args(what);
    command.arg("--dir").arg(backlog.folder(NAME));
    if with_servers {
        let pair = &backlog.pair;
        command.args(["--source", &pair.source.socket_uri(DATABASE)]);
        command.args(["--target", &pair.target.socket_uri(DATABASE)]);
    }
    command
}
