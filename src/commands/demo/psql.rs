//! Asking a database through `psql`: what the demo claims about the two databases does not rest
//! on code that is being shown.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;

use super::DemoError;
use crate::worker::cluster::Cluster;

/// A database of one of the clusters.
#[derive(Debug, Clone)]
pub(super) struct Database {
    uri: String,
    psql: PathBuf,
    pgbench: PathBuf,
}

impl Database {
    /// The database `name` of `cluster`.
    pub(super) fn of(cluster: &Cluster, name: &str) -> Self {
        Self {
            uri: cluster.uri(name),
            psql: cluster.programs().path("psql"),
            pgbench: cluster.programs().path("pgbench"),
        }
    }

    /// Where it is: host and port.
    pub(super) fn address(&self) -> String {
        let rest = self.uri.split_once('@').map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default().to_owned()
    }

    /// The same database for `role`, at `address`, which is a host and a port.
    pub(super) fn as_seen_by(&self, role: &str, address: &str, name: &str) -> Self {
        Self {
            uri: format!("postgresql://{role}@{address}/{name}"),
            ..self.clone()
        }
    }

    /// Its connection string; holds no password.
    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    /// `pgbench` on it with these arguments.
    pub(super) fn pgbench(&self, arguments: &[&str]) -> Command {
        let mut command = plain(&self.pgbench);
        // Without a letter before it: -d is for debugging before version 17.
        command.args(arguments).arg(&self.uri);
        command
    }

    /// The rows that `query` gives, columns separated by `|`.
    pub(super) fn rows(&self, query: &str) -> Result<Vec<String>, DemoError> {
        let mut command = plain(&self.psql);
        command
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"])
            .args(["-d", &self.uri, "-c", query]);
        let answer = output_of(command, "psql")?;
        Ok(answer.lines().map(str::to_owned).collect())
    }

    /// The one value that `query` gives.
    pub(super) fn value<T: FromStr>(&self, query: &str) -> Result<T, DemoError> {
        let answer = self.rows(query)?.join("\n");
        answer.parse().map_err(|_| DemoError::Answer {
            program: "psql",
            answer,
        })
    }
}

/// What our sessions call themselves. A cutover takes a session of this role and of such a name for
/// one of pgflit's, as these are, and not for one that writes past the proxy.
const APPLICATION: &str = "pgflit demo";

/// A command with nothing on stdin and none of the caller's libpq defaults.
fn plain(program: &PathBuf) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).env("PGAPPNAME", APPLICATION);
    command
}

/// Runs `command`, which people know as `name`, and gives what it printed on stdout.
pub(super) fn output_of(mut command: Command, name: &str) -> Result<String, DemoError> {
    let output = command.output().map_err(|source| DemoError::Spawn {
        program: PathBuf::from(command.get_program()),
        source,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(DemoError::Program {
        program: name.to_owned(),
        message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
