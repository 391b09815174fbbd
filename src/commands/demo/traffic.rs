//! The traffic: `pgbench`, four sessions that update three rows and insert one a transaction.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::DemoError;
use super::psql::{Database, output_of};
use crate::base::Shutdown;
use crate::base::shutdown::POLL;

/// What the sessions call themselves, to be found in `pg_stat_activity`.
const APPLICATION: &str = "pgflit demo traffic";

/// Fills `database` with pgbench's tables: 100,000 accounts a unit of `scale`.
pub(super) fn fill(database: &Database, scale: u32) -> Result<(), DemoError> {
    let mut command = database.pgbench();
    command.args(["-i", "-q", "-s", &scale.to_string()]);
    output_of(command, "pgbench -i").map(drop)
}

/// A running `pgbench`, ended when dropped.
#[derive(Debug)]
pub(super) struct Traffic {
    child: Child,
    database: Database,
}

impl Traffic {
    /// Starts it. It runs until stopped.
    pub(super) fn start(database: &Database) -> Result<Self, DemoError> {
        let child = database
            .pgbench()
            .args(["-n", "-c", "4", "-j", "1", "-T", "86400"])
            .env("PGAPPNAME", APPLICATION)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| DemoError::Spawn {
                program: PathBuf::from("pgbench"),
                source,
            })?;
        Ok(Self {
            child,
            database: database.clone(),
        })
    }

    /// Transactions committed so far: each leaves one row in the history.
    pub(super) fn transactions(&self) -> Result<u64, DemoError> {
        self.database.value("SELECT count(*) FROM pgbench_history")
    }

    /// Fails if it has ended by itself: a migration without traffic shows nothing.
    pub(super) fn check(&mut self) -> Result<(), DemoError> {
        match self.child.try_wait() {
            Ok(Some(status)) => Err(DemoError::TrafficEnded { status }),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Ends it and returns once its last session has left the server, so that nothing more can be
    /// committed; gives the transactions committed in all.
    pub(super) fn stop(mut self) -> Result<u64, DemoError> {
        self.end();
        let sessions = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{APPLICATION}'"
        );
        while self.database.value::<u32>(&sessions)? > 0 {
            Shutdown::default().sleep(POLL);
        }
        self.transactions()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.end();
    }
}
