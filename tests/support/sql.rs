//! Asking a database through `psql`, which knows nothing of pgflit.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pgflit::worker::cluster::{Cluster, Programs};

/// Characters that no value in a test contains, to tell fields and rows apart.
const FIELD: char = '\u{1f}';
const RECORD: char = '\u{1e}';

/// Values print the same whatever the server's defaults are.
const PRINTING: &str = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres \
    -c extra_float_digits=3 -c bytea_output=hex";

/// One database of a cluster, and how to ask it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    uri: String,
    programs: Programs,
}

/// What `database` answers to `script`, which may be several statements: columns separated by
/// `|`, no header. Panics if it refuses.
#[track_caller]
pub(crate) fn sql(database: &Database, script: &str) -> String {
    database.sql(script)
}

impl Database {
    /// The database `name` of `cluster`, which must exist by the time it is asked.
    pub(crate) fn of(cluster: &Cluster, name: &str) -> Self {
        Self {
            uri: cluster.uri(name),
            programs: cluster.programs().clone(),
        }
    }

    /// The same, asked as `user`, who needs no password.
    pub(crate) fn of_user(cluster: &Cluster, name: &str, user: &str) -> Self {
        let of_superuser = Self::of(cluster, name);
        let separator = match of_superuser.uri.contains('?') {
            true => '&',
            false => '?',
        };
        Self {
            uri: format!("{}{separator}user={user}", of_superuser.uri),
            ..of_superuser
        }
    }

    /// The same where something else listens for it.
    pub(crate) fn at_port(&self, own: u16, other: u16) -> Self {
        Self {
            uri: self.uri.replace(&format!(":{own}/"), &format!(":{other}/")),
            programs: self.programs.clone(),
        }
    }

    /// The same with one more setting in the connection string.
    pub(crate) fn with(&self, setting: &str) -> Self {
        let separator = match self.uri.contains('?') {
            true => '&',
            false => '?',
        };
        Self {
            uri: format!("{}{separator}{setting}", self.uri),
            programs: self.programs.clone(),
        }
    }

    /// As pgflit takes it.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// One of PostgreSQL's client programs, with none of the caller's libpq defaults.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.path(name));
        for (variable, _) in std::env::vars_os() {
            if variable.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(variable);
            }
        }
        command
    }

    /// See [`sql`].
    #[track_caller]
    pub(crate) fn sql(&self, script: &str) -> String {
        match self.try_sql(script) {
            Ok(answer) => answer,
            Err(message) => panic!("{}: {message}\nin: {script}", self.uri),
        }
    }

    /// As [`Database::sql`], with the refusal as an error.
    pub(crate) fn try_sql(&self, script: &str) -> Result<String, String> {
        let answer = self.psql(&[], script)?;
        Ok(answer.trim_end_matches('\n').to_owned())
    }

    /// The rows of one query, NULL as an empty string.
    #[track_caller]
    pub(crate) fn rows(&self, query: &str) -> Vec<Vec<String>> {
        let separators = [format!("-F{FIELD}"), format!("-R{RECORD}")];
        let answer = match self.psql(&[&separators[0], &separators[1]], query) {
            Ok(answer) => answer,
            Err(message) => panic!("{}: {message}\nin: {query}", self.uri),
        };
        let answer = answer.strip_suffix('\n').unwrap_or(&answer);
        let records = answer.split(RECORD).filter(|record| !record.is_empty());
        records
            .map(|record| record.split(FIELD).map(str::to_owned).collect())
            .collect()
    }

    /// The first column of the first row, as a number.
    #[track_caller]
    pub(crate) fn number(&self, query: &str) -> i64 {
        let answer = self.sql(query);
        match answer.parse() {
            Ok(number) => number,
            Err(_) => panic!("{query} answered {answer:?}, not a number"),
        }
    }

    fn psql(&self, options: &[&str], script: &str) -> Result<String, String> {
        let mut child = self
            .program("psql")
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"])
            .args(options)
            .args(["-d", &self.uri])
            .env("PGOPTIONS", PRINTING)
            .env("PGCLIENTENCODING", "UTF8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("psql: {error}"))?;
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        let script = script.to_owned();
        // Beside reading the answer, so that neither side waits for the other. A psql that gave
        // up does not read to the end; its message says why.
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(script.as_bytes());
        });
        let output = child.wait_with_output().map_err(|error| error.to_string());
        let _ = writer.join();
        let output = output?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }
}
