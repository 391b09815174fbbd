//! pgcopydb, following a copy that somebody else has made.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Start;
use crate::backlog::Backlog;
use crate::servers::DATABASE;
use crate::shared::Result;
use crate::shared::processes::run_quietly;
use crate::shared::servers;
use crate::shared::sql::answer;
use crate::watch::{Outcome, Program, Started, Step, watch};

/// Its folder, slot and origin, which have this name by default. Some of its processes look for the
/// folder below `TMPDIR`, whatever they were told.
const NAME: &str = "pgcopydb";
/// How long it may take to make its slot.
const SNAPSHOT_MAX: Duration = Duration::from_secs(60);

/// Slot, catalogs and work directory, as they are before the transactions.
pub(crate) fn set_up(backlog: &Backlog) -> Result<()> {
    let log = backlog.folder("log");
    let mut holding = command(backlog, &["snapshot", "--follow"]);
    holding.args(["--plugin", "pgoutput"]);
    let mut holding = Program::start(&mut holding, &log)?;
    let begun = Instant::now();
    let id = backlog.folder(NAME).join("snapshot");
    while !id.exists() {
        if holding.has_ended()? || begun.elapsed() > SNAPSHOT_MAX {
            return Err("pgcopydb has made no snapshot".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    let mut setup = command(backlog, &["stream", "setup", "--plugin", "pgoutput"]);
    run_quietly(&mut setup)?;
    kill(Pid::from_raw(holding.pid() as i32), Signal::SIGTERM)?;
    // With whatever code it ends when it is asked to.
    let _ = holding.wait(SNAPSHOT_MAX);
    backlog.keep(NAME, NAME)
}

/// Applies the backlog.
pub(crate) fn run(backlog: &Backlog, from: Start, limit: Duration) -> Result<Outcome> {
    backlog.put_back(NAME, NAME)?;
    // Its own, from the beginning of its slot on: it looks for files by that position.
    let position =
        format!("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{NAME}'");
    let begin = answer(&backlog.pair.source, DATABASE, &position)?;
    let origin = format!(
        "SELECT pg_replication_origin_create('{NAME}');
         SELECT pg_replication_origin_advance('{NAME}', '{begin}')"
    );
    answer(&backlog.pair.target, DATABASE, &origin)?;
    let log = backlog.folder("log");
    let go_on: &[&str] = &["--resume", "--not-consistent", "--endpos", &backlog.end];
    let mut prefetch = None;
    if from == Start::Segments {
        let begun = Instant::now();
        let mut receiving = command(backlog, &["stream", "prefetch"]);
        if !Program::start(receiving.args(go_on), &log)?.wait(limit)? {
            return Ok(Outcome::Over(Step::Prefetch, limit));
        }
        prefetch = Some(begun.elapsed());
    }
    let mut allow = command(backlog, &["stream", "sentinel", "set", "apply"]);
    run_quietly(&mut allow)?;
    let what: &[&str] = match from {
        Start::Segments => &["stream", "catchup"],
        Start::Slot => &["follow"],
    };
    let outcome = watch(backlog, limit, || {
        let mut applying = command(backlog, what);
        Ok(Started::Program(Program::start(
            applying.args(go_on),
            &log,
        )?))
    });
    Ok(match outcome? {
        Outcome::Took(mut took) => {
            took.prefetch = prefetch;
            Outcome::Took(took)
        }
        other => other,
    })
}

fn command(backlog: &Backlog, what: &[&str]) -> Command {
    let mut command = Command::new(servers::pgcopydb());
    let folder = backlog.folder(NAME);
    let pair = &backlog.pair;
    command.args(what).arg("--dir").arg(&folder);
    command.env("TMPDIR", folder.parent().unwrap_or(&folder));
    command.env("XDG_DATA_HOME", folder.join("share"));
    command.env("PGCOPYDB_SOURCE_PGURI", pair.source.socket_uri(DATABASE));
    command.env("PGCOPYDB_TARGET_PGURI", pair.target.socket_uri(DATABASE));
    command
}
