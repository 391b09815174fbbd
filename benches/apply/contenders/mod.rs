//! Who applies.

pub(crate) mod pgcopydb;
pub(crate) mod pgflit;
mod receive;
mod subscription;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use ::pgflit::worker::cluster::Programs;

use crate::backlog::{Backlog, Readers};
use crate::options::Options;
use crate::shared::Result;
use crate::shared::servers::pgcopydb_version;
use crate::watch::Outcome;

/// A way to bring the target up to date.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) how: How,
    /// Servers of another version, if it needs them.
    pub(crate) programs: Option<PathBuf>,
}

/// Where changes are when the clock starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// On this disk, received before.
    Segments,
    /// In the source's WAL.
    Slot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// The program that is measured.
    Pgflit(Start),
    /// The model.
    Pgcopydb(Start),
    /// PostgreSQL's own, with these options.
    Subscription(&'static str),
    /// Decoding alone, with these options of the plugin: nothing that reads a slot is faster.
    ToFile(&'static [&'static str]),
}

/// Those that were asked for and are on this machine, pgflit first: what the others may take goes
/// by what it took.
pub(crate) fn all(options: &Options) -> Vec<Contender> {
    let here = |name: &str, how: How| Contender {
        name: name.to_owned(),
        how,
        programs: None,
    };
    let mut all = vec![
        here("pgflit, from segments", How::Pgflit(Start::Segments)),
        here("pgflit, from the slot", How::Pgflit(Start::Slot)),
        here("subscription", How::Subscription("")),
        here(
            "subscription, synchronous",
            How::Subscription("synchronous_commit = on"),
        ),
    ];
    match programs_of_17() {
        Some(programs) => all.push(Contender {
            name: "subscription of 17, parallel".to_owned(),
            how: How::Subscription("streaming = parallel"),
            programs: Some(programs),
        }),
        None => eprintln!(
            "PostgreSQL 17 is not here: name the folder of its server's programs in PG17_BIN"
        ),
    }
    all.push(here(
        "pg_recvlogical to a file",
        How::ToFile(&["proto_version=1"]),
    ));
    all.push(here(
        "pg_recvlogical, streaming",
        How::ToFile(&["proto_version=2", "streaming=on"]),
    ));
    match pgcopydb_version() {
        None => eprintln!("pgcopydb is not here: see benches/pgcopydb"),
        Some(version) => {
            let name = |from: &str| format!("pgcopydb {version}, {from}");
            all.push(here(&name("from segments"), How::Pgcopydb(Start::Segments)));
            all.push(here(&name("from the slot"), How::Pgcopydb(Start::Slot)));
        }
    }
    all.retain(|contender| options.wants_contender(&contender.name));
    all
}

/// The folder that `PG17_BIN` names, or where Debian has them.
fn programs_of_17() -> Option<PathBuf> {
    let folder = env::var_os("PG17_BIN").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| "/usr/lib/postgresql/17/bin".into());
    Programs::find(Some(&folder)).ok()?;
    Some(folder)
}

/// Who of them reads a backlog of the usual version.
pub(crate) fn readers(contenders: &[Contender]) -> Readers {
    let any = |is: fn(How) -> bool| contenders.iter().any(|contender| is(contender.how));
    Readers {
        pgflit: any(|how| matches!(how, How::Pgflit(_))),
        pgcopydb: any(|how| matches!(how, How::Pgcopydb(_))),
    }
}

impl Contender {
    /// Applies the backlog to a fresh target.
    pub(crate) fn run(&self, backlog: &Backlog, options: &Options, limit: Duration) -> Outcome {
        let run = || -> Result<Outcome> {
            backlog.pair.fresh_target()?;
            match self.how {
                How::Pgflit(from) => pgflit::run(backlog, &options.program, from, limit),
                How::Pgcopydb(from) => pgcopydb::run(backlog, from, limit),
                How::Subscription(with) => subscription::run(backlog, with, limit),
                How::ToFile(with) => receive::run(backlog, with, limit),
            }
        };
        run().unwrap_or_else(|error| Outcome::Failed(error.to_string()))
    }
}
