//! Who compares.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use pgflit::worker::cluster::Cluster;

use crate::Servers;
use crate::datasets::{DATABASE, Dataset};
use crate::shared::Result;
use crate::shared::processes::run_quietly;
use crate::shared::servers::pgcopydb;
use crate::shared::sql::answer;

/// Who.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// `count(*), sum(hashtext(t::text))` of each table, on both servers at once.
    Hash,
    /// `pgflit compare data`.
    Pgflit,
    /// `pgcopydb compare data`.
    Pgcopydb,
}

impl Contender {
    /// The mark is the first.
    pub(crate) const ALL: [Contender; 3] =
        [Contender::Hash, Contender::Pgflit, Contender::Pgcopydb];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Contender::Hash => "the servers' own count(*), sum(hashtext(t::text))",
            Contender::Pgflit => "pgflit compare data",
            Contender::Pgcopydb => "pgcopydb compare data",
        }
    }

    /// How long it takes. That it finds both sides equal is part of it.
    pub(crate) fn run(self, servers: &Servers, dataset: &Dataset) -> Result<Duration> {
        let folder = servers.folder.path().join("work");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let begun = Instant::now();
        match self {
            Contender::Hash => hash(servers, dataset)?,
            Contender::Pgflit => compare(env!("CARGO_BIN_EXE_pgflit"), servers, &folder)?,
            Contender::Pgcopydb => compare(&pgcopydb(), servers, &folder)?,
        }
        Ok(begun.elapsed())
    }
}

fn hash(servers: &Servers, dataset: &Dataset) -> Result<()> {
    let one =
        |table: &String| format!("SELECT count(*), sum(hashtext({table}::text)) FROM {table}");
    let tables: Vec<_> = dataset.tables().collect();
    let script = tables.iter().map(one).collect::<Vec<_>>().join(";\n");
    let ask = |server: &Cluster| answer(server, DATABASE, &script);
    let (source, target) = std::thread::scope(|scope| {
        let source = scope.spawn(|| ask(&servers.source));
        let target = ask(&servers.target);
        (source.join(), target)
    });
    let source = source.map_err(|_| "the source's thread panicked")??;
    match source == target? {
        true => Ok(()),
        false => Err("the sides differ".into()),
    }
}

fn compare(program: &str, servers: &Servers, folder: &std::path::Path) -> Result<()> {
    let mut command = Command::new(program);
    command.args(["compare", "data"]);
    command.args(["--source", &servers.source.uri(DATABASE)]);
    command.args(["--target", &servers.target.uri(DATABASE)]);
    command.arg("--dir").arg(folder);
    run_quietly(&mut command)
}
