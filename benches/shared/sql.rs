//! Statements for a cluster, by psql.

use std::process::Command;

use pgflit::worker::cluster::Cluster;

use super::Result;
use super::processes::run_quietly;

/// Runs a script in a database.
pub(crate) fn sql(cluster: &Cluster, database: &str, script: &str) -> Result<()> {
    run_quietly(psql(cluster, database).args(["-c", script]))
}

/// What a query answers, as psql prints it unaligned.
pub(crate) fn answer(cluster: &Cluster, database: &str, query: &str) -> Result<String> {
    let output = psql(cluster, database).args(["-c", query]).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

fn psql(cluster: &Cluster, database: &str) -> Command {
    let mut psql = Command::new(cluster.programs().path("psql"));
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
    psql.args(["-d", &cluster.socket_uri(database)]);
    psql
}
