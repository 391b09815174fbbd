//! Who copies.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::Servers;
use crate::datasets::Dataset;
use crate::measure::{Measured, measure};
use crate::shared::Result;
use crate::shared::processes::run_quietly;
use crate::shared::servers::{pgcopydb, pgcopydb_version};

/// A way to copy a database.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) version: String,
    how: How,
    jobs: usize,
}

enum How {
    /// The program that is measured.
    Pgflit,
    /// The model, with these options besides.
    Pgcopydb(&'static [&'static str]),
    /// One process.
    DumpToPsql,
    /// Through a folder.
    DumpToFolder,
    /// The limit: no program in between, binary, frozen, and nothing asked.
    Pipes,
}

/// Those that are on this machine. `PGCOPYDB` names the program to use.
pub(crate) fn all(servers: &Servers, jobs: usize) -> Result<Vec<Contender>> {
    let mut all = vec![
        contender(
            "pgflit",
            env!("CARGO_PKG_VERSION").to_owned(),
            How::Pgflit,
            jobs,
        ),
        contender("raw pipes", "psql".into(), How::Pipes, jobs),
    ];
    match pgcopydb_version() {
        None => eprintln!("pgcopydb is not here: see benches/pgcopydb"),
        Some(version) => {
            let best: &[&str] = &["--use-copy-binary", "--skip-vacuum"];
            all.push(contender(
                "pgcopydb",
                version.clone(),
                How::Pgcopydb(&[]),
                jobs,
            ));
            all.push(contender(
                "pgcopydb, binary, no vacuum",
                version,
                How::Pgcopydb(best),
                jobs,
            ));
        }
    }
    let programs = servers.source.programs().version()?;
    all.push(contender(
        "pg_dump | psql",
        programs.clone(),
        How::DumpToPsql,
        jobs,
    ));
    all.push(contender(
        "pg_dump -Fd, pg_restore",
        programs,
        How::DumpToFolder,
        jobs,
    ));
    Ok(all)
}

fn contender(name: &str, version: String, how: How, jobs: usize) -> Contender {
    Contender {
        name: name.to_owned(),
        version,
        how,
        jobs,
    }
}

/// Raw pipes start two programs a table: with more tables than this, that is what would be
/// measured.
const PIPES_MAX: usize = 20;

impl Contender {
    /// Whether it says something about the data set.
    pub(crate) fn takes(&self, dataset: &Dataset) -> bool {
        !matches!(self.how, How::Pipes) || dataset.tables.len() <= PIPES_MAX
    }

    /// Copies the data set to an empty database.
    pub(crate) fn run(&self, servers: &Servers, dataset: &Dataset) -> Result<Measured> {
        let source = servers.source.socket_uri(dataset.name);
        let target = servers.target.socket_uri(dataset.name);
        let jobs = self.jobs.to_string();
        let folder = servers.folder.path().join("work");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let program = |name: &str| servers.source.programs().path(name).display().to_string();
        match &self.how {
            How::Pgflit => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_pgflit"));
                command.args(["clone", "--source", &source, "--target", &target, "--dir"]);
                command.arg(&folder).args(["-J", &jobs, "-I", &jobs]);
                let measured = measure(&mut command)?;
                let rows = rows_of_summary(&fs::read_to_string(folder.join("summary.json"))?);
                Ok(Measured { rows, ..measured })
            }
            How::Pgcopydb(options) => {
                let mut command = Command::new(pgcopydb());
                command.args(["clone", "--source", &source, "--target", &target, "--dir"]);
                command.arg(&folder);
                command.args(["--table-jobs", &jobs, "--index-jobs", &jobs]);
                measure(command.args(*options))
            }
            How::DumpToPsql => shell(&format!(
                "set -o pipefail; {} -d '{source}' | {} -X -q -v ON_ERROR_STOP=1 -d '{target}'",
                program("pg_dump"),
                program("psql"),
            )),
            How::DumpToFolder => shell(&format!(
                "{} -Fd -j {jobs} -f '{folder}' -d '{source}' && \
                 {} -j {jobs} -d '{target}' '{folder}'",
                program("pg_dump"),
                program("pg_restore"),
                folder = folder.display(),
            )),
            How::Pipes => self.pipes(servers, dataset, &source, &target),
        }
    }

    /// Definitions by pg_dump and pg_restore, rows by a pipe a table.
    fn pipes(
        &self,
        servers: &Servers,
        dataset: &Dataset,
        source: &str,
        target: &str,
    ) -> Result<Measured> {
        let program = |name: &str| servers.source.programs().path(name).display().to_string();
        let (pg_dump, pg_restore) = (program("pg_dump"), program("pg_restore"));
        let dump = servers.folder.path().join("dump");
        let dump = dump.display();
        let before = measure(&mut bash(&format!(
            "{pg_dump} -Fc --schema-only -f '{dump}' -d '{source}' && \
             {pg_restore} --section=pre-data -d '{target}' '{dump}'"
        )))?;
        let one = format!(
            "{psql} -X -q -d '{source}' -c \"COPY $1 TO STDOUT (FORMAT binary)\" | \
             {psql} -X -q -v ON_ERROR_STOP=1 -d '{target}' -c BEGIN -c \"TRUNCATE ONLY $1\" \
                 -c \"COPY $1 FROM STDIN (FORMAT binary, FREEZE)\" -c COMMIT",
            psql = program("psql"),
        );
        let script = servers.folder.path().join("one");
        fs::write(&script, format!("set -e -o pipefail\n{one}\n"))?;
        let tables = servers.folder.path().join("tables");
        fs::write(&tables, dataset.tables.join("\n"))?;
        let rows = measure(&mut bash(&format!(
            "xargs -P {} -n 1 bash '{}' < '{}'",
            self.jobs,
            script.display(),
            tables.display()
        )))?;
        let after = measure(&mut bash(&format!(
            "{pg_restore} --section=post-data -j {} -d '{target}' '{dump}'",
            self.jobs
        )))?;
        // COPY sets no sequences; that costs nothing beside the rest.
        run_quietly(&mut bash(&format!("rm -f '{dump}'")))?;
        Ok(Measured {
            wall: before.wall + rows.wall + after.wall,
            rows: Some(rows.wall),
            cpu: before.cpu + rows.cpu + after.cpu,
            memory: before.memory.max(rows.memory).max(after.memory),
        })
    }
}

fn bash(script: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", script]);
    command
}

fn shell(script: &str) -> Result<Measured> {
    measure(&mut bash(script))
}

/// How long the step `rows` took, as pgflit's summary has it.
fn rows_of_summary(summary: &str) -> Option<Duration> {
    let summary: serde_json::Value = serde_json::from_str(summary).ok()?;
    let steps = summary.get("steps")?.as_array()?;
    let rows = steps.iter().find(|step| step["name"] == "rows")?;
    Some(Duration::from_millis(rows["duration_ms"].as_u64()?))
}
