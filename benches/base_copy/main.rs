//! The base copy beside its peers and beside the limit, in one run on one machine.
//!
//! `make bench-copy`, or `cargo bench --bench base_copy -- --runs 3 --only small`. Two throw-away
//! clusters with `fsync=off`; each round runs every contender once, in turn, so that all of them
//! meet the same weather; the middle of the rounds is printed. How to read it: `docs/benchmarks.md`.

mod contenders;
mod datasets;
mod measure;
mod options;
#[path = "../shared/mod.rs"]
mod shared;
mod table;

use std::process::ExitCode;

use pgflit::worker::cluster::Cluster;

use contenders::Contender;
use datasets::Dataset;
use measure::Measured;
use options::Options;
use shared::Result;
use shared::servers::quick;

/// A source and a target.
pub(crate) struct Servers {
    pub(crate) source: Cluster,
    pub(crate) target: Cluster,
    pub(crate) folder: tempfile::TempDir,
}

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let servers = Servers {
        source: Cluster::create(&quick("source"))?,
        target: Cluster::create(&quick("target"))?,
        folder: tempfile::tempdir()?,
    };
    let contenders = contenders::all(&servers, options.jobs)?;
    println!("{}", table::about(&servers, &contenders, options)?);
    for dataset in Dataset::all(options) {
        eprintln!("making {}", dataset.name);
        dataset.make(&servers)?;
        let rounds = rounds(&servers, &dataset, &contenders, options.runs)?;
        println!("{}", table::of(&dataset, &contenders, &rounds));
        dataset.drop(&servers)?;
    }
    Ok(())
}

/// What each contender took, by round.
fn rounds(
    servers: &Servers,
    dataset: &Dataset,
    contenders: &[Contender],
    runs: usize,
) -> Result<Vec<Vec<Measured>>> {
    let mut rounds = vec![Vec::new(); contenders.len()];
    for run in 1..=runs {
        for (contender, measured) in contenders.iter().zip(&mut rounds) {
            if !contender.takes(dataset) {
                continue;
            }
            dataset.empty_target(servers)?;
            eprintln!("{}, run {run} of {runs}: {}", dataset.name, contender.name);
            measured.push(contender.run(servers, dataset)?);
            dataset.check(servers, &contender.name)?;
        }
    }
    Ok(rounds)
}
