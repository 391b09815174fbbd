//! Something held in a database until it is let go: a lock, an open transaction.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

use super::wait::eventually;
use super::{Database, SOON};

/// What the session calls itself, to be found in `pg_stat_activity`.
const APPLICATION: &str = "held open";

/// A session with an open transaction. Rolled back when dropped.
pub(crate) struct Held {
    child: Child,
    stdin: ChildStdin,
    database: Database,
    application: String,
    scripts: u32,
}

impl Held {
    /// Runs `script` in a transaction that stays open; returns once it has run. One at a time in a
    /// database.
    #[track_caller]
    pub(crate) fn open(database: &Database, script: &str) -> Self {
        Self::open_as(APPLICATION, database, script)
    }

    /// The same, for several at once: each under a name of its own.
    #[track_caller]
    pub(crate) fn open_as(application: &str, database: &Database, script: &str) -> Self {
        let mut child = database
            .program("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.uri()])
            .env("PGAPPNAME", application)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("psql is installed with the server");
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let mut held = Self {
            child,
            stdin,
            database: database.clone(),
            application: application.to_owned(),
            scripts: 0,
        };
        held.run(&format!("BEGIN;\n{script}"));
        held
    }

    /// Runs `script` in the same transaction; returns once it has run.
    #[track_caller]
    pub(crate) fn run(&mut self, script: &str) {
        self.scripts += 1;
        let ran = format!("SELECT 'ran {}'", self.scripts);
        writeln!(self.stdin, "{script};\n{ran};").expect("psql reads");
        let idle = format!(
            "state = 'idle in transaction' AND query LIKE '{}%'",
            ran.replace('\'', "''")
        );
        eventually(SOON, &format!("{script} has run"), || {
            self.sessions(&idle) == 1
        });
    }

    /// The id of its transaction.
    #[track_caller]
    pub(crate) fn xid(&self) -> i64 {
        self.database.number(&format!(
            "SELECT backend_xid FROM pg_stat_activity WHERE application_name = '{}'",
            self.application
        ))
    }

    /// Commits; returns once the session is gone.
    #[track_caller]
    pub(crate) fn commit(self) {
        self.end("COMMIT");
    }

    /// Ends the transaction by `statement`; returns once the session is gone.
    #[track_caller]
    pub(crate) fn end(mut self, statement: &str) {
        writeln!(self.stdin, "{statement};\n\\q").expect("psql reads");
        let _ = self.child.wait();
        eventually(SOON, "what was held is let go", || {
            self.sessions("true") == 0
        });
    }

    fn sessions(&self, condition: &str) -> i64 {
        self.database.number(&format!(
            "SELECT count(*) FROM pg_stat_activity
              WHERE application_name = '{}' AND datname = current_database()
                AND {condition}",
            self.application
        ))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
