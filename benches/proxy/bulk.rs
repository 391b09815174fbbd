//! COPY of much data, in both directions.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Servers;
use crate::contenders::Contender;
use crate::options::Options;
use crate::shared::sql::sql;
use crate::shared::{Result, median};

/// Bytes of a row's value.
const ROW_BYTES: u32 = 1000;

/// What one contender took: out of the server, and into it.
pub(crate) struct Took {
    pub(crate) out: Duration,
    pub(crate) back: Duration,
    pub(crate) bytes: u64,
}

/// What each took, in the middle of the rounds.
pub(crate) fn measure(
    contenders: &[Contender],
    servers: &Servers,
    options: &Options,
) -> Result<Vec<Took>> {
    let rows = u64::from(options.megabytes) * 1_000_000 / u64::from(ROW_BYTES);
    sql(
        &servers.server,
        "postgres",
        "CREATE UNLOGGED TABLE IF NOT EXISTS bulk (v text)",
    )?;
    let file = servers.folder.path().join("rows");
    fs::write(
        &file,
        (("x".repeat(ROW_BYTES as usize - 1) + "\n").repeat(rows as usize)).as_bytes(),
    )?;
    let mut rounds: Vec<(Vec<Duration>, Vec<Duration>)> =
        contenders.iter().map(|_| Default::default()).collect();
    for round in 1..=options.runs {
        for (contender, (outs, backs)) in contenders.iter().zip(&mut rounds) {
            eprintln!(
                "copy, round {round} of {}: {}",
                options.runs, contender.name
            );
            let select = format!(
                "COPY (SELECT repeat('x', {}) FROM generate_series(1, {rows})) TO STDOUT",
                ROW_BYTES - 1
            );
            outs.push(psql(contender, servers, &select, Stdio::null())?);
            sql(&servers.server, "postgres", "TRUNCATE bulk")?;
            let input = Stdio::from(fs::File::open(&file)?);
            backs.push(psql(contender, servers, "COPY bulk FROM STDIN", input)?);
        }
    }
    sql(&servers.server, "postgres", "DROP TABLE bulk")?;
    let rounds = rounds.into_iter().map(|(outs, backs)| Took {
        out: median(outs).unwrap_or_default(),
        back: median(backs).unwrap_or_default(),
        bytes: rows * u64::from(ROW_BYTES),
    });
    Ok(rounds.collect())
}

fn psql(contender: &Contender, servers: &Servers, sql: &str, input: Stdio) -> Result<Duration> {
    let began = Instant::now();
    let status = Command::new(servers.server.programs().path("psql"))
        .args(["-X", "-q", "-d", &contender.uri(), "-c", sql])
        .stdin(input)
        .stdout(Stdio::null())
        .status()?;
    match status.success() {
        true => Ok(began.elapsed()),
        false => Err(format!("psql failed: {sql}").into()),
    }
}
