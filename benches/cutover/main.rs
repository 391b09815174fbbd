//! How long an application waits when its traffic moves, beside a cutover that is made by hand.
//!
//! `make bench-cutover`, or `cargo bench --bench cutover -- --only 8 --runs 3`. Two throw-away clusters
//! with their usual settings (`fsync=on`), replication between them, a proxy before them, and pgbench
//! as the application; in the middle of the load traffic moves. What counts is the longest
//! transaction of any client, by pgbench's own log. How to read it: `docs/benchmarks.md`.

mod by_hand;
mod load;
mod options;
mod ours;
#[path = "../shared/mod.rs"]
mod shared;
mod stage;
mod table;

use std::process::ExitCode;

use load::Situation;
use options::Options;
use shared::Result;
use table::Row;

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
    println!("{}", table::HEAD);
    for situation in Situation::all(options) {
        let mut rows: Vec<Row> = Vec::new();
        for round in 1..=options.runs {
            eprintln!("{situation}, round {round} of {}", options.runs);
            if options.takes("pgflit") {
                rows.extend(ours::measure(&situation, options)?);
            }
            if options.takes("pgbouncer") {
                rows.extend(by_hand::measure(&situation, options)?);
            }
        }
        print!("{}", table::of(&situation, &rows));
    }
    Ok(())
}
