//! The source's decoding alone: what everybody who reads from a slot waits for.

use std::process::Command;
use std::time::Duration;

use crate::backlog::{Backlog, KEPT, PUBLICATION};
use crate::servers::DATABASE;
use crate::shared::Result;
use crate::watch::{Outcome, Program, Started, watch};

/// Its slot.
const NAME: &str = "received";

/// Receives the backlog to a file; `with` are options of the plugin.
pub(crate) fn run(backlog: &Backlog, with: &[&str], limit: Duration) -> Result<Outcome> {
    let pair = &backlog.pair;
    pair.fresh_slot(NAME, KEPT)?;
    let file = backlog.folder("received");
    let outcome = watch(backlog, limit, || {
        let mut command = Command::new(pair.source.programs().path("pg_recvlogical"));
        command.args(["-d", &pair.source.socket_uri(DATABASE), "--slot", NAME]);
        command.args(["--start", "--no-loop", "--endpos", &backlog.end, "-f"]);
        command.arg(&file);
        command.args(["-o", &format!("publication_names={PUBLICATION}")]);
        for option in with {
            command.args(["-o", option]);
        }
        let program = Program::start(&mut command, &backlog.folder("log"))?;
        Ok(Started::Alone(program))
    });
    if file.exists() {
        std::fs::remove_file(&file)?;
    }
    pair.drop_slot(NAME)?;
    outcome
}
