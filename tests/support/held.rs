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
}

impl Held {
    /// Runs `script` in a transaction that stays open; returns once it has run. One at a time in a
    /// database.
    #[track_caller]
    pub(crate) fn open(database: &Database, script: &str) -> Self {
        let mut child = database
            .program("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.uri()])
            .env("PGAPPNAME", APPLICATION)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("psql is installed with the server");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        writeln!(stdin, "BEGIN;\n{script};\nSAVEPOINT ran;").expect("psql reads");
        let held = Self {
            child,
            stdin,
            database: database.clone(),
        };
        eventually(SOON, &format!("{script} has run"), || {
            held.sessions("state = 'idle in transaction' AND query LIKE 'SAVEPOINT ran%'") == 1
        });
        held
    }

    /// Commits; returns once the session is gone.
    #[track_caller]
    pub(crate) fn commit(mut self) {
        writeln!(self.stdin, "COMMIT;\n\\q").expect("psql reads");
        let _ = self.child.wait();
        eventually(SOON, "what was held is let go", || {
            self.sessions("true") == 0
        });
    }

    fn sessions(&self, condition: &str) -> i64 {
        self.database.number(&format!(
            "SELECT count(*) FROM pg_stat_activity
              WHERE application_name = '{APPLICATION}' AND datname = current_database()
                AND {condition}"
        ))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
