//! Traffic by `pgbench`: TPC-B-like transactions from four sessions.

use std::process::{Child, Stdio};

use super::wait::eventually;
use super::{Database, SOON};

/// What the sessions call themselves, to be found in `pg_stat_activity`.
const APPLICATION: &str = "traffic";

/// A running `pgbench`, ended when dropped.
pub(crate) struct Pgbench {
    child: Child,
    database: Database,
}

impl Pgbench {
    /// Makes pgbench's tables: 100,000 accounts a unit of `scale`.
    #[track_caller]
    pub(crate) fn init(database: &Database, scale: u32) {
        let output = database
            .program("pgbench")
            .args(["-i", "-q", "-s", &scale.to_string()])
            .arg(database.uri())
            .output()
            .expect("pgbench is installed with the server");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "pgbench -i: {stderr}");
    }

    /// Four sessions that write as fast as they can until stopped; returns once the first
    /// transaction is committed.
    #[track_caller]
    pub(crate) fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    /// The same, with `rate` transactions a second.
    #[track_caller]
    pub(crate) fn start_at(database: &Database, rate: u32) -> Self {
        Self::start_with(database, &["-R", &rate.to_string()])
    }

    #[track_caller]
    fn start_with(database: &Database, options: &[&str]) -> Self {
        let before = transactions(database);
        let child = database
            .program("pgbench")
            .args(["-n", "-c", "4", "-j", "1", "-T", "86400"])
            .args(options)
            .arg(database.uri())
            .env("PGAPPNAME", APPLICATION)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbench is installed with the server");
        let traffic = Self {
            child,
            database: database.clone(),
        };
        traffic.eventually_more_than(before, 0);
        traffic
    }

    /// Returns once `count` more transactions are committed than are now.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: i64) {
        self.eventually_more_than(transactions(&self.database), count - 1);
    }

    /// Ends the traffic and returns once its last session is gone from the server, so that nothing
    /// more can be committed. Gives the number of rows in the history: one a transaction ever.
    #[track_caller]
    pub(crate) fn stop(mut self) -> i64 {
        self.end();
        let sessions = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{APPLICATION}'"
        );
        eventually(SOON, "pgbench's sessions are gone", || {
            self.database.number(&sessions) == 0
        });
        transactions(&self.database)
    }

    #[track_caller]
    fn eventually_more_than(&self, before: i64, count: i64) {
        eventually(SOON, "pgbench has committed", || {
            transactions(&self.database) > before + count
        });
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Pgbench {
    fn drop(&mut self) {
        self.end();
    }
}

fn transactions(database: &Database) -> i64 {
    database.number("SELECT count(*) FROM pgbench_history")
}
