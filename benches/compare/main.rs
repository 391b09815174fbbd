//! `compare data` beside the servers' own scan and hash, in one run on one machine.
//!
//! `make bench-compare`, or `cargo bench --bench compare -- --runs 3 --only narrow`. Two throw-away
//! clusters with equal tables; each round runs every contender once, in turn; the middle of the rounds is
//! printed. How to read it: `docs/benchmarks.md`.

mod contenders;
mod datasets;
mod options;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use pgflit::worker::cluster::Cluster;

use contenders::Contender;
use datasets::Dataset;
use options::Options;
use shared::servers::{pgcopydb_version, quick};
use shared::{Result, median};

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
    let peer = pgcopydb_version();
    println!(
        "{} cores, {}, fsync off, {} runs, medians; pgcopydb {}.\n",
        std::thread::available_parallelism()?,
        servers.target.programs().version()?,
        options.runs,
        peer.as_deref().unwrap_or("is not here")
    );
    for dataset in Dataset::all(options) {
        eprintln!("making {}", dataset.name);
        dataset.make(&servers)?;
        let mut rounds = vec![Vec::new(); Contender::ALL.len()];
        for run in 1..=options.runs {
            for (contender, took) in Contender::ALL.iter().zip(&mut rounds) {
                if *contender == Contender::Pgcopydb && peer.is_none() {
                    continue;
                }
                eprintln!(
                    "{}, run {run} of {}: {}",
                    dataset.name,
                    options.runs,
                    contender.name()
                );
                took.push(contender.run(&servers, &dataset)?);
            }
        }
        println!("{}\n\n{}\n", dataset.what(&servers)?, table(&rounds));
        dataset.drop(&servers)?;
    }
    Ok(())
}

/// A line a contender, and how they stand to the servers' own hash.
fn table(rounds: &[Vec<Duration>]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["", "time", "×"]);
    let middles: Vec<_> = rounds
        .iter()
        .map(|took| median(took.iter().copied()))
        .collect();
    let mark = middles
        .first()
        .copied()
        .flatten()
        .unwrap_or_default()
        .as_secs_f64();
    for (contender, middle) in Contender::ALL.iter().zip(&middles) {
        if let Some(middle) = middle.map(|middle| middle.as_secs_f64()) {
            table.add_row([
                contender.name().to_owned(),
                format!("{middle:.2} s"),
                format!("{:.2}", middle / mark),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
